"""MSG: make the weights anew on which both sets agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.descent import Descent
from unlearning.core.examples import count
from unlearning.core.gradients import summed_gradient
from unlearning.core.knobs import BatchSize, Epochs
from unlearning.core.masking import largest, scale_gradients
from unlearning.core.method import Outcome
from unlearning.core.order import permutation
from unlearning.core.ranges import Range
from unlearning.core.renewal import kaiming
from unlearning.core.seeding import derive
from unlearning.core.training import descend
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples

KEPT = 0.1  # factor on the gradient of a weight that was not made anew


@dataclass(frozen=True, kw_only=True)
class MaskedSmallGradients(Descent):
    """Re-initialise the convolution weights on which both sets agree, and train them most.

    They agree where the gradients of the two sets differ least.

    **Assumption.** The trace of F hides in structure that it shares with R, and so in weights
    from which neither of the two would depart more than the other.

    **Update.** With R' as many random records of R as F has, in eval mode at theta_o,

        g = 1/|R'| * sum over R' of grad CE - 1/|F| * sum over F of grad CE.

    In each convolution the share ``init_rate`` of weights with the smallest |g| is drawn anew
    (normal, by fan-out); biases stay. Then SGD in train mode on CE(R; theta) over all weights,
    augmented, where gradients of the other convolution weights are multiplied by 0.1. The rate
    rises in a line to the middle of the epochs and falls in a line after it. All convolutions
    take part, pointwise ones, too, if any looks at overlapping patches.

    **Reference.** The second entry of the NeurIPS 2023 unlearning competition; "MSG" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025. Other methods that mask by saliency bear the same name.

    **Cost.** Two passes over F, or as many records, then ``epochs`` passes over R.

    **Known failure.** Weight decay and momentum move the other weights at full strength. With
    the published rate a small retain set does not repair the model.

    **When.** Convolutional networks, while the forget set is still there.

    **Not.** Networks without spatial convolutions (perceptrons, transformers): there it would be
    plain fine-tuning, and is refused.
    """

    title: ClassVar[str] = "Masked small gradients"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 2nd (MSG)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    layers: ClassVar[Layers] = Layers.CONVOLUTIONS
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=0.4)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 1e-3}

    epochs: Epochs = 5
    batch_size: BatchSize = 64
    init_rate: Annotated[float, Range(0.01, 1, help="share of the weights made anew")] = 0.3

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        apart = self._differences(model, retain, forget, context)
        factors = [self._renew(weight, slope) for weight, slope in apart]
        phase = replace(self.tuning(model, retain, context), rate=self._rate)
        scale_gradients(phase.optimizer, factors)
        descend(model, retain, phase, context)
        edited = sum(int((factor == 1).sum()) for _, factor in factors)
        reason = f"made {edited} weights anew and trained {self.epochs} epochs"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    def _differences(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> list[tuple[nn.Parameter, Tensor]]:
        """Return the weight of each convolution with the difference of its mean gradients."""
        size = min(count(forget), count(retain))
        chosen = permutation(count(retain), derive(context.seed, "sample"))[:size]
        loss, sample = context.recipe.loss, Subset(retain, chosen.tolist())
        keep = summed_gradient(model, sample, loss, context, "gradient of what stays")
        lose = summed_gradient(model, forget, loss, context, "gradient of what goes")
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
        mine = {id(layer.weight) for layer in layers}
        return [
            (weight, one / size - other / count(forget))
            for weight, one, other in zip(trainable(model), keep, lose, strict=True)
            if id(weight) in mine
        ]

    @torch.no_grad()
    def _renew(self, weight: nn.Parameter, slope: Tensor) -> tuple[nn.Parameter, Tensor]:
        """Draw the weights of the smallest slopes anew; return a factor for every gradient."""
        (chosen,) = largest([-slope.abs()], self.init_rate)
        weight.copy_(torch.where(chosen, kaiming(weight), weight))
        return weight, torch.where(chosen, 1.0, KEPT)

    def _rate(self, step: int, total: int) -> float:
        epoch, top = step * self.epochs // total + 1, (self.epochs + 1) // 2
        return epoch / top if epoch <= top else (self.epochs + 1 - epoch) / (self.epochs + 1 - top)
