"""Release, withdraw and destroy model versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lineage.core.worded import worded
from lineage.models import Artefact, ModelVersion, Run
from lineage.queries.standing import (
    barred_records_used,
    erased_records_used,
    withdrawn_sources,
)
from lineage.services.artefacts import DestroyedArtefact, described, destroy_artefact

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

_State = ModelVersion.State
# Evidence outlives the version it speaks of.
_KEPT = (Artefact.Kind.RECORD, Artefact.Kind.REPORT)


class VersionNotReleasable(ValueError):
    """The version must not be used."""


@transaction.atomic
def release(*, version: ModelVersion, waiting: bool = False) -> ModelVersion:
    """Make a candidate active; an active version stays so.

    ``waiting``: restricted records that it learned from do not count, see ``RunResult``.

    Raises:
        VersionNotReleasable: a shadow model, withdrawn, destroyed, or trained on records that
            are restricted or erased.
    """
    current = _releasable(version, waiting=waiting)
    current.state = _State.ACTIVE
    current.save(update_fields=["state"])
    return current


def _releasable(version: ModelVersion, *, waiting: bool) -> ModelVersion:
    current = ModelVersion.objects.select_for_update().get(id=version.id)
    if current.kind == ModelVersion.Kind.SHADOW:
        raise VersionNotReleasable(
            worded("%(version)s is a shadow model, which is never released.", version=current)
        )
    if current.state not in {_State.CANDIDATE, _State.ACTIVE}:
        raise VersionNotReleasable(
            worded(
                "%(version)s is %(state)s.",
                version=current,
                state=current.get_state_display().lower(),
            )
        )
    made = current.generated_by
    if barred := erased_records_used(made) if waiting else barred_records_used(made):
        raise VersionNotReleasable(
            worded(
                "%(version)s was trained on %(count)s records that are restricted or erased.",
                version=current,
                count=barred,
            )
        )
    gone = [] if made.activity == Run.Activity.UNLEARN else withdrawn_sources(made)
    if gone:
        names = ", ".join(str(version) for version in gone)
        raise VersionNotReleasable(
            worded(
                "%(version)s was made from %(names)s, which is out of use.",
                version=current,
                names=names,
            )
        )
    return current


@transaction.atomic
def withdraw(*, version: ModelVersion, by_case: uuid.UUID | None, now: datetime) -> ModelVersion:
    """Take a version out of use for a case; again, it changes nothing."""
    this = ModelVersion.objects.filter(id=version.id)
    this.filter(state__in=[_State.CANDIDATE, _State.ACTIVE]).update(state=_State.WITHDRAWN)
    this.filter(invalidated_at=None).update(invalidated_at=now, invalidated_by=by_case)
    return ModelVersion.objects.get(id=version.id)


@transaction.atomic
def take_over(
    *, version: ModelVersion, of: ModelVersion, waiting: bool = False, held: bool = False
) -> None:
    """Let a version serve in the place of another one, which is withdrawn from now on.

    What becomes of that one its case will say. ``waiting`` is as in ``release``. A version that
    is ``held`` stays a candidate: then neither is in use.

    Raises:
        VersionNotReleasable: see ``release``; the other one stays in use.
    """
    if held:
        _releasable(version, waiting=waiting)
    else:
        release(version=version, waiting=waiting)
    used = ModelVersion.objects.filter(id=of.id, state__in=[_State.CANDIDATE, _State.ACTIVE])
    used.update(state=_State.WITHDRAWN)


def quarantine(*, version: ModelVersion, now: datetime) -> bool:
    """Take a version out of use since it learned from erased records; False if it was before.

    It stays until a case destroys or replaces it, and is never released nor learned from.
    """
    usable = ModelVersion.objects.filter(
        id=version.id, state__in=[_State.CANDIDATE, _State.ACTIVE, _State.WITHDRAWN]
    )
    return bool(usable.update(state=_State.QUARANTINED, invalidated_at=now))


def destroy_version(
    *, version: ModelVersion, by_case: uuid.UUID | None, now: datetime
) -> list[DestroyedArtefact]:
    """Destroy weights, checkpoints and plots of a version and read back that they are gone.

    Sealed records and reports stay. After a crash, call it again; it returns the whole list.

    Raises:
        ArtefactRemains: a file was not deleted; the version is withdrawn but not destroyed.
    """
    withdraw(version=version, by_case=by_case, now=now)
    learned = list(version.artefacts.exclude(kind__in=_KEPT).order_by("created_at", "id"))
    for artefact in learned:
        destroy_artefact(artefact=artefact, now=now)
    ModelVersion.objects.filter(id=version.id).update(state=_State.DESTROYED)
    return [described(artefact) for artefact in learned]
