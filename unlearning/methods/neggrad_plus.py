"""Negative gradient plus: descend on what stays, climb on what goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import Pull, StopLoss, WeightDecay
from unlearning.core.method import Outcome, SettingRefused
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend, endless, mean_loss
from unlearning.core.weights import moved, snapshot, squared_distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class NegGradPlus(Descent):
    """Descend on the retain set and climb on the forget set in the same step.

    Both losses are weighed in one objective, and the run may stop at a loss that is set for it.

    **Assumption.** Raising the loss on F undoes its influence, and the gradient on R holds the
    rest of the model in place meanwhile.

    **Update.** From theta = theta_o, for each batch of R and the next batch of F (cycled), one
    step of SGD in eval mode (norm statistics frozen, no dropout) on

        alpha * (CE(R) + l2_to_init / 2 * ||theta - theta_o||^2) - (1 - alpha) * CE(F).

    R is augmented as in training, F is not. With ``stop_loss`` set, the run ends after the first
    epoch in which the mean CE on F has reached it; take the value from a calibration split kept
    at training time, so that the records an audit calls non-members stay unread. Norm statistics
    are taken anew from R in the end.

    **Reference.** "NegGrad+" in Kurmanji et al., "Towards unbounded machine unlearning", NeurIPS
    2023; "NG+" in Cadet et al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** Two forward and backward passes per batch of R: twice fine-tuning.

    **Known failure.** CE(F) has no upper bound: once CE(R) is near zero the climbing term rules
    whatever alpha is, and the model is destroyed. With a small step it does nothing. With
    alpha = 1 it would be fine-tuning, and is refused.

    **When.** The records to forget are few and still there, and a stop loss was kept from a
    calibration split at training time.

    **Not.** Without a stop loss on a model that fits its training set perfectly: it either does
    nothing or ruins the model.
    """

    title: ClassVar[str] = "Negative gradient plus"
    paper: ClassVar[str] = "Kurmanji et al., NeurIPS 2023 (NegGrad+)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=2)
    mixed_precision: ClassVar[bool] = True

    weight_decay: WeightDecay = 0.0
    alpha: Annotated[float, Range(0, 1, help="weight of the retain set against the other")] = 0.95
    l2_to_init: Pull = 0.0
    stop_loss: StopLoss = None

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: the forget set would have no weight.
        """
        super().__post_init__()
        if self.alpha == 1:
            raise SettingRefused(
                "NegGradPlus.alpha is 1, which gives the forget set no weight: that is "
                "fine-tuning; choose the method finetune, or an alpha below 1."
            )

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        objective = self._objective(model, theta_o, forget, context)
        optimizer = self.optimizer(model)
        stop_reason = f"completed {self.epochs} epochs"
        for epoch in range(self.epochs):
            phase = Phase(
                name=f"epoch {epoch + 1} of {self.epochs}",
                plan=replace(self.plan(retain, context, "retain", epoch), epochs=1),
                objective=objective,
                optimizer=optimizer,
                augment=context.recipe.augment,
                training=False,
            )
            descend(model, retain, phase, context)
            if self._reached(model, forget, context):
                stop_reason = (
                    f"the forget set reached the loss {self.stop_loss} after {phase.name}"
                )
                break
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=stop_reason)

    def _objective(
        self, model: nn.Module, theta_o: list[Tensor], forget: Examples, context: Context
    ) -> Callable[[Tensor, Tensor], Tensor]:
        loss = context.recipe.loss
        batches = endless(forget, self.batch_size, derive(context.seed, "forget"))

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            gone, labels = (tensor.to(context.device) for tensor in next(batches))
            keep = loss(model(inputs), targets)
            if self.l2_to_init:
                keep = keep + self.l2_to_init / 2 * squared_distance(model, theta_o)
            return self.alpha * keep - (1 - self.alpha) * loss(model(gone), labels)

        return objective

    def _reached(self, model: nn.Module, forget: Examples, context: Context) -> bool:
        if self.stop_loss is None:
            return False
        return mean_loss(model, forget, context.recipe.loss, context) >= self.stop_loss
