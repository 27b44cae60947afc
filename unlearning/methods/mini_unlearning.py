"""Mini-Unlearning: take the last steps of the training again, without the forget set."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.claims import Cost, Guarantee, Need, NotEligible
from unlearning.core.examples import held
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.history import Recorded
from unlearning.core.method import Method, NothingTouched, Outcome
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend
from unlearning.core.weights import moved, snapshot, trainable

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples
    from unlearning.core.history import History


@dataclass(frozen=True, kw_only=True)
class MiniUnlearning(Method):
    """Go back a few steps of the training and take them again without the records to forget.

    Those records are not read: their places in the batches are enough.

    **Assumption.** Each step of training is a contraction, so that the paths with and without F
    draw together, and the last steps decide.

    **Update.** With theta_{T-k} the weights that were stored k steps before the end, and B_t the
    batches since, for t = T-k, ..., T-1

        theta_{t+1} = step of the recipe's optimiser on CE(B_t without F; theta_t)

    at the recorded learning rates, ``rounds`` times in a row; a batch that F filled is skipped.
    This is reconstructed from the abstract: that single states, not gradients, are stored, and
    that F's places stay empty, are assumptions.

    **Reference.** Huang et al., "Machine unlearning with minimal gradient dependence for high
    unlearning ratios", 2024, arXiv 2406.16986.

    **Cost.** ``rounds`` times k steps of the training.

    **Known failure.** The stored state was trained on F in every epoch before; only a convex loss
    makes it fade. It is no replay, and never exact. If F is in none of the last batches, the run
    fails.

    **When.** The last steps were recorded, and the training ran long after it had converged.

    **Not.** Where checkpoints from before the first use of F exist: then a replay is exact.
    """

    title: ClassVar[str] = "Mini-Unlearning (reconstructed from the abstract)"
    paper: ClassVar[str] = "Huang et al., arXiv 2406.16986"
    basis: ClassVar[str] = "reconstructed from the abstract"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.RETAIN, Need.RECIPE, Need.CHECKPOINTS, Need.BATCH_LOG}
    )
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(retain_passes=1)
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"rounds": None}

    rounds: Annotated[int, Range(1, 10, help="times that the last steps are taken")] = 1

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        history = self._kept(context)
        model.load_state_dict(history.weights)
        if context.base is None:  # the stored state brought back what was fitted to F, too
            context.recipe.prepare(model, held(retain))
        optimizer = self._optimizer(model, history, context)
        for number in range(self.rounds):
            phase = self._phase(model, history, optimizer, number, context)
            descend(model, retain, phase, context)
        reason = (
            f"took the last {len(history.batches)} steps {self.rounds} times, with "
            f"{history.holes} places left empty"
        )
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _kept(self, context: Context) -> History:
        history = context.history
        if history is None or not history.holes:
            raise NothingTouched(
                f"{self.title} takes the last steps of the training again, and no record to "
                f"forget was in any of them; choose another method."
            )
        return history

    def _optimizer(
        self, model: nn.Module, history: History, context: Context
    ) -> torch.optim.Optimizer:
        """Return the optimiser of the recipe, with what it remembered."""
        if not isinstance(context.recipe, GradientRecipe):
            raise NotEligible(
                f"{self.title} takes steps of gradient descent again, and the recipe has none."
            )
        optimizer = context.recipe.optimizer(trainable(model))
        fresh = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": deepcopy(dict(history.memory)), "param_groups": fresh})
        return optimizer

    def _phase(
        self,
        model: nn.Module,
        history: History,
        optimizer: torch.optim.Optimizer,
        number: int,
        context: Context,
    ) -> Phase:
        recipe = context.recipe

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return recipe.loss(model(inputs), targets)

        return Phase(
            name=f"round {number + 1} of {self.rounds}",
            plan=Recorded(
                size=0,
                batch_size=1,
                epochs=1,
                seed=derive(context.seed, "round", number),
                batches=history.batches,
            ),
            objective=objective,
            optimizer=optimizer,
            rate=lambda step, _total: history.rates[step],
            augment=recipe.augment,
        )
