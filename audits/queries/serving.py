"""Versions as those see them who serve them; shadow models are not there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from audits.models import Reading
from audits.queries.releases import is_held, replacements, stand_ins
from lineage.models import ApiKey, ModelVersion
from unlearning.core.release.readers import Reading as Read
from unlearning.core.release.readers import exposures

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from unlearning.core.release.readers import Exposure

FOLLOWS = "serve:next"  # the scope of a key that goes on with what replaces a version
_DAY = 86_400.0
HELD = (
    "{version} is held, since it got worse than the version before by more than is tolerated; it "
    "is not served."
)


class VersionNotHere(LookupError):
    """There is no such model, or no version of it in use."""


class ReaderNotGiven(PermissionError):
    """The reader was never given a version of this model."""


def version_of(version_id: UUID) -> ModelVersion:
    """Return a version, whatever its state. Raises VersionNotHere."""
    found = _servable().filter(pk=version_id).first()
    if found is None:
        raise VersionNotHere(f"Not here: the model version {version_id}.")
    return found


def newest_version(name: str) -> ModelVersion:
    """Return the newest version of a model that is in use. Raises VersionNotHere."""
    usable = _servable().filter(model_name=name, state=ModelVersion.State.ACTIVE)
    found = usable.order_by("-version").first()
    if found is None:
        raise VersionNotHere(f"Not here: a version of {name} that is in use.{_held(name)}")
    return found


def check_model(name: str) -> None:
    """Raise VersionNotHere unless there is a model of this name, whatever the state of it."""
    if not _servable().filter(model_name=name).exists():
        raise VersionNotHere(f"Not here: the model {name}.")


def check_reader(reader: str, name: str) -> None:
    """Raise unless a reader was given a version of a model, whatever became of it.

    Raises:
        VersionNotHere: there is no such model.
        ReaderNotGiven: it was given none.
    """
    check_model(name)
    given = Reading.objects.filter(reader=reader, version__in=_servable().filter(model_name=name))
    if not given.exists():
        raise ReaderNotGiven(
            f"{reader} was given no version of {name}; open one, or download its weights, first."
        )


def _held(name: str) -> str:
    """Return that the newest version of a model that might be in use is held, where one is."""
    waiting = _servable().filter(model_name=name, state=ModelVersion.State.CANDIDATE)
    held = next((one for one in waiting.order_by("-version") if is_held(one)), None)
    return f" {HELD.format(version=held)}" if held else ""


def exposed() -> tuple[Exposure, ...]:
    """Return every reader who had two versions of which one turned out to replace the other.

    None is given such a version, but a version that was trained outside may be named as a
    replacement after both were read. Those who went on with the next are not among them.
    """
    return tuple(one for one, followed in _had_both() if not followed)


def followers() -> tuple[Exposure, ...]:
    """Return every reader who went from one side of an erasure to the other, as its key allows."""
    return tuple(one for one, followed in _had_both() if followed)


def servers() -> frozenset[str]:
    """Return the names of keys that may go on with the next version and were not revoked."""
    keys = ApiKey.objects.filter(revoked_at=None).values_list("name", "scopes")
    return frozenset(name for name, scopes in keys if FOLLOWS in scopes)


def _had_both() -> list[tuple[Exposure, bool]]:
    """Return who had two sides of an erasure, and whether the later one followed the earlier."""
    history: dict[str, list[Read]] = defaultdict(list)
    followed = set()
    found = list(Reading.objects.select_related("version").order_by("since", "pk"))
    alike = stand_ins() if found else {}
    for one in found:
        name, ended = alike.get(str(one.version), str(one.version)), one.version.invalidated_at
        since, until = (at.timestamp() / _DAY if at else None for at in (one.since, ended))
        history[one.reader].append(Read(version=name, since=since or 0.0, until=until))
        if one.followed:
            followed.add((one.reader, name))
    both = exposures(history, replacements()) if history else ()
    return [(one, (one.reader, one.versions[1]) in followed) for one in both]


def _servable() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL)
