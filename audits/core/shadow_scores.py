"""The score matrices of a shadow experiment, checked once, before any statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]
    Integers: TypeAlias = NDArray[np.int64]


class ScoresRefused(ValueError):
    """The matrices of an experiment do not belong together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Canaries:
    """Scores of mislabelled records under the trained models, and who learned which; [n, c]."""

    scores: Floats
    member: Flags


@dataclass(frozen=True, kw_only=True, eq=False)
class Accuracies:
    """Accuracy of each model before and after unlearning, in [0, 1]; shape [n] each."""

    retained_before: Floats
    retained_after: Floats
    test_before: Floats
    test_after: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowScores:
    """Membership scores of one forget set of k records under n shadow models; higher = member.

    Attributes:
        before: scores under the trained models, shape [n, k].
        after: scores under the same models once unlearned, shape [n, k].
        member: True where a model learned the forget set, False where it learned the twins; [n].
        retrained: scores under models trained without either, shape [m, k], or None.
        canaries: the positive control, or None.
        accuracies: of every model, or None.
        deployed: scores under the deployed unlearned model, shape [k], or None.
    """

    before: Floats
    after: Floats
    member: Flags
    retrained: Floats | None = None
    canaries: Canaries | None = None
    accuracies: Accuracies | None = None
    deployed: Floats | None = None

    def of_records(self, columns: Integers, member: Flags) -> ShadowScores:
        """Return the experiment as it is about some of the records, and who learned those, [n]."""
        return replace(
            self,
            member=member,
            before=self.before[:, columns],
            after=self.after[:, columns],
            retrained=None if self.retrained is None else self.retrained[:, columns],
            deployed=None if self.deployed is None else self.deployed[columns],
        )

    def __post_init__(self) -> None:
        """Refuse matrices whose shapes do not fit together.

        Raises:
            ScoresRefused: the sentence names the matrix and both shapes.
        """
        models, records = len(self.member), self.before.shape[-1]
        _check_shape("member", self.member, (models,))
        _check_shape("before", self.before, (models, records))
        _check_shape("after", self.after, (models, records))
        if self.member.dtype != np.bool_:
            raise ScoresRefused(f"member has dtype {self.member.dtype}; it must be bool.")
        if not 0 < self.member.sum() < models:
            raise ScoresRefused("member puts every model into one arm; both arms need models.")
        if records == 0:
            raise ScoresRefused("before has no records; a forget set has at least one.")
        self._check_optional(models, records)

    def _check_optional(self, models: int, records: int) -> None:
        if self.retrained is not None:
            _check_shape("retrained", self.retrained, (len(self.retrained), records))
        if self.deployed is not None:
            _check_shape("deployed", self.deployed, (records,))
        if self.canaries is not None:
            shape = (models, self.canaries.scores.shape[-1])
            _check_shape("canaries.scores", self.canaries.scores, shape)
            _check_shape("canaries.member", self.canaries.member, shape)
        if self.accuracies is not None:
            for name, values in vars(self.accuracies).items():
                _check_shape(f"accuracies.{name}", values, (models,))


def _check_shape(name: str, values: NDArray[np.generic], expected: tuple[int, ...]) -> None:
    if values.shape != expected:
        raise ScoresRefused(f"{name} has shape {values.shape}; it must be {expected}.")
