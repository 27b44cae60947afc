"""One shadow model of a twin-split experiment: train it, score it, unlearn, score it again.

A shadow model is a copy of the person's data. Nothing here stores one: only scores leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from torch.utils.data import ConcatDataset, Subset

from audits.core.design import derived_seed
from audits.core.exposure import exposure
from audits.core.scores import scores_of
from audits.core.shadow_scores import Accuracies, Canaries, ShadowScores
from unlearning.core.examples import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from audits.core.design import TwinDesign
    from unlearning.core.examples import Examples

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

RETAINED_SAMPLE = 1000


class ShadowCancelled(Exception):
    """The experiment was called off between two steps."""


class ShadowDataRefused(ValueError):
    """The sets of an experiment do not fit its design."""


class ShadowRowsRefused(ValueError):
    """The rows do not make up the looks of a design."""


class Procedure(Protocol):
    """The audited procedure: the target's own recipe, and the unlearning that is judged."""

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return a model trained from scratch on the examples."""

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return an unlearned model; the argument may be modified."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowData:
    """The sets of an experiment: canaries are mislabelled, twins stand in for the forget set."""

    retain: Examples
    forget: Examples
    twins: Examples
    canaries: Examples
    test: Examples
    retained_sample: int = RETAINED_SAMPLE

    def __post_init__(self) -> None:
        """Check that both arms train on equally many examples.

        Raises:
            ShadowDataRefused: the forget set and the twins differ in size.
        """
        if count(self.forget) != count(self.twins):
            raise ShadowDataRefused(
                f"There are {count(self.forget)} records to forget and {count(self.twins)} twins; "
                f"each record needs one."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowRow:
    """What one shadow model leaves: k and c scores, and accuracies on two sets.

    ``exposure_before`` and ``exposure_after`` say how far retained records stand out from test
    records; None where there are too few.
    """

    model: int
    member: bool
    before: Floats
    after: Floats
    canary_scores: Floats
    canary_member: Flags
    retained_before: float
    retained_after: float
    test_before: float
    test_after: float
    exposure_before: float | None = None
    exposure_after: float | None = None


def train_shadow(
    model: int,
    design: TwinDesign,
    procedure: Procedure,
    data: ShadowData,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> ShadowRow:
    """Train, score, unlearn and score shadow model number ``model`` of the design.

    A pure function of its arguments as far as the procedure is one. The canaries that a model
    learned stay in its retain set, since nobody asks to forget them.

    Args:
        model: from 0 to ``design.models - 1``.
        design: who learns what, with which seeds.
        procedure: how models are trained and unlearned.
        data: the sets.
        cancelled: asked before each training, and before the scores are handed out.

    Raises:
        ShadowCancelled: ``cancelled`` said so.
        ShadowDataRefused: there are not as many canaries as the design has.
    """
    retain, chosen = _learned(model, design, data)
    _stop(cancelled)
    trained = procedure.train(ConcatDataset([retain, chosen]), design.model_seed(model, "train"))
    return finish_shadow(model, trained, design, procedure, data, cancelled=cancelled)


def finish_shadow(
    model: int,
    trained: nn.Module,
    design: TwinDesign,
    procedure: Procedure,
    data: ShadowData,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> ShadowRow:
    """Score, unlearn and score again a shadow model that was trained, which is used up by it.

    ``trained`` has learned what ``train_shadow`` would have trained it on. Raises as that one.
    """
    retain, chosen = _learned(model, design, data)
    before, canary_scores = _phi(trained, data.forget), _phi(trained, data.canaries)
    accuracies = _accuracies(trained, design, data)
    _stop(cancelled)
    unlearned = procedure.unlearn(trained, retain, chosen, design.model_seed(model, "unlearn"))
    _stop(cancelled)
    retained_after, test_after, exposed_after = _accuracies(unlearned, design, data)
    return ShadowRow(
        model=model,
        member=bool(design.member[model]),
        before=before,
        after=_phi(unlearned, data.forget),
        canary_scores=canary_scores,
        canary_member=design.canary_member[model],
        retained_before=accuracies[0],
        retained_after=retained_after,
        test_before=accuracies[1],
        test_after=test_after,
        exposure_before=accuracies[2],
        exposure_after=exposed_after,
    )


def train_retrained(
    model: int, design: TwinDesign, procedure: Procedure, data: ShadowData
) -> Floats:
    """Return the scores of a model trained with neither forget set nor twins, shape [k].

    For the contrast with honest retraining; canaries are learned as by shadow model ``model``.

    Raises:
        ShadowDataRefused: there are not as many canaries as the design has.
    """
    retain = _retain(model, design, data)
    return _phi(procedure.train(retain, design.model_seed(model, "retrain")), data.forget)


def stack(
    rows: Sequence[ShadowRow],
    *,
    retrained: Floats | None = None,
    deployed: Floats | None = None,
) -> ShadowScores:
    """Return the score matrices of an experiment, in the order of the models.

    Raises:
        ShadowRowsRefused: a model is missing or appears twice.
    """
    ordered = sorted(rows, key=lambda row: row.model)
    if not rows or [row.model for row in ordered] != list(range(len(rows))):
        raise ShadowRowsRefused(f"Expected models 0 to {len(rows) - 1}, each once.")
    canaries = Canaries(
        scores=np.stack([row.canary_scores for row in ordered]),
        member=np.stack([row.canary_member for row in ordered]),
    )
    accuracies = Accuracies(
        **{
            name: np.array([getattr(row, name) for row in ordered])
            for name in ("retained_before", "retained_after", "test_before", "test_after")
        }
    )
    return ShadowScores(
        before=np.stack([row.before for row in ordered]),
        after=np.stack([row.after for row in ordered]),
        member=np.array([row.member for row in ordered]),
        retrained=retrained,
        canaries=canaries if canaries.scores.size else None,
        accuracies=accuracies,
        deployed=deployed,
    )


def _learned(model: int, design: TwinDesign, data: ShadowData) -> tuple[Examples, Examples]:
    """Return what one model learns: what it retains, and what it is to forget."""
    return _retain(model, design, data), data.forget if design.member[model] else data.twins


def _retain(model: int, design: TwinDesign, data: ShadowData) -> Examples:
    """Return the retain set of one model: everybody's, and the canaries that it learns."""
    if count(data.canaries) != design.canaries:
        raise ShadowDataRefused(
            f"The design plants {design.canaries} canaries; there are {count(data.canaries)}."
        )
    planted: Examples = Subset(data.canaries, np.flatnonzero(design.canary_member[model]).tolist())
    retain: Examples = ConcatDataset([data.retain, planted])
    return retain


def _stop(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise ShadowCancelled("The shadow experiment was cancelled.")


def _phi(model: nn.Module, examples: Examples) -> Floats:
    if not count(examples):
        return np.empty(0, np.float64)
    return scores_of(model, examples)[0]


def _accuracies(
    model: nn.Module, design: TwinDesign, data: ShadowData
) -> tuple[float, float, float | None]:
    """Return the accuracy on a sample of the retain set and on the test set, and the exposure."""
    rng = np.random.default_rng(derived_seed(design.seed, "retained sample"))
    sample = rng.permutation(count(data.retain))[: data.retained_sample]
    margins, right = scores_of(model, Subset(data.retain, sample.tolist()))
    of_test, right_of_test = scores_of(model, data.test)
    return float(right.mean()), float(right_of_test.mean()), exposure(margins, of_test)
