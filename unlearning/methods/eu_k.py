"""EU-k: train the last blocks anew, on the features that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.blocks import last_blocks
from unlearning.core.claims import Cost, Guarantee
from unlearning.core.last_blocks import LastBlocks
from unlearning.core.method import Outcome
from unlearning.core.renewal import renew

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class ExactUnlearningLastBlocks(LastBlocks):
    """Set the last blocks and the classifier back to the start and train them on the retain set.

    All weights before them keep their original bits, so the whole is approximate despite its name.

    **Assumption.** What is particular to single records sits near the output.

    **Update.** The last ``k`` blocks and the classifier take the weights with which the recipe
    begins. Then, over their weights theta_k alone, SGD without momentum on

        CE(R; theta) + l2_to_init / 2 * ||theta_k - theta_k,start||^2,

    the renewed layers in train mode and the others in eval mode. The learning rate falls by
    ``decay_rate`` after 50, 80 and 90 per cent of the epochs. R is augmented as in training. The
    released code keeps the old statistics of batch normalisation and trains in eval mode, so
    that they never fit the new weights; here they are set back and learned anew.

    **Reference.** "EU-k" in Goel et al., "Towards adversarial evaluations for inexact machine
    unlearning", arXiv 2201.06640; settings of Cadet et al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R, backwards through the last blocks only.

    **Known failure.** The frozen features still encode F. With few epochs the new layers do not
    reach the accuracy of the old ones.

    **When.** The part before the last blocks never saw F, as a backbone trained elsewhere: then
    the result is a retraining of the rest.

    **Not.** Where the features were learned from F and single records were memorised in them.
    """

    title: ClassVar[str] = "Exact unlearning of the last k blocks"
    paper: ClassVar[str] = "Goel et al., arXiv 2201.06640 (EU-k)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        renewed = renew(model, last_blocks(model, self.k), context)
        self.tune(model, retain, context, training=True)
        reason = f"completed {self.epochs} epochs over the last {self.k} blocks, begun anew"
        return Outcome(model=model, edited=renewed, stop_reason=reason)
