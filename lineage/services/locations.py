"""Keep the registers of places and backups; ask a place whether it can be reached."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import ProtectedError

from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import MASKED
from lineage.core.worded import not_among, worded, worded_of
from lineage.models import Backup, Location
from lineage.queries.locations import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LONGEST = 200
MOST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True)
class NewLocation:
    """What is said of a place when it is registered or changed; see ``Location``."""

    slug: str
    kind: str
    purpose: str
    settings: Mapping[str, object] = field(default_factory=dict)
    category: str = Location.Category.DATA
    retention_days: int | None = None
    mask_reason: str = ""
    active: bool = True

    def checked(self) -> None:
        """Refuse what no place can be. Raises SettingRefused."""
        if not _SLUG.fullmatch(self.slug):
            raise SettingRefused(
                worded_of(
                    "slug",
                    "It is %(slug)s; allowed are 1 to 64 small letters, digits and hyphens.",
                    slug=repr(self.slug),
                )
            )
        place = locations.opened(self.kind, self.settings)
        if not 0 < len(self.purpose.strip()) <= _LONGEST:
            raise SettingRefused(
                worded_of(
                    "purpose",
                    "It has %(count)s characters; allowed are 1 to 200.",
                    count=len(self.purpose),
                )
            )
        if self.category not in Location.Category.values:
            allowed = ", ".join(Location.Category.values)
            raise SettingRefused(not_among("category", self.category, allowed))
        if self.retention_days is not None and not 0 < self.retention_days <= MOST_DAYS:
            raise SettingRefused(
                worded_of(
                    "retention_days",
                    "It is %(retention_days)s; allowed are 1 to %(most)s, or none.",
                    retention_days=self.retention_days,
                    most=MOST_DAYS,
                )
            )
        if place.how == MASKED and not 0 < len(self.mask_reason.strip()) <= _LONGEST:
            raise SettingRefused(
                worded_of(
                    "mask_reason",
                    "It is %(mask)s; allowed is a reason of 1 to 200 characters, as masked "
                    "rows are not erased. Leave out mask to delete them.",
                    mask=repr(self.mask_reason),
                )
            )


def register_location(*, new: NewLocation, now: datetime) -> Location:
    """Add a place.

    Raises:
        SettingRefused: something said of it is wrong, or the slug is taken.
    """
    new.checked()
    with transaction.atomic():
        if Location.objects.filter(slug=new.slug).exists():
            raise SettingRefused(
                worded_of(
                    "slug",
                    "It is %(slug)s, which another place has; allowed is a new one.",
                    slug=repr(new.slug),
                )
            )
        return Location.objects.create(**_fields(new), created_at=now)


def change_location(*, slug: str, new: NewLocation) -> Location:
    """Change a place; its kind and slug stay.

    Raises:
        Location.DoesNotExist: there is none of that slug.
        SettingRefused: something said of it is wrong.
    """
    with transaction.atomic():
        found = Location.objects.select_for_update().get(slug=slug)
        if (new.slug, new.kind) != (found.slug, found.kind):
            raise SettingRefused(
                worded(
                    "slug and kind are %(slug)s and %(kind)s; allowed are those it has, "
                    "%(old_slug)s and %(old_kind)s. Register another place instead.",
                    slug=repr(new.slug),
                    kind=repr(new.kind),
                    old_slug=repr(found.slug),
                    old_kind=repr(found.kind),
                )
            )
        new.checked()
        for name, value in _fields(new).items():
            setattr(found, name, value)
        found.save()
        return found


def _fields(new: NewLocation) -> dict[str, object]:
    return {
        "slug": new.slug,
        "kind": new.kind,
        "settings": dict(new.settings),
        "purpose": new.purpose.strip(),
        "category": new.category,
        "retention_days": new.retention_days,
        "mask_reason": new.mask_reason.strip(),
        "active": new.active,
    }


def remove_location(*, slug: str) -> bool:
    """Delete a place; False when cases refer to it, so that it was only taken out of use.

    Raises:
        Location.DoesNotExist: there is none of that slug.
    """
    found = Location.objects.get(slug=slug)
    try:
        with transaction.atomic():
            found.delete()
    except ProtectedError:
        Location.objects.filter(slug=slug).update(active=False)
        return False
    return True


def reach_location(location: Location) -> str:
    """Open a place and say what is there, without anybody's data.

    Raises:
        LocationNotReachable: the sentence says why.
        SettingRefused: its settings do not fit its kind any more.
    """
    return place_of(location).reach()


def register_backup(
    *, name: str, made_at: datetime, expires_at: datetime, covers: str, note: str = ""
) -> Backup:
    """Add a backup.

    Raises:
        SettingRefused: a field is empty or too long, the name is taken, or it expires too early.
    """
    for what, value, most in (("name", name, 100), ("covers", covers, _LONGEST)):
        if not 0 < len(value.strip()) <= most:
            raise SettingRefused(
                worded_of(
                    what,
                    "It has %(count)s characters; allowed are 1 to %(most)s.",
                    count=len(value),
                    most=most,
                )
            )
    if len(note) > _LONGEST:
        raise SettingRefused(
            worded_of(
                "note",
                "It has %(count)s characters; allowed are 0 to %(most)s.",
                count=len(note),
                most=_LONGEST,
            )
        )
    if expires_at <= made_at:
        raise SettingRefused(
            worded_of(
                "expires_at",
                "It is %(expires_at)s; allowed is a day after %(made_at)s, on which it was made.",
                expires_at=f"{expires_at:%Y-%m-%d}",
                made_at=f"{made_at:%Y-%m-%d}",
            )
        )
    with transaction.atomic():
        if Backup.objects.filter(name=name.strip()).exists():
            raise SettingRefused(
                worded_of("name", "It is %(name)s, which another backup has.", name=repr(name))
            )
        return Backup.objects.create(
            name=name.strip(),
            made_at=made_at,
            expires_at=expires_at,
            covers=covers.strip(),
            note=note.strip(),
        )


def destroy_backup(*, name: str, now: datetime) -> bool:
    """Note that a backup was destroyed; False when that was noted before.

    Raises:
        Backup.DoesNotExist: there is none of that name.
    """
    Backup.objects.get(name=name)
    return bool(Backup.objects.filter(name=name, destroyed_at=None).update(destroyed_at=now))
