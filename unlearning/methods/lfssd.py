"""LFSSD: selective synaptic dampening that asks for no labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.dampening import Dampening

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples
    from unlearning.core.method import Outcome


@dataclass(frozen=True, kw_only=True)
class LossFreeDampening(Dampening):
    """Shrink each weight to which the answers on the forget set are far more sensitive.

    No label is used, and there are no steps of training.

    **Assumption.** A weight that moves the outputs on F much more than those on D holds what is
    particular to F.

    **Update.** In eval mode at theta_o, with J_S the mean over the records x of S of the absolute
    gradient of ||f(x; theta)||^2, record by record, and D = R and F together, each weight with
    J_F > alpha * J_D becomes

        theta_u = theta_o * min(1, dampening * J_D / J_F).

    **Reference.** Foster et al., "Loss-free machine unlearning", 2024, arXiv 2402.19308; the
    repository of selective synaptic dampening.

    **Cost.** One pass over both sets, record by record.

    **Known failure.** That of selective synaptic dampening: J_F / J_D is at most |D| / |F|, so
    that a large forget set and a large alpha select nothing, and the run fails.

    **When.** The labels of the forget set are gone or not to be trusted.

    **Not.** Large forget sets of random records, on which no weight depends alone.
    """

    title: ClassVar[str] = "Loss-free selective synaptic dampening"
    paper: ClassVar[str] = "Foster et al., arXiv 2402.19308 (LFSSD)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=1)

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        def size(outputs: Tensor, _targets: Tensor) -> Tensor:
            return outputs.square().sum(-1).mean()

        return self.dampen(model, (retain, forget), size, 1, context)
