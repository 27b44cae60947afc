"""Negative gradient plus: descend on what stays, climb on what goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.examples import count
from unlearning.core.method import Method, Outcome, SettingRefused
from unlearning.core.order import Plan
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend, endless, mean_loss
from unlearning.core.weights import moved, sgd, snapshot, squared_distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class NegGradPlus(Method):
    """Descend on the retain set and climb on the forget set in the same step.

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
    """

    title: ClassVar[str] = "Negative gradient plus"
    paper: ClassVar[str] = "Kurmanji et al., NeurIPS 2023 (NegGrad+)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=2)

    alpha: Annotated[float, Range(0, 1, help="weight of the retain set against the other")] = 0.95
    learning_rate: Annotated[float, Range(1e-5, 1e-1, log=True, help="size of a step")] = 0.01
    momentum: Annotated[float, Range(0, 0.99, help="share of the last step kept")] = 0.9
    weight_decay: Annotated[float, Range(0, 0.1, help="pull of the weights to zero")] = 0.0
    batch_size: Annotated[int, Range(1, 4096, help="records of either set in a step")] = 256
    epochs: Annotated[int, Range(1, 100, help="passes over the retain set")] = 10
    l2_to_init: Annotated[float, Range(0, 1, help="pull back to the original weights")] = 0.0
    stop_loss: Annotated[
        float | None, Range(1e-6, 100, help="mean loss on the forget set that ends the run")
    ] = None

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
        optimizer = sgd(
            model,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )
        stop_reason = f"completed {self.epochs} epochs"
        for epoch in range(self.epochs):
            phase = Phase(
                name=f"epoch {epoch + 1} of {self.epochs}",
                plan=Plan(
                    size=count(retain),
                    batch_size=self.batch_size,
                    epochs=1,
                    seed=derive(context.seed, "retain", epoch),
                ),
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
