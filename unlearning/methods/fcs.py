"""FCS: forget, contrast what goes with what stays, strengthen what stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import Epochs, LearningRate, Temperature, WeightDecay
from unlearning.core.method import Outcome, SettingRefused
from unlearning.core.modes import evaluating
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Objective, Phase, cosine, descend, endless
from unlearning.core.weights import Touched, sgd

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples

UNIT = 64  # the batch size for which the learning rate on the retain set is meant


@dataclass(frozen=True, kw_only=True)
class ForgetContrastStrengthen(Descent):
    """Make the forget set uncertain, then contrast it with the retain set and repair, in turn.

    Three optimisers take turns at the same weights.

    **Assumption.** A record never seen is answered with doubt, and is no more like one retained
    record than like another.

    **Update.** From theta = theta_o, in train mode, with logits z, one pass over F at
    ``uniform_rate`` on KL(uniform || softmax(z_F)). Then, ``epochs`` times, one pass over F, each
    batch with the next one of R, on the mean over all entries of

        -log_softmax over columns of (z_F z_R^T / T),

    with z_R held constant, and taken in eval mode, at ``contrast_rate`` along a cosine down to
    ``floor``; and one pass over R on CE at ``learning_rate`` * ``batch_size`` / 64. R is
    augmented, F is not.

    **Reference.** The winning entry of the NeurIPS 2023 unlearning competition; "FCS" in Cadet et
    al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R, and twice as many over F.

    **Known failure.** With a forget set of few batches the contrast takes few steps and hardly
    acts. The rate on R grows with the batch size, so a large batch can ruin the model.

    **When.** Deep classifiers and large forget sets; the best in a repetition of the benchmark.

    **Not.** Two classes, where doubt is coarse, or a handful of records.
    """

    title: ClassVar[str] = "Forget, contrast, strengthen"
    paper: ClassVar[str] = "NeurIPS 2023 competition, 1st (FCS)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=2)
    mixed_precision: ClassVar[bool] = True

    learning_rate: LearningRate = 1e-3
    weight_decay: WeightDecay = 1e-2
    epochs: Epochs = 8
    uniform_rate: LearningRate = 5e-3
    contrast_rate: LearningRate = 3e-4
    floor: Annotated[float, Range(1e-6, 0.1, log=True, help="last rate of the contrast")] = 1e-6
    temperature: Temperature = 1.15

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: the rate of the contrast would rise.
        """
        super().__post_init__()
        if self.floor > self.contrast_rate:
            raise SettingRefused(
                f"ForgetContrastStrengthen.floor is {self.floor:g}, above the contrast_rate of "
                f"{self.contrast_rate:g} that falls to it."
            )

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        touched = Touched(model)

        def doubt(inputs: Tensor, _targets: Tensor) -> Tensor:
            outputs: Tensor = model(inputs)
            return -outputs.log_softmax(-1).mean()

        start = self._over(forget, model, doubt, self.uniform_rate, touched, context)
        plan = replace(start.plan, epochs=1, seed=derive(context.seed, "uniform"))
        descend(model, forget, replace(start, name="doubt", plan=plan), context)
        contrast = self._contrast(model, retain, context)
        away = self._over(forget, model, contrast, self.contrast_rate, touched, context)
        away = replace(away, rate=self._rate)
        back = self._back(model, retain, context)
        for epoch in range(self.epochs):
            one, other = self.epoch(away, epoch), self.epoch(back, epoch)
            descend(model, forget, replace(one, name=f"contrast, {one.name}"), context)
            descend(model, retain, replace(other, name=f"strengthen, {other.name}"), context)
        reason = f"completed {self.epochs} epochs, {away.plan.steps} steps of contrast"
        return Outcome(model=model, edited=touched.total(), stop_reason=reason)

    def _over(
        self,
        forget: Examples,
        model: nn.Module,
        objective: Objective,
        learning_rate: float,
        touched: Touched,
        context: Context,
    ) -> Phase:
        """Return the phase of all epochs over the forget set, with an optimiser of its own."""
        return Phase(
            name="forget",
            plan=self.plan(forget, context, "forget"),
            objective=objective,
            optimizer=sgd(
                model, learning_rate=learning_rate, momentum=self.momentum, weight_decay=0
            ),
            observe=touched.note,
        )

    def _contrast(self, model: nn.Module, retain: Examples, context: Context) -> Objective:
        batches = endless(retain, self.batch_size, derive(context.seed, "beside"))

        def contrast(inputs: Tensor, _targets: Tensor) -> Tensor:
            with torch.no_grad(), evaluating(model):  # the last batch of R may be a single record
                beside = model(context.recipe.augment(next(batches)[0].to(context.device)))
            alike: Tensor = model(inputs) @ beside.T / self.temperature
            return -alike.log_softmax(-1).mean()

        return contrast

    def _rate(self, step: int, total: int) -> float:
        least = self.floor / self.contrast_rate
        return least + (1 - least) * cosine(step, total)

    def _back(self, model: nn.Module, retain: Examples, context: Context) -> Phase:
        factor = self.batch_size / UNIT
        return replace(self.tuning(model, retain, context), rate=lambda _step, _total: factor)
