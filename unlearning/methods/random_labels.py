"""Successive random labels: train on, with labels for the forget set drawn by lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.knobs import Epochs, LearningRate
from unlearning.core.method import Outcome
from unlearning.core.training import descend
from unlearning.core.union import Union, by_lot

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class RandomLabels(Descent):
    """Go on training on both sets, with new random labels for the forget set in every epoch.

    The retain set keeps its labels and is shuffled together with the other.

    **Assumption.** Labels that change from epoch to epoch teach nothing but to be undecided, as
    about a record never seen.

    **Update.** From theta = theta_o, SGD in train mode on CE over the shuffled union of R and of

        {(x, y~) : x in F},   y~ drawn uniformly from all C labels, anew for every step.

    R is augmented as in training, F is not. The released code deals out the same sequence of
    labels in each epoch; here they are independent, as described.

    **Reference.** "SRL" in Cadet et al., "Deep Unlearn", EuroS&P 2025; random labels in Golatkar
    et al., "Eternal sunshine of the spotless net", CVPR 2020.

    **Cost.** ``epochs`` passes over R and F.

    **Known failure.** F ends with a loss above that of unseen records, which an attack on single
    records can see. It trains on what is to be erased, though with false labels.

    **When.** Classifiers, as a cheap baseline that reads both sets.

    **Not.** With two classes half of the labels are true, so little is unlearned.
    """

    title: ClassVar[str] = "Successive random labels"
    paper: ClassVar[str] = "Cadet et al., EuroS&P 2025 (SRL)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1)
    mixed_precision: ClassVar[bool] = True

    learning_rate: LearningRate = 0.1
    epochs: Epochs = 5

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        both = Union(retain, forget)
        objective = by_lot(model, context.recipe)
        plan = self.plan(both, context, "both")
        descend(model, both, self.passes("relabel", model, objective, plan), context)
        return Outcome(model=model, stop_reason=f"completed {self.epochs} epochs")
