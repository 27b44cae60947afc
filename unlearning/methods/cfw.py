"""CFW: confuse the first convolution, fine-tune, weaken it once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.balance import balanced
from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.descent import Descent
from unlearning.core.knobs import BatchSize, Epochs
from unlearning.core.layers import editable
from unlearning.core.method import Outcome
from unlearning.core.ranges import Range
from unlearning.core.training import descend

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class ConfuseFinetuneWeaken(Descent):
    """Add noise to the stem of the network, fine-tune on the retain set, add a little more.

    The stem is the convolutions through which the input enters.

    **Assumption.** Noise in the first layer disturbs every feature behind it, and training on R
    repairs only what R needs.

    **Update.** For every weight of the stem W <- W + start_std * N(0, 1); then SGD in train mode
    on CE(R; theta) over all weights, with a cosine schedule and the augmentation of the recipe;
    before the last of several epochs W <- W + final_std * N(0, 1). With ``balance`` b each record
    is weighed by (records of its label)^-b, inside the average of the batch. The stem is the
    spatial convolutions that are children of the model itself, or else the first one; the
    released code goes by names, and multiplies weights onto an average that is taken already.

    **Reference.** The third entry of the NeurIPS 2023 unlearning competition; "CFW" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R.

    **Known failure.** The stem is a thousandth of a deep network; what sits behind it is only
    fine-tuned.

    **When.** Convolutional networks, when the forget set is gone already.

    **Not.** Networks without spatial convolutions (perceptrons, transformers): there it would be
    plain fine-tuning, and is refused.
    """

    title: ClassVar[str] = "Confuse, fine-tune, weaken"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 3rd (CFW)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    layers: ClassVar[Layers] = Layers.CONVOLUTIONS
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 7e-4, "balance": 1.0}

    epochs: Epochs = 4
    batch_size: BatchSize = 64
    start_std: Annotated[float, Range(1e-3, 1, log=True, help="first noise")] = 0.6
    final_std: Annotated[float, Range(0, 1, help="noise before the last epoch")] = 0.005
    balance: Annotated[float, Range(0, 1, help="power that weighs common labels down")] = 0.0

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        weights = self._stem(model)
        edited = self._shake(weights, self.start_std)
        loss = balanced(retain, self.balance, context)

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return loss(model(inputs), targets)

        whole = replace(self.tuning(model, retain, context), objective=objective)
        for epoch in range(self.epochs):
            if 0 < epoch == self.epochs - 1:
                self._shake(weights, self.final_std)
            descend(model, retain, self.epoch(whole, epoch), context)
        reason = f"noised {len(weights)} convolutions and trained {self.epochs} epochs"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    def _stem(self, model: nn.Module) -> list[nn.Parameter]:
        found = editable(self.layers, model)
        outermost = [layer for name, layer in found.items() if "." not in name]
        stem = outermost or list(found.values())[:1]
        return [layer.get_parameter("weight") for layer in stem]

    @torch.no_grad()
    def _shake(self, weights: list[nn.Parameter], deviation: float) -> int:
        for weight in weights:
            weight.add_(deviation * torch.randn(weight.shape).to(weight.device))
        return sum(weight.numel() for weight in weights)
