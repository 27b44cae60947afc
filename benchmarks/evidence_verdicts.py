"""How long the arithmetic of a verdict takes, and how soon it says that nothing was unlearned."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import ConcatDataset

from audits.core.contrast import keep, recompute
from audits.core.design import TwinDesign
from audits.core.harness import Deployment
from audits.core.policy import AuditData, EvidencePolicy
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadow_scores import Accuracies, Canaries, ShadowScores
from audits.core.shadows import finish_shadow, stack, train_shadow
from audits.core.verdict import Outcome
from benchmarks.evidence_sets import CANARIES, Nothing, digit_sets
from benchmarks.timing import Taken, timed
from unlearning.core.engine import Path, choose_engine, trial_clock
from unlearning.core.session import CPU, Session
from unlearning.core.stacked import train_stacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audits.core.shadows import ShadowData, ShadowRow
    from audits.core.verdict import Verdict
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe

SINGLE = 4  # trainings by themselves before and after what they are compared with
SMALLEST = 8  # models of each arm at the first look
MULTIPLES = (
    "trainings",
    "trainings_processor",
    "trainings_one_after_the_other",
    "trainings_one_after_the_other_processor",
)
SHIFT = 0.3  # of made-up scores of members, in standard deviations


def arithmetic(models: int, records: int, repeats: int) -> dict[str, Any]:
    """Return the seconds from score matrices to a verdict, attacks and checks included.

    Two matrices (models, records), before and after, of made-up scores; half of the models are
    members, and canaries are planted.
    """
    policy = _policy(models // 2)
    taken = []
    for repeat in range(repeats):
        scores = _made_up(models, records, np.random.default_rng(repeat))
        taken.append(timed(partial(_verdict, scores, policy, repeat)).wall)
    return {
        "models": models,
        "records": records,
        "repeats": repeats,
        "seconds": round(statistics.median(taken), 3),
        "slowest_seconds": round(max(taken), 3),
    }


def fail_on_nothing(recipe: Recipe, retain: int, seeds: int) -> dict[str, Any]:
    """Return how long it takes to see that a procedure does not unlearn, in trainings.

    Everything from the first step of the first shadow model to the verdict at the smallest look,
    in one process of one thread, trained in the way that a trial chooses and, beside it, one after
    the other. One training is that of a shadow model by itself, the median of
    those before and after.
    """
    sets = digit_sets(retain)
    rows = [_one(recipe, sets, seed) for seed in range(seeds)]
    failed = [row for row in rows if row["outcome"] == Outcome.FAIL.value]
    return {
        "models_per_arm": SMALLEST,
        "retained_records": retain,
        "recipe": recipe.describe(),
        "seeds": seeds,
        "failed": len(failed),
        **{name: _median(row[name] for row in failed) for name in MULTIPLES},
        "rows": rows,
    }


def _median(values: Iterable[float]) -> float | None:
    """Return the median; None where nothing failed."""
    given = list(values)
    return round(statistics.median(given), 2) if given else None


def _one(recipe: Recipe, sets: ShadowData, seed: int) -> dict[str, Any]:
    design = TwinDesign(seed=seed, looks=(SMALLEST,), canaries=CANARIES)
    parts = [part_of(number, design, sets) for number in range(design.models)]
    session = Session(seed=seed, clock=trial_clock(CPU))
    engine = choose_engine(recipe, pooled(sets), parts, session)
    outcomes: list[Outcome] = []

    def audited(path: Path) -> Taken:
        return timed(lambda: outcomes.append(_audit(recipe, sets, design, path)))

    def single() -> list[Taken]:
        return [
            timed(partial(_training, number, design, recipe, sets)) for number in range(SINGLE)
        ]

    before = single()
    chosen, by_itself = audited(engine.path), audited(Path.SEQUENTIAL)
    around = [*before, *single()]
    one = Taken(
        wall=statistics.median(each.wall for each in around),
        processor=statistics.median(each.processor for each in around),
    )
    return {
        "path": engine.path.value,
        "outcome": outcomes[0].value,
        "outcome_one_after_the_other": outcomes[1].value,
        "seconds": round(chosen.wall, 3),
        "one_training_seconds": round(one.wall, 3),
        "trainings": chosen.wall / one.wall,
        "trainings_processor": chosen.processor / one.processor,
        "trainings_one_after_the_other": by_itself.wall / one.wall,
        "trainings_one_after_the_other_processor": by_itself.processor / one.processor,
    }


def _training(number: int, design: TwinDesign, recipe: Recipe, sets: ShadowData) -> None:
    chosen = sets.forget if design.member[number] else sets.twins
    learned: Examples = ConcatDataset([sets.retain, chosen])
    Nothing(recipe=recipe).train(learned, design.model_seed(number, "train"))


def _audit(recipe: Recipe, sets: ShadowData, design: TwinDesign, path: Path) -> Outcome:
    """Train the shadow models of a procedure that does nothing; return the verdict on it."""
    scores = stack(_rows(recipe, sets, design, path))
    return _verdict(scores, _policy(SMALLEST), design.seed).outcome


def _rows(recipe: Recipe, sets: ShadowData, design: TwinDesign, path: Path) -> list[ShadowRow]:
    procedure, numbers = Nothing(recipe=recipe), range(design.models)
    if path is Path.SEQUENTIAL:
        return [train_shadow(number, design, procedure, sets) for number in numbers]
    parts = [part_of(number, design, sets) for number in numbers]
    models = train_stacked(recipe, pooled(sets), parts, Session(seed=design.seed))
    return [
        finish_shadow(number, model, design, procedure, sets)
        for number, model in zip(numbers, models, strict=True)
    ]


def _verdict(scores: ShadowScores, policy: EvidencePolicy, seed: int) -> Verdict:
    index = np.random.default_rng(seed).permutation(scores.before.shape[1])
    return recompute(keep(scores, seed=seed, index=index, deployment=Deployment()), policy)


def _policy(per_arm: int) -> EvidencePolicy:
    return EvidencePolicy(
        looks=(per_arm,), max_trainings=2 * per_arm, audit_data=AuditData.OWN_RECORDS
    )


def _made_up(models: int, records: int, rng: np.random.Generator) -> ShadowScores:
    member = np.arange(models) % 2 == 0
    planted = np.array([rng.permutation(models) < models // 2 for _ in range(CANARIES)]).T
    accuracy = rng.normal(0.95, 0.005, models)
    return ShadowScores(
        before=rng.normal(size=(models, records)) + SHIFT * member[:, None],
        after=rng.normal(size=(models, records)),
        member=member,
        canaries=Canaries(
            scores=rng.normal(size=(models, CANARIES)) + 5 * planted, member=planted
        ),
        accuracies=Accuracies(
            retained_before=accuracy,
            retained_after=accuracy,
            test_before=accuracy,
            test_after=accuracy,
        ),
    )
