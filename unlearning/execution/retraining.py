"""Train a version again from scratch, so that the next case can go back in it as in the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unlearning.core.sharding.coverage import ClassesMissing
from unlearning.core.sharding.placement import EmptyShard, TooEntangled
from unlearning.core.stored import StoredExamples
from unlearning.execution.training import trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from lineage.models import Job
    from lineage.queries.training_view import TrainingView
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.session import Session

# No shard and no class is named: that would say something of who was in it.
DEALT = (
    "Those who are left cannot be placed in so many shards by person ({why}), so their records "
    "were dealt at random, and nothing was kept to rebuild a shard from."
)


def retraining(
    job: Job, recipe: Recipe, view: TrainingView, said: dict[str, Any], beside: Examples
) -> Callable[[Session], nn.Module]:
    """Return what trains by a recipe on what is retained, as the version itself was trained.

    People are placed in shards by the key of the installation and the training is recorded. Where
    too few are left for the shards, records are dealt to them at random instead, and ``said`` is
    told why. The canaries ``beside`` them are learned again, too.
    """

    def train(session: Session) -> nn.Module:
        try:
            return trained(job, recipe, session, view, beside)
        except (ClassesMissing, EmptyShard, TooEntangled) as reason:
            said["retrain"] = {"dealt": DEALT.format(why=type(reason).__name__)}
            return recipe.train(StoredExamples(recipe, view), session)

    return train
