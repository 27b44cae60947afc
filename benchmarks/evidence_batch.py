"""What evidence for a second request of a batch costs beside that for the first alone."""

from __future__ import annotations

import gc
import statistics
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from torch.utils.data import Subset

from audits.core.design import TwinDesign
from audits.core.policy import SMALLEST_LOOK
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadows import finish_shadow
from audits.execution.histograms import histogram_svg
from audits.execution.look_plot import look_curves, look_plot
from benchmarks.evidence_judging import judge
from benchmarks.evidence_sets import CANARIES, ERASED, batch_sets
from benchmarks.timing import Taken, made_in
from unlearning.core.context import Context
from unlearning.core.engine import Path, choose_engine, trial_clock
from unlearning.core.session import CPU, Session
from unlearning.core.stacked import train_stacked
from unlearning.methods.neggrad_plus import NegGradPlus
from unlearning.recipes.digits import DigitsMLP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import nn

    from audits.core.shadows import ShadowData
    from benchmarks.evidence_judging import Judged
    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe

PEOPLE = 2
SMALL = 64  # retained records where nothing is timed
PHASES = ("training", "unlearning", "scoring", "judging", "pictures")
AFTER = ("scoring", "judging", "pictures")  # what each who asks adds to a pool of models
CLOCKS = ("wall", "processor")


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """A recipe and a method, and how long each unlearning took."""

    recipe: Recipe
    method: Method
    unlearnings: list[Taken] = field(default_factory=list)

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return the trained model."""
        return self.recipe.train(examples, Session(seed=seed))

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return the unlearned model."""
        context = Context(recipe=self.recipe, seed=seed)
        unlearned, taken = made_in(lambda: self.method.unlearn(model, retain, forget, context))
        self.unlearnings.append(taken)
        return unlearned


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What evidence for some requests from one pool of shadow models took, phase by phase."""

    training: Taken
    unlearning: Taken
    scoring: Taken
    judging: Taken
    pictures: Taken
    models: int
    outcomes: tuple[str, ...]

    def seconds(self, clock: str) -> float:
        """Return all phases together."""
        return float(sum(getattr(getattr(self, phase), clock) for phase in PHASES))

    def share(self, *phases: str) -> float:
        """Return the part of the processor's seconds that some phases took."""
        taken = sum(getattr(self, phase).processor for phase in phases)
        return float(taken / self.seconds("processor"))


def second_request(recipe: Recipe, retain: int, per_arm: int, repeats: int) -> dict[str, Any]:
    """Gather evidence for one request and, next, for two from one pool of as many models.

    Two people are in the same data set; either the first asks or both do. Models are trained in
    the way that a trial chooses, unlearned, scored and judged, with the pictures of the evidence,
    in one process of one thread. Which of the two comes first alternates. The fraction is the
    median over pairs of what the second request adds, over what the first takes alone. Python
    does not look through what other parts of the process hold for garbage meanwhile: that takes
    as long as a verdict, and would hit the one or the other.
    """
    way = _way(recipe, retain, per_arm)
    _warm()
    gc.collect()
    gc.freeze()
    try:
        pairs = _pairs(partial(_gathered, recipe, retain, per_arm, way), repeats)
    finally:
        gc.unfreeze()
    return {
        "models": 2 * per_arm,
        "retained_records": retain,
        "records_of_a_person": ERASED,
        "recipe": recipe.describe(),
        "method": NegGradPlus.__name__,
        "hyperparameters": asdict(NegGradPlus()),
        "path": way.value,
        "repeats": repeats,
        **{f"fraction{_of(clock)}": _fraction(pairs, clock) for clock in CLOCKS},
        "fraction_after_unlearning": _median(_after(one, two) for one, two in pairs),
        "fractions": [round(_added(one, two, "wall"), 3) for one, two in pairs],
        "one": _told([one for one, _ in pairs]),
        "two": _told([two for _, two in pairs]),
    }


def _pairs(
    gather: Callable[[int, int], Evidence], repeats: int
) -> list[tuple[Evidence, Evidence]]:
    pairs = []
    for seed in range(repeats):
        order = (1, PEOPLE) if seed % 2 == 0 else (PEOPLE, 1)
        found = {asking: gather(asking, seed) for asking in order}
        pairs.append((found[1], found[PEOPLE]))
    return pairs


