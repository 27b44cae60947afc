"""CT: turn every kernel over its diagonal, and train to make up for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.descent import Descent
from unlearning.core.knobs import BatchSize, Epochs
from unlearning.core.layers import editable
from unlearning.core.method import Outcome
from unlearning.core.training import descend

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class ConvolutionTranspose(Descent):
    """Swap height and width in every square convolution kernel, then fine-tune on the retain set.

    Nothing is lost by the swap itself, but every feature has to be learned anew.

    **Assumption.** Transposed kernels are as good a start as trained ones for what many records
    share, and a bad one for what single records left.

    **Update.** For every convolution over overlapping square patches,

        W[o, i, h, w] <- W[o, i, w, h],

    then SGD in train mode on CE(R; theta) over all weights, with a cosine schedule over all steps
    and the augmentation of the recipe. Kernels that are not square stay: swapping them would
    change the shape of the output.

    **Reference.** The fifth entry of the NeurIPS 2023 unlearning competition; "CT" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R.

    **Known failure.** The swap is its own inverse: who swaps back has a warm start to the
    original. With the published rate and epochs a small retain set does not repair the model.

    **When.** Convolutional networks, when the forget set is gone already.

    **Not.** Networks without spatial convolutions (perceptrons, transformers): there it would be
    plain fine-tuning, and is refused.
    """

    title: ClassVar[str] = "Convolution transpose"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 5th (CT)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    layers: ClassVar[Layers] = Layers.SQUARE_CONVOLUTIONS
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 1e-3, "epochs": 3}

    epochs: Epochs = 8
    batch_size: BatchSize = 64

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        turned = [self._turn(layer) for layer in editable(self.layers, model).values()]
        descend(model, retain, self.tuning(model, retain, context), context)
        reason = f"transposed {len(turned)} convolutions and trained {self.epochs} epochs"
        return Outcome(model=model, edited=sum(turned), stop_reason=reason)

    @torch.no_grad()
    def _turn(self, layer: nn.Module) -> int:
        """Transpose the kernels of a layer; return how many single weights have a new value."""
        weight = layer.get_parameter("weight")
        old = weight.clone()
        weight.copy_(old.transpose(2, 3))
        return int((weight != old).sum())
