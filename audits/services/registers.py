"""Keep the registers of places and backups; each change needs a right and leaves an event."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings
from django.db import transaction

from audits.core.roles import Right
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.models import Backup, Location
from lineage.services import locations, suppression

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from lineage.services.locations import NewLocation


@transaction.atomic
def keep_location(
    *, new: NewLocation, user: User | None, now: datetime, change: bool = False
) -> Location:
    """Register a place, or change the one of that slug. No ``user``: the command line.

    Raises:
        NotAllowed: the member of staff does not keep registers.
        SettingRefused: something said of the place is wrong.
        Location.DoesNotExist: there is none to change.
    """
    actor = _actor(user)
    if change:
        kept = locations.change_location(slug=new.slug, new=new)
    else:
        kept = locations.register_location(new=new, now=now)
    data = {
        "location": kept.pk,
        "kind": kept.kind,
        "settings": hashlib.sha256(rfc8785.dumps(kept.settings)).hexdigest(),
        "use": "ACTIVE" if kept.active else "INACTIVE",
    }
    log.append(type="location_registered", case=None, now=now, actor=actor, data=data)
    return kept


@transaction.atomic
def remove_location(*, slug: str, user: User | None, now: datetime) -> bool:
    """Delete a place; False when cases refer to it, so that it was only taken out of use.

    Raises:
        NotAllowed, Location.DoesNotExist: as in ``keep_location``.
    """
    actor = _actor(user)
    data = {"location": Location.objects.get(slug=slug).pk}
    deleted = locations.remove_location(slug=slug)
    log.append(type="location_removed", case=None, now=now, actor=actor, data=data)
    return deleted


def try_location(*, slug: str, user: User | None) -> str:
    """Open a place and say what is there.

    Raises:
        NotAllowed, Location.DoesNotExist: as in ``keep_location``.
        LocationNotReachable, SettingRefused: the sentence says why.
    """
    _actor(user)
    return locations.reach_location(Location.objects.get(slug=slug))


@transaction.atomic
def keep_backup(*, user: User | None, now: datetime, **fields: Any) -> Backup:  # noqa: ANN401
    """Register a backup; the fields are those of ``lineage.services.locations.register_backup``.

    Raises:
        NotAllowed: the member of staff does not keep registers.
        SettingRefused: a field is wrong.
    """
    actor = _actor(user)
    kept = locations.register_backup(**fields)
    data = {
        "backup": kept.pk,
        "made_on": kept.made_at.date(),
        "expires_on": kept.expires_at.date(),
    }
    log.append(type="backup_registered", case=None, now=now, actor=actor, data=data)
    return kept


@transaction.atomic
def destroy_backup(*, name: str, user: User | None, now: datetime) -> bool:
    """Note that a backup was destroyed; False when that was noted before.

    Raises:
        NotAllowed, Backup.DoesNotExist: nothing was noted.
    """
    actor = _actor(user)
    noted = locations.destroy_backup(name=name, now=now)
    if noted:
        data = {"backup": Backup.objects.get(name=name).pk}
        log.append(type="backup_destroyed", case=None, now=now, actor=actor, data=data)
    return noted


@transaction.atomic
def note_drill(*, name: str, user: User | None, now: datetime) -> None:
    """Note that a backup was restored elsewhere, and the erasures replayed there.

    Raises:
        NotAllowed, Backup.DoesNotExist: nothing was noted.
    """
    actor = _actor(user)
    data = {"backup": Backup.objects.get(name=name).pk}
    log.append(type="restore_drilled", case=None, now=now, actor=actor, data=data)


def expire_suppressions(*, now: datetime) -> int:
    """Delete what has been on the suppression list for longer than it may; return how many."""
    gone = suppression.expire_suppressions(now=now, days=settings.EXPUNGE_SUPPRESSION_DAYS)
    if gone:
        left = suppression.suppression_list().count
        with transaction.atomic():
            data = {"count": gone, "remaining": left}
            log.append(type="suppression_expired", case=None, now=now, data=data)
    return gone


def _actor(user: User | None) -> str:
    if user is None:
        return log.SYSTEM
    require(user, Right.REGISTER)
    return actor_of(user)
