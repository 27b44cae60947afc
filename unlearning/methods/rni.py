"""RNI: noise into a few weights at a time, and training to make up for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.blocks import classifier
from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import BatchSize, Epochs, LearningRate
from unlearning.core.method import Outcome, SettingRefused
from unlearning.core.norms import batch_norms
from unlearning.core.ranges import Range
from unlearning.core.renewal import renew
from unlearning.core.training import Phase, descend
from unlearning.core.weights import sgd, trainable, training_only

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples

TENSORS = 9  # trained in an epoch, besides those of batch normalisation


@dataclass(frozen=True, kw_only=True)
class RepeatedNoise(Descent):
    """Set the classifier back, then add noise to some tensors in each epoch and train those.

    The last epochs train everything, without noise.

    **Assumption.** Noise destroys fine detail, such as single records, sooner than the features
    that many records share, and training on R restores only the latter.

    **Update.** The classifier takes the weights with which the recipe begins. In each of the
    first E - ``fine_epochs`` epochs nine parameter tensors are drawn; they and those of batch
    normalisation are trained on R by a new optimiser, the rest is frozen. From epoch
    ``reset_epochs`` on, the share ``noise_ratio`` of the nine, unless noised before, first gets
    ``noise`` * N(0, 1). The last ``fine_epochs`` train all, at ``fine_rate``. Train mode; R is
    augmented. The released code tells norms by the letters "bn" in their names, which misses
    some, and spares what it trained in the first epoch; in a small network that is everything.

    **Reference.** The seventh entry of the NeurIPS 2023 unlearning competition; "RNI" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R.

    **Known failure.** With the published learning rate a small retain set does not bring the new
    classifier back. A tensor that is never drawn keeps what it held of F until the last epochs.

    **When.** Deep networks, when the forget set is gone already.

    **Not.** Small networks; retraining costs little more there.
    """

    title: ClassVar[str] = "Repeated noise injection"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 7th (RNI)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 2e-4, "fine_rate": 2e-4}

    batch_size: BatchSize = 64
    epochs: Epochs = 9
    fine_epochs: Annotated[int, Range(1, 99, help="epochs at the end, without noise")] = 4
    reset_epochs: Annotated[int, Range(1, 99, help="epochs at the beginning, without noise")] = 1
    fine_rate: LearningRate = 0.01
    noise_ratio: Annotated[float, Range(0.05, 1, help="share of the tensors noised")] = 0.7
    noise: Annotated[float, Range(1e-4, 1, log=True, help="deviation of the noise")] = 0.04

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: no epoch would be left for noise.
        """
        super().__post_init__()
        if self.fine_epochs + self.reset_epochs >= self.epochs:
            raise SettingRefused(
                f"RepeatedNoise has {self.epochs} epochs, of which {self.reset_epochs} at the "
                f"beginning and {self.fine_epochs} at the end have no noise: none is left."
            )

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        edited = renew(model, [classifier(model)], context)
        norms = [weight for layer in batch_norms(model) for weight in layer.parameters()]
        others = [w for w in trainable(model) if all(w is not each for each in norms)]
        noised: set[int] = set()
        for epoch in range(self.epochs):
            fine = epoch >= self.epochs - self.fine_epochs
            drawn = torch.randperm(len(others))[:TENSORS].tolist()
            if self.reset_epochs <= epoch and not fine:
                chosen = set(drawn[: max(1, int(self.noise_ratio * len(drawn)))]) - noised
                edited += self._shake([others[each] for each in sorted(chosen)])
                noised |= chosen
            free = trainable(model) if fine else [*norms, *(others[each] for each in drawn)]
            with training_only(model, free):
                self._epoch(model, retain, context, epoch, fine=fine)
        reason = f"completed {self.epochs} epochs; {len(noised)} tensors were noised"
        return Outcome(model=model, edited=edited, stop_reason=reason)

    @torch.no_grad()
    def _shake(self, weights: list[nn.Parameter]) -> int:
        for weight in weights:
            weight.add_(self.noise * torch.randn(weight.shape).to(weight.device))
        return sum(weight.numel() for weight in weights)

    def _epoch(
        self, model: nn.Module, retain: Examples, context: Context, epoch: int, *, fine: bool
    ) -> None:
        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return context.recipe.loss(model(inputs), targets)

        phase = Phase(
            name=f"epoch {epoch + 1} of {self.epochs}",
            plan=replace(self.plan(retain, context, "retain", epoch), epochs=1),
            objective=objective,
            optimizer=sgd(
                model,
                learning_rate=self.fine_rate if fine else self.learning_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
            ),
            augment=context.recipe.augment,
        )
        descend(model, retain, phase, context)
