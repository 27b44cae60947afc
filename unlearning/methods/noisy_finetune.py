"""Noisy gradient descent: fine-tuning with noise in every gradient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import Epochs, LearningRate
from unlearning.core.method import Outcome
from unlearning.core.ranges import Range
from unlearning.core.training import descend
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class NoisyFinetune(Descent):
    """Go on training on the retain set, with Gaussian noise added to every gradient.

    The records to forget are not read, so they may be gone already.

    **Assumption.** Noise along the way blurs where the descent began, and so what it held of F.

    **Update.** From theta = theta_o, SGD in train mode on CE(R; theta), where each gradient g of
    a step is replaced by

        g + N(0, variance),

    entry by entry, with a cosine schedule over all steps and the augmentation of the recipe. This
    is reconstructed from the abstract: that the noise is added before momentum and weight decay,
    and the schedule, are assumptions.

    **Reference.** The baseline "NGD" of Pawelczyk et al., "Machine unlearning fails to remove
    data poisoning attacks", arXiv 2406.17216.

    **Cost.** ``epochs`` passes over R, as fine-tuning.

    **Known failure.** The noise is far below what a proof would need, so no (epsilon, delta) may
    be claimed; its own paper reports that it removes no poison.

    **When.** As a baseline beside fine-tuning.

    **Not.** Where a guarantee is asked for.
    """

    title: ClassVar[str] = "Noisy gradient descent (reconstructed from the abstract)"
    paper: ClassVar[str] = "Pawelczyk et al., arXiv 2406.17216 (NGD)"
    basis: ClassVar[str] = "reconstructed from the abstract"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {
        "learning_rate": None,
        "momentum": None,
        "weight_decay": None,
        "epochs": None,
        "batch_size": None,
    }

    learning_rate: LearningRate = 0.1
    epochs: Epochs = 5
    variance: Annotated[float, Range(1e-9, 1e-3, log=True, help="of the noise")] = 1e-7

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        phase = replace(self.tuning(model, retain, context), observe=self._blur)
        descend(model, retain, phase, context)
        return Outcome(model=model, stop_reason=f"completed {self.epochs} epochs")

    def _blur(self, model: nn.Module) -> None:
        """Add noise to the gradients as they are now."""
        for weight in trainable(model):
            if weight.grad is not None:
                noise = torch.randn(weight.shape).to(weight.grad)
                weight.grad.add_(noise, alpha=self.variance**0.5)