def _warm() -> None:
    """Do once what takes longer the first time in a process, such as looking for fonts."""
    _gathered(DigitsMLP(epochs=1), SMALL, SMALLEST_LOOK, Path.SEQUENTIAL, 1, 0)


def _of(clock: str) -> str:
    return "" if clock == "wall" else f"_{clock}"


def _added(one: Evidence, two: Evidence, clock: str) -> float:
    return (two.seconds(clock) - one.seconds(clock)) / one.seconds(clock)


def _after(one: Evidence, two: Evidence) -> float:
    """Return what the second adds once models are unlearned, by the processor."""
    alone = one.seconds("processor")
    return two.share(*AFTER) * two.seconds("processor") / alone - one.share(*AFTER)


def _fraction(pairs: Sequence[tuple[Evidence, Evidence]], clock: str) -> float:
    return _median(_added(one, two, clock) for one, two in pairs)


def _told(found: Sequence[Evidence]) -> dict[str, Any]:
    """Return medians of the seconds, and of the share that each phase has of the processor's."""
    return {
        "seconds": _median((one.seconds("wall") for one in found), 3),
        "processor_seconds": _median((one.seconds("processor") for one in found), 3),
        "shares": {phase: _median(one.share(phase) for one in found) for phase in PHASES},
        "judging_and_scoring_share": _median(one.share(*AFTER) for one in found),
        "models": found[0].models,
        "outcomes": [list(one.outcomes) for one in found],
    }


def _median(values: Iterable[float], digits: int = 4) -> float:
    return round(statistics.median(values), digits)


def _design(per_arm: int, asking: int, seed: int) -> TwinDesign:
    return TwinDesign(seed=seed, looks=(per_arm,), canaries=CANARIES, subjects=asking)


def _way(recipe: Recipe, retain: int, per_arm: int) -> Path:
    """Return how an audit of both would train its models."""
    design, sets = _design(per_arm, PEOPLE, 0), batch_sets(retain, PEOPLE, PEOPLE, 0)
    parts = [part_of(number, design, sets) for number in range(design.models)]
    session = Session(seed=0, clock=trial_clock(CPU))
    return choose_engine(recipe, pooled(sets), parts, session).path


def _gathered(
    recipe: Recipe, retain: int, per_arm: int, way: Path, asking: int, seed: int
) -> Evidence:
    """Return how long evidence takes for so many people who ask."""
    design, sets = _design(per_arm, asking, seed), batch_sets(retain, PEOPLE, asking, seed)
    procedure = Procedure(recipe=recipe, method=NegGradPlus())
    models, training = made_in(lambda: _trained(recipe, design, sets, way))
    rows, finishing = made_in(
        lambda: [
            finish_shadow(number, model, design, procedure, sets)
            for number, model in enumerate(models)
        ]
    )
    unlearning = sum(procedure.unlearnings, Taken(wall=0.0, processor=0.0))
    judged, judging = made_in(
        lambda: [judge(rows, design, sets, person) for person in range(asking)]
    )
    _, pictures = made_in(lambda: [_draw(one, design.seed) for one in judged])
    return Evidence(
        training=training,
        unlearning=unlearning,
        scoring=finishing - unlearning,
        judging=judging,
        pictures=pictures,
        models=len(rows),
        outcomes=tuple(one.outcome.value for one in judged),
    )


def _trained(
    recipe: Recipe, design: TwinDesign, sets: ShadowData, way: Path
) -> Sequence[nn.Module]:
    pool = pooled(sets)
    parts = [part_of(number, design, sets) for number in range(design.models)]
    if way is Path.STACKED:
        return train_stacked(recipe, pool, parts, Session(seed=design.seed))
    return [recipe.train(Subset(pool, part.records), Session(seed=part.seed)) for part in parts]


def _draw(judged: Judged, seed: int) -> tuple[bytes, bytes]:
    return look_plot(look_curves(judged.scores, seed=seed)), histogram_svg(judged.kept)
