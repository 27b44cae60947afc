"""PRMQ: prune nearly everything, start it anew, match the old confidence, round the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.balance import balanced
from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.descent import Descent
from unlearning.core.knobs import BatchSize, Epochs
from unlearning.core.layers import editable
from unlearning.core.masking import largest
from unlearning.core.method import Outcome
from unlearning.core.ranges import Range
from unlearning.core.training import Objective, constant, descend
from unlearning.core.weights import frozen_copy, trainable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples

POWER = 0.1  # by which common labels are weighed down


@dataclass(frozen=True, kw_only=True)
class PruneReinitialiseMatchQuantise(Descent):
    """Set all but the largest weights back, and train on the retain set to the old confidence.

    In the end the weights are rounded to half precision.

    **Assumption.** The largest weights are common structure, the others hold what single records
    left; and a model that is as sure of itself as before has not been damaged.

    **Update.** Of the weights and biases of all convolutions and linear layers, the share
    ``prune`` that is smallest in absolute value, over all of them together, is set back: weights
    to U(-1, 1) / sqrt(fan-in), biases to 0. Then, at a steady rate, SGD in train mode on

        sum of w_y CE / sum of w_y + mean of (H(f(x; theta)) - H(f(x; theta_o)))^2,

    with w_y = (records of R with label y)^-0.1 and H the entropy of the softmax. R is augmented.
    Last, theta is rounded to float16 and stored as before.

    **Reference.** The fourth entry of the NeurIPS 2023 unlearning competition; "PRMQ" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R, and a forward pass of the original model in each.

    **Known failure.** The entropy that is matched may be sure because of F. With the published
    rate and a small retain set, a network pruned by 99 per cent does not come back.

    **When.** Large networks with plenty of retained records; the forget set may be gone already.

    **Not.** Small networks; retraining costs little more there.
    """

    title: ClassVar[str] = "Prune, reinitialise, match, quantise"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 4th (PRMQ)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    layers: ClassVar[Layers] = Layers.MATRICES
    cost: ClassVar[Cost] = Cost(retain_passes=4 / 3)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 5e-4, "epochs": 3.2}

    epochs: Epochs = 8
    batch_size: BatchSize = 64
    prune: Annotated[float, Range(0.01, 1, help="share of the weights set back")] = 0.99

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        objective = self._objective(model, retain, context)
        edited = self._prune(model)
        phase = self.tuning(model, retain, context)
        descend(model, retain, replace(phase, objective=objective, rate=constant), context)
        with torch.no_grad():
            for weight in trainable(model):
                weight.copy_(weight.half())
        reason = f"set back {edited} weights, trained {self.epochs} epochs and rounded"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    @torch.no_grad()
    def _prune(self, model: nn.Module) -> int:
        """Set the smallest weights back; return how many."""
        layers = editable(self.layers, model).values()
        weights = [w for layer in layers for w in layer.parameters() if w.requires_grad]
        masks = largest([-weight.abs() for weight in weights], self.prune)
        for weight, mask in zip(weights, masks, strict=True):
            weight.copy_(torch.where(mask, _start(weight), weight))
        return sum(int(mask.sum()) for mask in masks)

    def _objective(self, model: nn.Module, retain: Examples, context: Context) -> Objective:
        original = frozen_copy(model)
        loss = balanced(retain, POWER, context)

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            outputs = model(inputs)
            apart = _entropy(outputs) - _entropy(original(inputs))
            return loss(outputs, targets) + apart.square().mean()

        return objective


def _start(weight: Tensor) -> Tensor:
    if weight.dim() == 1:
        return torch.zeros_like(weight)
    drawn = torch.rand(weight.shape).to(weight.device) * 2 - 1
    fan_in: int = weight[0].numel()
    return drawn / math.sqrt(fan_in)


def _entropy(outputs: Tensor) -> Tensor:
    return -(outputs.softmax(-1) * outputs.log_softmax(-1)).sum(-1)
