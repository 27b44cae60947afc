"""Checkpoint and replay with holes: the same training without the forget set, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee, Layers, Need
from unlearning.core.method import Method, NotKept, Outcome

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Replay(Method):
    r"""Go back to the last state before any forgotten record, and train on from there without it.

    The order stays drawn over the records that there were at first, the places of forgotten ones
    stay empty and the schedule keeps its length, so the result is that of never having had them.

    **Assumption.** Every step depends on its state, its batch and a seed drawn from its number
    alone, and nothing that was fitted before the first step changes without the forget set
    (otherwise the replay begins at the start).

    **Update.** theta_u = S_T(... S_t(theta_t, B_t \ F) ..., B_T \ F), where theta_t is the newest
    kept state with t at most the first step whose batch B_t meets the forget set F, and S_i is the
    i-th step of training with optimiser, schedule and seed of that step.

    Where the model is a vote of shards, this is done to those shards that held any of F, and the
    others stay as they are.

    **Reference.** After "Unlearning at scale" (arXiv 2508.12220), whose abstract alone was read;
    the states are those of SISA, Bourtoule et al., "Machine unlearning", IEEE S&P 2021.

    **Cost.** The steps after the first use: of E shuffled epochs and K records about
    1 - 1/(E(K+1)) of a training, less where records come late.

    **Known failure.** The bits are those of one environment: another number of threads, library
    or processor gives the same recipe and other bits, and only that is then claimed.

    **When.** A recorded training in which the records came late, or whose bits must be shown.

    **Not.** Where no states were kept, or another environment trained the model.
    """

    title: ClassVar[str] = "Checkpoint and replay"
    paper: ClassVar[str] = "Unlearning at scale, arXiv 2508.12220"
    basis: ClassVar[str] = "design"
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE, Need.BATCH_LOG})
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(trainings=1)
    mixed_precision: ClassVar[bool] = True  # as the training that it repeats
    layers: ClassVar[Layers] = Layers.WHOLE

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        if context.rewind is None:
            raise NotKept("There is no recorded training to replay.")
        done, said = context.rewind.carry_out(model, retain, context.recipe, context)
        return Outcome(model=done, stop_reason=said)
