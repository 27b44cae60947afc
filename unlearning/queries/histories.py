"""What was kept of trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import OrdinalSpace
from lineage.queries.availability import purged_ordinals
from unlearning.models import HistoryFile, TrainingHistory

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import Artefact, ModelVersion


def account_of(version: ModelVersion) -> bytes:
    """Return the account of the training of a version; empty if none was kept."""
    found = TrainingHistory.objects.filter(version=version).values_list("account", flat=True)
    return bytes(next(iter(found), b""))


def account_named(name: str) -> bytes:
    """Return the account of a training by its name; empty if there is none yet."""
    found = TrainingHistory.objects.filter(name=name).values_list("account", flat=True)
    return bytes(next(iter(found), b""))


def file_named(key: str) -> Artefact | None:
    """Return the living artefact under a key of an account."""
    found = HistoryFile.objects.select_related("artefact").filter(
        key=key, artefact__destroyed_at=None
    )
    return next((each.artefact for each in found), None)


def keys(prefix: str) -> list[str]:
    """Return the keys that begin like this, sorted."""
    found = HistoryFile.objects.filter(key__startswith=prefix, artefact__destroyed_at=None)
    return sorted(found.values_list("key", flat=True))


def erased_in_unfinished() -> dict[OrdinalSpace, BitMap]:
    """Return the erased ordinals of the spaces of trainings that gave no version yet."""
    unfinished = TrainingHistory.objects.filter(version=None).values("space")
    spaces = OrdinalSpace.objects.filter(id__in=unfinished)
    return {space: purged_ordinals(space) for space in spaces}
