"""Amnesiac relabelling: train on, with one wrong label for each record to forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.examples import count, labels_of
from unlearning.core.knobs import BatchSize, Epochs, LearningRate
from unlearning.core.method import Method, Outcome
from unlearning.core.order import Plan
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend
from unlearning.core.union import RETAINED, Union, on_union
from unlearning.core.weights import adam

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Amnesiac(Method):
    """Give each record of the forget set one wrong label, and train on both sets for a little.

    The label is drawn once, among all but the true one.

    **Assumption.** Learning something else about a record overwrites what was learned.

    **Update.** From theta = theta_o, with y~ drawn once for each record of F, uniformly from the
    C - 1 wrong labels, Adam in train mode on CE over the shuffled union of R and {(x, y~)}. R is
    augmented as in training, F is not.

    **Reference.** The relabelling called "amnesiac" in the code of Chundawat et al., "Can bad
    teaching induce forgetting?", AAAI 2023, and of Foster et al., AAAI 2024; after Graves et al.,
    "Amnesiac machine learning", AAAI 2021, whose own method takes back stored updates.

    **Cost.** ``epochs`` passes over R and F.

    **Known failure.** F is classified wrongly on purpose, and an attack on single records sees
    that. It trains on what is to be erased, though with false labels.

    **When.** Whole classes, and as a cheap baseline.

    **Not.** Single records that a retrained model would classify correctly.
    """

    title: ClassVar[str] = "Amnesiac relabelling"
    paper: ClassVar[str] = "Chundawat et al., AAAI 2023 (baseline)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1)
    mixed_precision: ClassVar[bool] = True

    learning_rate: LearningRate = 1e-4
    epochs: Epochs = 3
    batch_size: BatchSize = 128

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        recipe = context.recipe
        true = labels_of(forget)
        classes = len(recipe.targets)
        wrong = ((true + torch.randint(1, classes, true.shape)) % classes).to(context.device)

        def relabelled(inputs: Tensor, labels: Tensor, places: Tensor) -> Tensor:
            given = torch.where(places == RETAINED, labels, wrong[places])
            return recipe.loss(model(inputs), given)

        both = Union(retain, forget)
        phase = Phase(
            name="relabel",
            plan=Plan(
                size=count(both),
                batch_size=self.batch_size,
                epochs=self.epochs,
                seed=derive(context.seed, "both"),
            ),
            objective=on_union(recipe, relabelled),
            optimizer=adam(model, learning_rate=self.learning_rate),
        )
        descend(model, both, phase, context)
        return Outcome(model=model, stop_reason=f"completed {self.epochs} epochs")
