"""Subtract what the records to forget contributed to a model of integer sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee, Layers, Need, NotEligible
from unlearning.core.gradients import visits
from unlearning.core.method import Method, Outcome
from unlearning.core.statistics.module import CountedModel

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Decrement(Method):
    r"""Subtract the contributions of the records to forget from integer sums.

    The result is bit for bit what training on the retained records alone gives.

    **Assumption.** The model is a function of sums over records, kept as integers, and F is read
    from the stored records as they were when they were added, and before they are deleted.

    **Update.** With g(x) the integers that a record adds, as numbers in units of 2^-16,

        G_u = G(D) - sum over x in F of g(x) = G(D \ F),
        theta_u = h(G_u),

    where h derives every weight from the sums anew. Integers neither round nor depend on their
    order, so the equality is of bits; that of the weights holds on one machine.

    **Reference.** The summation form of Cao and Yang, "Towards making systems forget with machine
    unlearning", IEEE S&P 2015.

    **Cost.** One pass over F, and the solution of one linear system of the columns.

    **Known failure.** A record that was never added, but might have been, is subtracted without a
    word: sums do not know their terms. So F must be those of the model's own training records,
    by id; a count, square or variance that falls below zero is refused.

    **When.** Ridge regression and naive Bayes whose recipe keeps integer sums, always.

    **Not.** Any other model, which is refused; scalers or features that were fitted on F.
    """

    title: ClassVar[str] = "Subtraction from integer sums"
    paper: ClassVar[str] = "Cao and Yang, IEEE S&P 2015"
    basis: ClassVar[str] = "design"
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RECIPE})
    reads_forget: ClassVar[bool] = True
    layers: ClassVar[Layers] = Layers.STATISTICS
    cost: ClassVar[Cost] = Cost(forget_passes=1)

    def eligible(self, model: nn.Module) -> None:
        """Refuse a model that keeps no integer sums.

        Raises:
            NotEligible: it keeps none.
        """
        _counted(model, self.title)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        counted = _counted(model, self.title)
        for inputs, targets in visits(forget, context, "subtract"):
            counted.forget(inputs, targets)
        reason = "every record of the forget set was subtracted once"
        return Outcome(model=counted, stop_reason=reason)


def _counted(model: nn.Module, title: str) -> CountedModel:
    if not isinstance(model, CountedModel):
        raise NotEligible(
            f"{title} edits {Layers.STATISTICS.value}, and {type(model).__name__} keeps none; "
            f"choose another method."
        )
    return model
