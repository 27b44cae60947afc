"""What trainings promised, and which versions a case left alone because of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pyroaring import BitMap

from unlearning.models import TrainingPrivacy, UnlearningRun

if TYPE_CHECKING:
    from uuid import UUID

    from lineage.models import ModelVersion, OrdinalSpace

NO_ACTION = "no_action"


def privacy_of(version: ModelVersion) -> TrainingPrivacy | None:
    """Return what the training of a version promised; None where it promised nothing."""
    return TrainingPrivacy.objects.filter(version=version).first()


def left_alone(space: OrdinalSpace) -> dict[UUID, BitMap]:
    """Return by version which ordinals it still owes something to, as a policy accepted."""
    accepted = UnlearningRun.objects.filter(
        method=NO_ACTION, status=UnlearningRun.Status.CLEARED, space=space, escalated_to=None
    )
    found: dict[UUID, BitMap] = defaultdict(BitMap)
    for target, forget in accepted.values_list("target_id", "forget_bitmap"):
        found[target] |= BitMap.deserialize(bytes(forget))
    return found
