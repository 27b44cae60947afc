"""SSD: shrink the weights that matter for what goes and not for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.dampening import Dampening

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples
    from unlearning.core.method import Outcome


@dataclass(frozen=True, kw_only=True)
class SelectiveSynapticDampening(Dampening):
    """Shrink each weight that matters far more for the forget set than for all records.

    There are no steps of training, before or after.

    **Assumption.** A weight on which the loss of F depends much more than the loss of D holds
    what is particular to F.

    **Update.** In eval mode at theta_o, with I_S the mean over the records of S of the squared
    gradient of CE, record by record, and D = R and F together, each weight with
    I_F > alpha * I_D becomes

        theta_u = theta_o * min(1, dampening * I_D / I_F).

    The released code squares the gradients of batches, so that its importances depend on the
    batch size.

    **Reference.** Foster et al., "Fast machine unlearning without retraining through selective
    synaptic dampening", AAAI 2024, arXiv 2308.07707.

    **Cost.** One pass over both sets, record by record.

    **Known failure.** I_F / I_D is at most |D| / |F|: with a forget set of more than |D| / alpha
    records nothing can be selected, and the run fails. A small alpha wipes the network out, and
    nothing repairs it.

    **When.** The forget set is a small share, and time is short.

    **Not.** Large forget sets of random records, on which no weight depends alone.
    """

    title: ClassVar[str] = "Selective synaptic dampening"
    paper: ClassVar[str] = "Foster et al., AAAI 2024, arXiv 2308.07707 (SSD)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        return self.dampen(model, (retain, forget), context.recipe.loss, 2, context)
