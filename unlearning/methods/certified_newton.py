"""Certified removal: a Newton step whose error the noise of the training covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.certified.head import CertifiedHead
from unlearning.core.claims import Cost, Guarantee, Layers, Need, NotEligible
from unlearning.core.examples import held
from unlearning.core.method import Method, Outcome

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class CertifiedNewton(Method):
    """Remove records from a logistic head by a Newton step, within a budget that it keeps.

    The result is within (epsilon, delta) of retraining, and a step beyond the budget is refused.

    **Assumption.** The head was trained to its optimum with a random linear term, on features
    that never saw F. The requests do not depend on the noise, so not on what was published.

    **Update.** With the objective on n records

        L(w) = sum of losses + lambda n / 2 * |w|^2 + b.w,  b from N(0, sigma^2 I),
        w_u = w_o + H^-1 * (gradient on F, with lambda * w_o for each record),

    where H is the Hessian on the retain set. The gradient left behind is at most

        |X| * |(X (w_u - w_o))^2| / (12 sqrt 3),

    with |X| the spectral norm, computed whole. The bounds of all removals since the training are
    summed, and must stay below sigma * epsilon / sqrt(2 log(1.5 / delta)).

    **Reference.** Guo, Goldstein, Hannun and van der Maaten, "Certified data removal from machine
    learning models", ICML 2020; their bound is larger, with 1/4 in place of 1 / (12 sqrt 3).

    **Cost.** One pass over R and F, with a Hessian and its decomposition for each class.

    **Known failure.** A batch spends more than its records one by one, and outliers spend most:
    rows are shortened to length 1, without which a few long ones exhaust the budget. Two models
    of the sequence in one hand are not covered, and neither is one whose noise is known.

    **When.** A linear head on frozen features, with many records and a large lambda.

    **Not.** Anything deeper, which is refused; a small head, retrained in a moment and exactly.
    """

    title: ClassVar[str] = "Certified Newton step"
    paper: ClassVar[str] = "Guo et al., ICML 2020"
    basis: ClassVar[str] = "design"
    guarantee: ClassVar[Guarantee] = Guarantee.CERTIFIED
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE})
    reads_forget: ClassVar[bool] = True
    layers: ClassVar[Layers] = Layers.BUDGETED
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1)

    def eligible(self, model: nn.Module) -> None:
        """Refuse a model that keeps no budget.

        Raises:
            NotEligible: it keeps none.
        """
        _head(model, self.title)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        head = _head(model, self.title)
        context.step("Newton step", 0, 1)
        bound = head.remove(held(retain).all(), held(forget).all())
        context.step("Newton step", 1, 1)
        budget = head.budget()
        reason = (
            f"spent {bound:.3g}, in all {budget.spent:.3g} of {budget.limit:.3g}, at epsilon "
            f"{budget.epsilon:g} and delta {budget.delta:g}, in {budget.batches} removals of "
            f"{budget.removed} records"
        )
        return Outcome(model=head, stop_reason=reason)


def _head(model: nn.Module, title: str) -> CertifiedHead:
    if not isinstance(model, CertifiedHead):
        raise NotEligible(
            f"{title} edits {Layers.BUDGETED.value}, and {type(model).__name__} keeps none; "
            f"choose another method."
        )
    return model
