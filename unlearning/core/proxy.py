"""A proxy problem: examples cut into sets, an original model, and its retrained twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.model_selection import train_test_split
from torch.utils.data import ConcatDataset, Subset

from unlearning.core.comparison import Sets, accuracies
from unlearning.core.examples import Held, count
from unlearning.core.indiscernibility import indiscernibility
from unlearning.core.problem import Problem, attacked
from unlearning.core.seeding import derive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.session import Session

TEST, JUDGED, CALIBRATION = 0.15, 0.15, 0.05  # of what is left each time


def proxy_problem(
    recipe: Recipe, examples: Examples, forget: Sequence[int], session: Session
) -> Problem:
    """Cut what is not forgotten into the sets of a proxy problem, and train its two models.

    What judges is never trained on. Both models begin with the same weights. The method, and the
    attack that judges it, get a seed of their own: else a method that renews weights would draw
    those that the retrained model began with.

    Args:
        recipe: how the models are trained.
        examples: all records of the search.
        forget: the places of those to forget.
        session: of the two trainings; its seed also decides the cut.

    Raises:
        Cancelled: the session says so.
    """
    seed, apart = session.seed, derive(session.seed, "unlearning") % 2**31
    gone = set(forget)
    rest, test = _cut([at for at in range(count(examples)) if at not in gone], TEST, seed)
    rest, judged = _cut(rest, JUDGED, seed)
    retain, calibration = _cut(rest, CALIBRATION, seed)
    parts = [Held(Subset(examples, part)) for part in (retain, sorted(gone), judged, test)]
    sets = Sets(retain=parts[0], forget=parts[1], validation=parts[2], test=parts[3])
    original = recipe.train(ConcatDataset([sets.retain, sets.forget]), session)
    retrained = recipe.train(sets.retain, session)
    return Problem(
        recipe=recipe,
        original=original,
        sets=sets,
        retrained=accuracies(recipe, retrained, sets),
        chance=indiscernibility(attacked(recipe, retrained, sets, apart)),
        calibration=Held(Subset(examples, calibration)),
        seed=apart,
    )


def _cut(indices: list[int], share: float, seed: int) -> tuple[list[int], list[int]]:
    kept, cut = train_test_split(indices, test_size=share, random_state=seed)
    return kept, cut
