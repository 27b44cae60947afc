"""Fine-tuning on the retain set: the baseline that is hard to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.examples import count
from unlearning.core.method import Method, Outcome
from unlearning.core.order import Plan
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, cosine, descend
from unlearning.core.weights import sgd, snapshot, squared_distance

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Finetune(Method):
    """Go on training, on the retain set only, and let the rest fade.

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
    """

    title: ClassVar[str] = "Fine-tune on the retain set"
    paper: ClassVar[str] = "Cadet et al., EuroS&P 2025 (FT)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)

    learning_rate: Annotated[float, Range(1e-5, 1e-1, log=True, help="size of a step")] = 0.1
    momentum: Annotated[float, Range(0, 0.99, help="share of the last step kept")] = 0.9
    weight_decay: Annotated[float, Range(0, 0.1, help="pull of the weights to zero")] = 5e-4
    batch_size: Annotated[int, Range(1, 4096, help="retained records in a step")] = 256
    epochs: Annotated[int, Range(1, 100, help="passes over the retain set")] = 5
    l2_to_init: Annotated[float, Range(0, 1, help="pull back to the original weights")] = 0.0

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

        phase = Phase(
            name="fine-tune",
            plan=Plan(
                size=count(retain),
                batch_size=self.batch_size,
                epochs=self.epochs,
                seed=derive(context.seed, "retain"),
            ),
            objective=objective,
            optimizer=sgd(
                model,
                learning_rate=self.learning_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
            ),
            rate=cosine,
            augment=recipe.augment,
        )
        descend(model, retain, phase, context)
        return Outcome(model=model, stop_reason=f"completed {self.epochs} epochs")
