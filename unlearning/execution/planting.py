"""Canaries in a training and in an unlearning: planted, set aside, handed on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from torch.utils.data import ConcatDataset

from unlearning.core.canaries import CanarySet, CannotPlant, Units, why_not
from unlearning.core.claims import Granularity
from unlearning.core.examples import NOTHING, count
from unlearning.core.stored import StoredExamples
from unlearning.queries.canaries import canaries_of, seed_of, spent_by
from unlearning.services import canaries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.models import Job
    from lineage.queries.training_view import TrainingView
    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe
    from unlearning.models import Canaries, UnlearningRun


class OtherCanaries(RuntimeError):
    """The stored secret does not give the canaries that were planted."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The canaries of a version, as one of its runs treats them."""

    retain: Examples = NOTHING
    forget: Examples = NOTHING

    def told(self) -> dict[str, Any]:
        """Return what the report on the run says of them."""
        numbers = {"erased": count(self.forget), "kept": count(self.retain)}
        return {"canaries": numbers} if any(numbers.values()) else {}


def planted(job: Job, recipe: Recipe, view: TrainingView) -> Examples:
    """Return the canaries that a training learns beside its records; the same for every try.

    What the job asks for is planted or refused. What only ``EXPUNGE_CANARIES`` asks for is
    planted where it can be, and the evidence on the version says why it was not.

    Raises:
        CannotPlant: the job asks for canaries, and the training can have none.
    """
    wanted: Mapping[str, Any] = job.parameters
    number = wanted.get("canaries")
    asked = settings.EXPUNGE_CANARIES if number is None else number
    if not asked:
        return NOTHING
    try:
        row = _begun(job, recipe, view, asked)
    except CannotPlant:
        if number is None:
            return NOTHING
        raise
    return drawn_again(row, recipe).learned(0, row.number)


def _begun(job: Job, recipe: Recipe, view: TrainingView, number: int) -> Canaries:
    if reason := why_not(recipe, base=bool(job.parameters.get("base"))):
        raise CannotPlant(reason)

    def draw(seed: int) -> tuple[dict[str, Any], str]:
        units = Units.around(StoredExamples(recipe, view))
        found = CanarySet(seed=seed, number=number, classes=len(recipe.targets), units=units)
        return asdict(units), found.digest()

    return canaries.begin(job=job, number=number, draw=draw)


def drawn_again(row: Canaries, recipe: Recipe) -> CanarySet:
    """Return the canaries of a planting.

    Raises:
        KeyDestroyed, KeyMissing: their secret is not stored any more.
        OtherCanaries: these are not the ones that were planted.
    """
    found = CanarySet(
        seed=seed_of(row.planting),
        number=row.number,
        classes=len(recipe.targets),
        units=Units(**{name: tuple(value) for name, value in row.units.items()}),
    )
    if found.digest() != row.digest:
        raise OtherCanaries(
            f"The secret of planting {row.planting} gives other canaries than were planted: the "
            f"key store is another one, or the library that draws them is."
        )
    return found


def shares_of(run: UnlearningRun, recipe: Recipe, method: Method) -> Shares:
    """Return the canaries that a run keeps and those that it erases with its forget set.

    Those spent before belong to neither. A method for whole classes gets none at all: canaries
    are of all classes.
    """
    row = canaries_of(run.target)
    if row is None or method.granularity is Granularity.CLASS:
        return Shares()
    spent = canaries.spend(run=run, row=row)
    if spent is None:
        return Shares()
    drawn = drawn_again(row, recipe)
    return Shares(
        retain=drawn.learned(spent.last, row.number), forget=drawn.learned(spent.first, spent.last)
    )


def retained_canaries(run: UnlearningRun, recipe: Recipe) -> Examples:
    """Return the canaries that the result of a run was left with."""
    row, spent = canaries_of(run.target), spent_by(run)
    if row is None or spent is None:
        return NOTHING
    return drawn_again(row, recipe).learned(spent.last, row.number)


def joined(records: Examples, more: Examples) -> Examples:
    """Return records and canaries as one set, the records first."""
    if not count(more):
        return records
    whole: Examples = ConcatDataset([records, more])
    return whole
