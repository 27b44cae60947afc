"""CF-k: fine-tune the last blocks only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.last_blocks import LastBlocks
from unlearning.core.method import Outcome

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class CatastrophicForgettingLastBlocks(LastBlocks):
    """Fine-tune the last blocks and the classifier on the retain set.

    All weights before them keep their original bits.

    **Assumption.** What is particular to single records sits near the output, and fades there
    when it is no longer rehearsed.

    **Update.** With theta_k the weights of the last ``k`` blocks and of the classifier, SGD in
    eval mode, without momentum, on

        CE(R; theta) + l2_to_init / 2 * ||theta_k - theta_k,o||^2

    over theta_k alone. The learning rate falls by ``decay_rate`` after 50, 80 and 90 per cent of
    the epochs. R is augmented as in training. Norm statistics are taken anew from R in the end.

    **Reference.** "CF-k" in Goel et al., "Towards adversarial evaluations for inexact machine
    unlearning", arXiv 2201.06640; settings of Cadet et al., "Deep Unlearn", EuroS&P 2025.

    **Cost.** ``epochs`` passes over R, backwards through the last blocks only.

    **Known failure.** It hardly forgets: the loss on R is near zero to begin with, and the frozen
    features still encode F.

    **When.** As a baseline, and where the frozen part is known never to have seen F.

    **Not.** Where the features were learned from F; that is every model trained in one go.
    """

    title: ClassVar[str] = "Catastrophic forgetting of the last k blocks"
    paper: ClassVar[str] = "Goel et al., arXiv 2201.06640 (CF-k)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        self.tune(model, retain, context, training=False)
        reason = f"completed {self.epochs} epochs over the last {self.k} blocks"
        return Outcome(model=model, stop_reason=reason)
