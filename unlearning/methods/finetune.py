"""Fine-tuning on the retain set: the baseline that is hard to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import Epochs, LearningRate, Pull
from unlearning.core.method import Outcome
from unlearning.core.training import cosine, descend
from unlearning.core.weights import snapshot, squared_distance

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Finetune(Descent):
    """Go on training, on the retain set only, and let the rest fade.

    The records to forget are not read, so they may be gone already.

    **Assumption.** What is no longer rehearsed is forgotten (catastrophic forgetting).

    **Update.** From theta = theta_o, SGD in train mode on

        L(theta) = CE(R; theta) + l2_to_init / 2 * ||theta - theta_o||^2

    with a cosine schedule over all steps and the augmentation of the recipe. Scalers are
    refitted on R before, norm statistics taken anew from R after.

    **Reference.** The baseline "FT" of Cadet et al., "Deep Unlearn", EuroS&P 2025; earlier in
    Golatkar et al., "Eternal sunshine of the spotless net", CVPR 2020.

    **Cost.** ``epochs`` passes over R: epochs / (epochs of the recipe) of a training.

    **Known failure.** With a small learning rate nothing is forgotten, as the loss on R is
    already near zero; with a large one this is retraining from a warm start.

    **When.** First of all approximate methods, on any network, as the measure of the others.

    **Not.** Where a retraining is affordable, or the records were memorised: what is memorised
    fades last.
    """

    title: ClassVar[str] = "Fine-tune on the retain set"
    paper: ClassVar[str] = "Cadet et al., EuroS&P 2025 (FT)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"l2_to_init": None}

    learning_rate: LearningRate = 0.1
    epochs: Epochs = 5
    l2_to_init: Pull = 0.0

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        recipe = context.recipe

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            loss = recipe.loss(model(inputs), targets)
            if self.l2_to_init:
                loss = loss + self.l2_to_init / 2 * squared_distance(model, theta_o)
            return loss

        plan = self.plan(retain, context, "retain")
        phase = self.passes("fine-tune", model, objective, plan)
        descend(model, retain, replace(phase, rate=cosine, augment=recipe.augment), context)
        return Outcome(model=model, stop_reason=f"completed {self.epochs} epochs")
