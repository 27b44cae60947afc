"""The budget that a version keeps for certified removals, read from its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.certified.head import CertifiedHead
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
from unlearning.execution.loading import load_version, reader_of

if TYPE_CHECKING:
    from lineage.models import ModelVersion
    from unlearning.core.certified.budget import Budget

NONE = "The version has no certified removal."


def budget_of(version: ModelVersion) -> Budget | str:
    """Return what is left for removals, or why there can be none.

    A head whose noise lies in its state, or follows from the seed of its training, certifies
    nothing here: both are stored.

    Raises:
        TargetDestroyed, ArtefactMissing, ArtefactAltered, RecipeChanged: as ``load_version``.
    """
    recipe = reader_of(version)
    if recipe is None or not recipe.noisy:
        return NONE
    with isolated(0, CPU):
        if not isinstance(recipe.build(), CertifiedHead):
            return NONE
    head = load_version(version)
    if not isinstance(head, CertifiedHead) or not head.forgotten:
        return "The noise of the version's training lies in its state, so it hides nothing."
    return head.budget()
