"""Models of integer sums over records, which forget by subtraction: ridge and naive Bayes.

Nothing is fitted beforehand, not even a scaler: what depends on the data depends on it through
the sums alone. Columns of very different size are brought together by constants in the data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.gradients import visits
from unlearning.core.knobs import Smoothing
from unlearning.core.ranges import Range
from unlearning.core.recipe import UnreadableRecord
from unlearning.core.statistics.fixed_point import LIMIT
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.module import CountedModel
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.ridge import Ridge
from unlearning.recipes.digits import SIDE, decode_levels
from unlearning.recipes.fitted_at_once import FittedAtOnce
from unlearning.recipes.tabular import Tabular

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.examples import Held
    from unlearning.core.session import Session
    from unlearning.core.statistics.model import Summed


@dataclass(frozen=True, kw_only=True)
class Counted(FittedAtOnce, ABC):
    """What the recipes share: one pass that adds every record to the sums."""

    @abstractmethod
    def statistics(self) -> Summed:
        """Return which sums are kept, and what is derived from them."""

    def build(self) -> nn.Module:
        """Return the model without records."""
        return CountedModel(self.statistics())

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        if not isinstance(model, CountedModel):
            raise TypeError(f"{type(model).__name__} keeps no integer statistics.")
        for inputs, targets in visits(examples, session, "count"):
            model.learn(inputs, targets)
        return model


@dataclass(frozen=True, kw_only=True)
class CountedTable(Counted, Tabular, ABC):
    """What the recipes for rows share; a number must be below 32768 in size."""

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the inputs, (width,), and the position of the target."""
        inputs, label = super().decode(content, target)
        if (inputs.abs() >= LIMIT).any():
            raise UnreadableRecord(
                f"The row holds a number that is not below {LIMIT} in size; multiply its column "
                f"by a constant that is not taken from the data."
            )
        return inputs, label


@dataclass(frozen=True, kw_only=True)
class TabularRidge(CountedTable):
    """Ridge regression on the classes as vectors of zeros and ones."""

    title: ClassVar[str] = "Table, ridge regression on integer sums"

    penalty: Annotated[float, Range(0, 1e9, help="weight of the squared norm")] = 1.0

    def statistics(self) -> Summed:
        """Return the sums of products of the columns."""
        return Ridge(columns=self.width, outputs=len(self.targets), penalty=self.penalty)


@dataclass(frozen=True, kw_only=True)
class TabularCountedBayes(CountedTable):
    """Gaussian naive Bayes."""

    title: ClassVar[str] = "Table, naive Bayes on integer sums"

    smoothing: Smoothing = 1e-9

    def statistics(self) -> Summed:
        """Return the sums, and the sums of squares, of the columns in each class."""
        return GaussianBayes(
            columns=self.width, outputs=len(self.targets), smoothing=self.smoothing
        )


@dataclass(frozen=True, kw_only=True)
class CountedDigits(Counted, ABC):
    """What the recipes for digits share: 64 grey levels in 0..1 as columns."""

    family: ClassVar[str] = "digits"

    targets: tuple[str, ...] = tuple("0123456789")

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the grey levels in 0..1, (1, 8, 8), and the position of the target."""
        return decode_levels(content)[None], self.label(target)


@dataclass(frozen=True, kw_only=True)
class DigitsRidge(CountedDigits):
    """Ridge regression on the grey levels."""

    title: ClassVar[str] = "Digits, ridge regression on integer sums"

    penalty: Annotated[float, Range(0, 1e9, help="weight of the squared norm")] = 1.0

    def statistics(self) -> Summed:
        """Return the sums of products of the grey levels."""
        return Ridge(columns=SIDE * SIDE, outputs=len(self.targets), penalty=self.penalty)


@dataclass(frozen=True, kw_only=True)
class DigitsCountedBayes(CountedDigits):
    """Multinomial naive Bayes, each grey level an amount of ink."""

    title: ClassVar[str] = "Digits, naive Bayes on integer sums"

    smoothing: Annotated[
        float, Range(1e-9, 1e3, log=True, help="added to the sum of every column")
    ] = 1.0

    def statistics(self) -> Summed:
        """Return the sums of the grey levels in each class."""
        return MultinomialBayes(
            columns=SIDE * SIDE, outputs=len(self.targets), smoothing=self.smoothing
        )
