"""Gradient ascent: climb the loss on what is to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee, Need
from unlearning.core.descent import Descent
from unlearning.core.knobs import LearningRate, StopLoss
from unlearning.core.method import Outcome
from unlearning.core.training import descend, mean_loss
from unlearning.core.weights import moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class GradientAscent(Descent):
    """Climb the loss on the forget set, and read nothing else.

    The run ends at the loss that is set for it, or after its epochs.

    **Assumption.** A step up the loss on F undoes a step down it that training once made.

    **Update.** From theta = theta_o, for each batch of F, in eval mode, SGD on -CE(F; theta).
    With ``stop_loss`` set, the run ends before the first epoch at whose start the mean CE on F
    has reached it. Take the value from a calibration split kept at training time, so that the
    records an audit calls non-members stay unread. As there is no R to take them anew from, the
    statistics of batch normalisation stay as they are; the published code lets F move them.

    **Reference.** "GA" in Cadet et al., "Deep Unlearn", EuroS&P 2025; earlier in Golatkar et al.,
    CVPR 2020, and Jia et al., "Model sparsity can simplify machine unlearning", NeurIPS 2023.

    **Cost.** ``epochs`` passes over F: the cheapest method there is.

    **Known failure.** CE has no upper bound, and nothing holds the rest of the model: it goes
    from no effect to chance level within a few steps. A stop loss below the loss that F has
    already means that nothing is done, and the run fails as untouched.

    **When.** The retain set is gone or out of reach, and a stop loss is known.

    **Not.** Where the retain set is there: every method that holds on to it keeps more accuracy.
    """

    title: ClassVar[str] = "Gradient ascent"
    paper: ClassVar[str] = "Cadet et al., EuroS&P 2025 (GA)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RECIPE})
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(forget_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 0.01}

    learning_rate: LearningRate = 1e-3
    stop_loss: StopLoss = None

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        loss = context.recipe.loss

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return -loss(model(inputs), targets)

        phase = self.passes("climb", model, objective, self.plan(forget, context, "forget"))
        reason = f"completed {self.epochs} epochs"
        for epoch in range(self.epochs):
            if self._reached(model, forget, context):
                reason = f"the forget set reached the loss {self.stop_loss} after {epoch} epochs"
                break
            plan = replace(self.plan(forget, context, "forget", epoch), epochs=1)
            name = f"epoch {epoch + 1} of {self.epochs}"
            descend(model, forget, replace(phase, name=name, plan=plan, training=False), context)
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _reached(self, model: nn.Module, forget: Examples, context: Context) -> bool:
        if self.stop_loss is None:
            return False
        return mean_loss(model, forget, context.recipe.loss, context) >= self.stop_loss
