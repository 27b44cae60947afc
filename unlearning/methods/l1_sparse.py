"""l1-sparse fine-tuning: go on training while a penalty makes the weights few."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.method import Outcome, SettingRefused
from unlearning.core.ranges import Range
from unlearning.core.training import descend
from unlearning.core.weights import moved, snapshot, trainable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples

NEARLY_ZERO = 1e-6


@dataclass(frozen=True, kw_only=True)
class L1Sparse(Descent):
    """Fine-tune on the retain set with a penalty on the absolute weights.

    The penalty moves in a straight line from its first share to its last.

    **Assumption.** What only few records needed is held by weights that the rest can do without;
    a penalty on all weights lets go of those first.

    **Update.** From theta = theta_o, in epoch e of E, SGD in train mode on

        CE(R; theta) + alpha * (first + (last - first) * e / (E - quiet)) * ||theta||_1

    with a cosine schedule over all steps; in the last ``quiet`` epochs there is no penalty. The
    shares (1, 0) are the schedule of the paper, (0, 2) that of RULI, (1, 1) is constant. One
    public copy multiplies its stored alpha by the share of every epoch, so that they compound.

    **Reference.** Jia et al., "Model sparsity can simplify machine unlearning", NeurIPS 2023.

    **Cost.** ``epochs`` passes over R, as fine-tuning.

    **Known failure.** The penalty grows with the number of weights, so that an alpha which was
    tuned on one network does not fit another; a large one wipes out the accuracy.

    **When.** Networks with many more weights than the retained data need.

    **Not.** Small models, where few weights can be spared.
    """

    title: ClassVar[str] = "l1-sparse fine-tuning"
    paper: ClassVar[str] = "Jia et al., NeurIPS 2023"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = dict.fromkeys(
        ("learning_rate", "momentum", "weight_decay", "batch_size")
    )

    alpha: Annotated[float, Range(1e-6, 1e-2, log=True, help="weight of the penalty")] = 5e-4
    first: Annotated[float, Range(0, 2, help="share of alpha in the first epoch")] = 1.0
    last: Annotated[float, Range(0, 2, help="share of alpha towards the last epoch")] = 0.0
    quiet: Annotated[int, Range(0, 99, help="epochs without penalty at the end")] = 0

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: there would be no penalty in any epoch.
        """
        super().__post_init__()
        if self.quiet >= self.epochs or not any(map(self._penalty, range(self.epochs))):
            raise SettingRefused(
                "L1Sparse has no epoch with a penalty, which is fine-tuning: lower quiet, raise "
                "first or last, or choose the method finetune."
            )

    def _penalty(self, epoch: int) -> float:
        """Return the weight of ||theta||_1 in an epoch, counted from 0."""
        loud = self.epochs - self.quiet
        if epoch >= loud:
            return 0.0
        return self.alpha * (self.first + (self.last - self.first) * epoch / loud)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        whole = self.tuning(model, retain, context)
        for epoch in range(self.epochs):
            objective = self._objective(model, epoch, context)
            phase = replace(self.epoch(whole, epoch), objective=objective)
            descend(model, retain, phase, context)
        zero = torch.cat([weight.detach().reshape(-1) for weight in trainable(model)]).abs()
        share = (zero < NEARLY_ZERO).float().mean().item()
        reason = f"completed {self.epochs} epochs; {share:.1%} of the weights are nearly zero"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _objective(
        self, model: nn.Module, epoch: int, context: Context
    ) -> Callable[[Tensor, Tensor], Tensor]:
        alpha = self._penalty(epoch)

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            size = torch.stack([weight.abs().sum() for weight in trainable(model)]).sum()
            return context.recipe.loss(model(inputs), targets) + alpha * size

        return objective
