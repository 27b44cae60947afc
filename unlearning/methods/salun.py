"""SalUn: random labels, taught only to the weights that matter for the forget set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.gradients import summed_gradient
from unlearning.core.knobs import LearningRate, Momentum, WeightDecay
from unlearning.core.masking import largest, move_only
from unlearning.core.method import Outcome
from unlearning.core.ranges import Range
from unlearning.core.training import descend
from unlearning.core.union import Union, by_lot
from unlearning.core.weights import moved, snapshot

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class SalUn(Descent):
    """Find the weights that matter most for the forget set and teach them random labels for it.

    All other weights keep their original bits.

    **Assumption.** What was learned from F sits in the weights on which its loss depends most.

    **Update.** With g = sum over F of the gradient of CE at theta_o, in eval mode, the mask m has
    a one at the share ``kept`` of entries with the largest |g|, over all tensors together. Then

        theta_u = m * theta + (1 - m) * theta_o,

    where theta comes from SGD in train mode on CE over R and F with uniformly random labels for
    F, drawn anew for every step. After every step the entries with m = 0 are put back and their
    momentum is cleared: multiplying gradients by m, as most copies of the code do, lets weight
    decay and momentum move them. R is augmented as in training, F is not.

    **Reference.** Fan et al., "SalUn: empowering machine unlearning via gradient-based weight
    saliency", ICLR 2024, arXiv 2310.12508; its repository, with the correction of February 2026.

    **Cost.** One pass over F for the mask, then ``epochs`` passes over R and F.

    **Known failure.** That of random labels: a loss on F above that of unseen records. With a
    small learning rate the accuracy on F hardly falls.

    **When.** Deep classifiers, where a part of the weights should provably stay as it was.

    **Not.** Two classes, where half of the random labels are true.
    """

    title: ClassVar[str] = "SalUn"
    paper: ClassVar[str] = "Fan et al., ICLR 2024, arXiv 2310.12508"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1.1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"learning_rate": 0.013}

    learning_rate: LearningRate = 0.01
    momentum: Momentum = 0.9
    weight_decay: WeightDecay = 5e-4
    kept: Annotated[float, Range(0.01, 1, help="share of the weights that may move")] = 0.5

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        recipe = context.recipe
        slopes = summed_gradient(model, forget, recipe.loss, context, "saliency")
        masks = largest([slope.abs() for slope in slopes], self.kept)
        both = Union(retain, forget)
        plan = self.plan(both, context, "both")
        phase = self.passes("relabel", model, by_lot(model, recipe), plan)
        move_only(model, phase.optimizer, masks)
        descend(model, both, phase, context)
        chosen = sum(int(mask.sum()) for mask in masks)
        reason = f"completed {self.epochs} epochs, in which {chosen} weights were free to move"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)
