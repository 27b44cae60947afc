"""One shadow model of a twin-split experiment: train it, score it, unlearn, score it again.

A shadow model is a copy of the person's data. Nothing here stores one: only scores leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from torch.utils.data import ConcatDataset, Subset

from audits.core.design import derived_seed
from audits.core.exposure import exposure
from audits.core.scores import scores_of
from audits.core.shadow_rows import ShadowRow
from unlearning.core.examples import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from audits.core.design import TwinDesign
    from unlearning.core.examples import Examples

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

RETAINED_SAMPLE = 1000
STRANGERS = 200


class ShadowCancelled(Exception):
    """The experiment was called off between two steps."""


class ShadowDataRefused(ValueError):
    """The sets of an experiment do not fit its design."""


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
    """The sets of an experiment: canaries are mislabelled, twins stand in for the forget set.

    Attributes:
        copies: q altered copies of each record of the forget set, those of a record together.
        copied: the places of the records that have copies, ascending; empty where all have.
        subjects: the subject of each record of the forget set; empty where all are of one.
    """

    retain: Examples
    forget: Examples
    twins: Examples
    canaries: Examples
    test: Examples
    copies: Examples | None = None
    copied: tuple[int, ...] = ()
    subjects: tuple[int, ...] = ()
    retained_sample: int = RETAINED_SAMPLE

    def __post_init__(self) -> None:
        """Check that both arms train on equally many examples.

        Raises:
            ShadowDataRefused: the sizes of the forget set and of what belongs to it differ.
        """
        if len(self.subjects) not in {0, count(self.forget)}:
            raise ShadowDataRefused(
                f"There are {count(self.forget)} records to forget, and subjects of "
                f"{len(self.subjects)}."
            )
        if count(self.forget) != count(self.twins):
            raise ShadowDataRefused(
                f"There are {count(self.forget)} records to forget and {count(self.twins)} twins; "
                f"each record needs one."
            )


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
    accuracies, around = _accuracies(trained, design, data), _around(trained, data)
    _stop(cancelled)
    unlearned = procedure.unlearn(trained, retain, chosen, design.model_seed(model, "unlearn"))
    _stop(cancelled)
    later = _accuracies(unlearned, design, data)
    return ShadowRow(
        model=model,
        member=bool(design.member[model]),
        before=before,
        after=_phi(unlearned, data.forget),
        canary_scores=canary_scores,
        canary_member=design.canary_member[model],
        retained_before=accuracies.retained,
        retained_after=later.retained,
        test_before=accuracies.test,
        test_after=later.test,
        exposure_before=accuracies.exposure,
        exposure_after=later.exposure,
        neighbours_before=around,
        neighbours_after=_around(unlearned, data),
        strangers_before=accuracies.strangers,
        strangers_after=later.strangers,
        neighbours_of=np.array(data.copied, np.int64) if data.copied else None,
    )


def with_retrained(
    row: ShadowRow, design: TwinDesign, procedure: Procedure, data: ShadowData
) -> ShadowRow:
    """Return a row with the scores of a model trained with neither forget set nor twins.

    For the contrast with honest retraining, by every attack that looks at an unlearned model: so
    it is asked about all that the unlearned one is. It learns the canaries that the row's did.

    Raises:
        ShadowDataRefused: there are not as many canaries as the design has.
    """
    retain = _retain(row.model, design, data)
    asked = range(min(STRANGERS, count(data.test)))
    trained = procedure.train(retain, design.model_seed(row.model, "retrain"))
    return replace(
        row,
        retrained=_phi(trained, data.forget),
        neighbours_retrained=_around(trained, data),
        strangers_retrained=_phi(trained, Subset(data.test, asked)),
    )


def learned_of(model: int, design: TwinDesign, data: ShadowData) -> Flags:
    """Return which records of the forget set one model learns, shape [k]; else their twins."""
    subjects = np.array(data.subjects or [0] * count(data.forget), np.int64)
    return np.asarray(design.learns[model][subjects], np.bool_)


def _learned(model: int, design: TwinDesign, data: ShadowData) -> tuple[Examples, Examples]:
    """Return what one model learns: what it retains, and what it is to forget."""
    mine = learned_of(model, design, data)
    parts = ((data.forget, mine), (data.twins, ~mine))
    chosen = [Subset(part, np.flatnonzero(own).tolist()) for part, own in parts if own.any()]
    return _retain(model, design, data), chosen[0] if len(chosen) == 1 else ConcatDataset(chosen)


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


def _around(model: nn.Module, data: ShadowData) -> Floats | None:
    """Return the margins of the copies, [k, q], or [j, q] where j records have copies."""
    if data.copies is None:
        return None
    return _phi(model, data.copies).reshape(len(data.copied) or count(data.forget), -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """Accuracies of one model on both sets, its exposure, and its margins on some test records."""

    retained: float
    test: float
    exposure: float | None
    strangers: Floats


def _accuracies(model: nn.Module, design: TwinDesign, data: ShadowData) -> _Found:
    rng = np.random.default_rng(derived_seed(design.seed, "retained sample"))
    sample = rng.permutation(count(data.retain))[: data.retained_sample]
    margins, right = scores_of(model, Subset(data.retain, sample.tolist()))
    of_test, right_of_test = scores_of(model, data.test)
    return _Found(
        retained=float(right.mean()),
        test=float(right_of_test.mean()),
        exposure=exposure(margins, of_test),
        strangers=of_test[:STRANGERS],
    )
