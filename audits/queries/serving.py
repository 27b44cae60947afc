"""Versions as those see them who serve them; shadow models are not there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from audits.models import Reading
from audits.queries.releases import is_held, replacements, stand_ins
from lineage.models import ModelVersion
from unlearning.core.release.readers import Reading as Read
from unlearning.core.release.readers import exposures

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from unlearning.core.release.readers import Exposure

_DAY = 86_400.0
HELD = (
    "{version} is held, since it got worse than the version before by more than is tolerated; it "
    "is not served."
)


class VersionNotHere(LookupError):
    """There is no such model, or no version of it in use."""


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


def _held(name: str) -> str:
    """Return that the newest version of a model that might be in use is held, where one is."""
    waiting = _servable().filter(model_name=name, state=ModelVersion.State.CANDIDATE)
    held = next((one for one in waiting.order_by("-version") if is_held(one)), None)
    return f" {HELD.format(version=held)}" if held else ""


def exposed() -> tuple[Exposure, ...]:
    """Return every reader who had two versions of which one turned out to replace the other.

    None is given such a version, but a version that was trained outside may be named as a
    replacement after both were read.
    """
    history: dict[str, list[Read]] = defaultdict(list)
    found = list(Reading.objects.select_related("version").order_by("since", "pk"))
    alike = stand_ins() if found else {}
    for one in found:
        ended = one.version.invalidated_at
        history[one.reader].append(
            Read(
                version=alike.get(str(one.version), str(one.version)),
                since=one.since.timestamp() / _DAY,
                until=ended.timestamp() / _DAY if ended else None,
            )
        )
    return exposures(history, replacements()) if history else ()


def _servable() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL)
