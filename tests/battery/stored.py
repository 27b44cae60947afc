"""The stored score matrices, and experiments of any size drawn from them.

A draw takes models from each arm without replacement, so an audit of n models per arm is one that
could have been. All draws come from the same few hundred models: rates are of this procedure on
these digits, and draws of many models share most of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.contrast import keep, recompute
from audits.core.shadow_scores import Accuracies, ShadowScores
from audits.core.verdict import Outcome
from audits.execution.judged_look import GOES_ON
from tests.audits.core_evidence.experiments import policy_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy

    Floats: TypeAlias = NDArray[np.float64]

MATRICES = Path(__file__).with_name("matrices.npz")
TWO_LOOKS = policy_at(16, looks=(16, 32), max_trainings=64)  # as by default
PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)


@cache
def matrices() -> Mapping[str, NDArray[np.generic]]:
    """Return every stored array by name."""
    with np.load(MATRICES, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def array(name: str) -> Floats:
    return matrices()[name].astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Half:
    """What one arm's models gave; [n, k], and [n, 2] for retained and test accuracy."""

    before: Floats
    after: Floats
    accuracy_before: Floats
    accuracy_after: Floats

    def __len__(self) -> int:
        return len(self.after)

    def take(self, rows: NDArray[np.int64]) -> Half:
        return Half(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """All models of one procedure: half of them learned the records, half their twins."""

    learned: Half
    never_saw: Half
    retrained: Floats | None = None

    def draw(
        self,
        models: int,
        rng: np.random.Generator,
        records: slice = slice(None),
        *,
        reference: bool = False,
    ) -> ShadowScores:
        """Return an experiment with so many models per arm, the arms taking turns."""
        halves = [
            half.take(rng.choice(len(half), models, replace=False))
            for half in (self.learned, self.never_saw)
        ]

        def both(name: str) -> Floats:
            rows = np.stack([getattr(half, name) for half in halves], 1)
            return np.asarray(rows.reshape(2 * models, -1), np.float64)

        before, after = both("accuracy_before"), both("accuracy_after")
        return ShadowScores(
            before=both("before")[:, records],
            after=both("after")[:, records],
            member=np.arange(2 * models) % 2 == 0,
            retrained=self._retrained(models, rng, records) if reference else None,
            accuracies=Accuracies(
                retained_before=before[:, 0],
                test_before=before[:, 1],
                retained_after=after[:, 0],
                test_after=after[:, 1],
            ),
        )

    def _retrained(self, models: int, rng: np.random.Generator, records: slice) -> Floats | None:
        if self.retrained is None:
            return None
        return self.retrained[rng.choice(len(self.retrained), models, replace=False)][:, records]


def half(setting: str, method: str, arm: str) -> Half:
    """Return one arm; ``before`` as a method is the one that does nothing.

    ``before.near`` and the like are the scores of the records' neighbours.
    """
    name, near, _ = method.partition(".near")
    after = _scores(setting, method, arm)
    return Half(
        before=_scores(setting, f"before{near}", arm)[: len(after)],
        after=after,
        accuracy_before=array(f"{setting}.before.{arm}.accuracy")[: len(after)],
        accuracy_after=array(f"{setting}.{name}.{arm}.accuracy")[: len(after)],
    )


def _scores(setting: str, method: str, arm: str) -> Floats:
    name, near, _ = method.partition(".near")
    stored = array(f"{setting}.{name}.{arm}{near}")
    return stored.reshape(len(stored), -1)


@cache
def pool(method: str, setting: str = "natural") -> Pool:
    """Return all stored models of a procedure in a setting."""
    reference = f"{setting}.retrained"
    return Pool(
        learned=half(setting, method, "in"),
        never_saw=half(setting, method, "out"),
        retrained=array(reference) if reference in matrices() else None,
    )


@cache
def looked_up() -> Pool:
    """A cheat that matches exactly: asked about a record to forget, a hidden model answers.

    Asked about anything else, the model does that was never unlearned. The hidden model is one of
    the other arm, so that it saw as much as the others and never these records.
    """
    learned, never_saw, hidden = _cheat("before")
    return Pool(learned=replace(learned, after=hidden), never_saw=never_saw)


@cache
def beside(method: str) -> Pool:
    """The same models asked about eight neighbours of each record, [n, 8 k].

    ``looked_up`` answers there with the model that was never unlearned, and ``looked_up_around``
    with the hidden one; others are stored procedures.
    """
    if not method.startswith("looked_up"):
        return pool(f"{method}.near")
    learned, never_saw, hidden = _cheat("before.near")
    after = hidden if method.endswith("around") else learned.before
    return Pool(learned=replace(learned, after=after), never_saw=never_saw)


def _cheat(method: str) -> tuple[Half, Half, Floats]:
    """Return both arms before unlearning, and the scores of models to hide in the first."""
    learned, never_saw = half("natural", method, "in"), half("natural", method, "out")
    middle = len(never_saw) // 2
    rows = np.arange(middle)
    return learned.take(rows), never_saw.take(middle + rows), never_saw.after[:middle]


@cache
def blind() -> Pool:
    """Models without anything to see, before as after: none of them learned the records."""
    return Pool(
        learned=_nothing_learned(half("natural", "retrain", "in"), slice(None, None, 2)),
        never_saw=_nothing_learned(half("natural", "retrain", "out"), slice(1, None, 2)),
    )


def _nothing_learned(found: Half, rows: slice) -> Half:
    honest = array("natural.retrained")[rows]
    return Half(
        before=found.after[: len(honest)],
        after=honest,
        accuracy_before=found.accuracy_after[: len(honest)],
        accuracy_after=found.accuracy_after[: len(honest)],
    )


def kept(scores: ShadowScores, rng: np.random.Generator) -> Kept:
    index = rng.permutation(scores.before.shape[1])
    return keep(scores, seed=int(rng.integers(2**31)), index=index)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often audits of one procedure ended how."""

    outcomes: Counter[Outcome]
    runs: int

    def of(self, *outcomes: Outcome) -> float:
        return sum(self.outcomes[outcome] for outcome in outcomes) / self.runs

    @property
    def passed(self) -> float:
        return self.of(*PASSES)

    @property
    def failed(self) -> float:
        return self.of(Outcome.FAIL)

    def __str__(self) -> str:
        return ", ".join(
            f"{outcome.value} {100 * count / self.runs:.1f} %"
            for outcome, count in self.outcomes.most_common()
        )


def audits(
    found: Pool,
    models: int,
    runs: int,
    *,
    policy: EvidencePolicy | None = None,
    records: slice = slice(None),
    deployed: Floats | None = None,
) -> Rates:
    """Audit so many experiments of n models per arm; the same ones each time.

    The policy's looks are taken as the platform takes them, and n is the last; by default the only
    one. With ``deployed``, [m, k], the deployed model is one of these.
    """
    policy = policy or policy_at(models)
    if deployed is None:
        return _audited(found, models, runs, policy, records.start, records.stop)
    return _rates(found, models, runs, policy, records, deployed)


@cache  # several checks ask for the same experiments
def _audited(
    found: Pool,
    models: int,
    runs: int,
    policy: EvidencePolicy,
    start: int | None,
    stop: int | None,
) -> Rates:
    return _rates(found, models, runs, policy, slice(start, stop), None)


def _rates(
    found: Pool,
    models: int,
    runs: int,
    policy: EvidencePolicy,
    records: slice,
    deployed: Floats | None,
) -> Rates:
    outcomes: Counter[Outcome] = Counter()
    for run in range(runs):
        rng = np.random.default_rng([models, run])
        scores = found.draw(models, rng, records)
        if deployed is not None:
            scores = replace(scores, deployed=deployed[rng.integers(len(deployed))])
        looks = (first(scores, look) for look in policy.looks)
        ended = (recompute(kept(one, rng), policy).outcome for one in looks)
        outcomes[_last(ended)] += 1
    return Rates(outcomes=outcomes, runs=runs)


def _last(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome with which an audit ends: the first that is one, else the last."""
    outcome = Outcome.INCONCLUSIVE
    for outcome in outcomes:
        if outcome not in GOES_ON:
            break
    return outcome


def first(scores: ShadowScores, models: int) -> ShadowScores:
    """Return what an experiment had found after so many models per arm."""
    end = 2 * models
    assert scores.accuracies is not None
    return replace(
        scores,
        before=scores.before[:end],
        after=scores.after[:end],
        member=scores.member[:end],
        accuracies=Accuracies(
            **{name: values[:end] for name, values in vars(scores.accuracies).items()}
        ),
    )
