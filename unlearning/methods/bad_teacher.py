"""Bad teacher: be as ignorant as a random network about what goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.utils.data import Subset

from unlearning.core.claims import Cost, Guarantee, Need
from unlearning.core.distillation import divergence
from unlearning.core.examples import count, held
from unlearning.core.knobs import BatchSize, Epochs, LearningRate, Temperature
from unlearning.core.method import Method, Outcome
from unlearning.core.order import Plan, permutation
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, descend
from unlearning.core.union import RETAINED, Union, on_union
from unlearning.core.weights import adam, frozen_copy, moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class BadTeacher(Method):
    """Distil two teachers: the original model on the retain set, a random one on the forget set.

    Only a share of the retain set is visited.

    **Assumption.** An untrained network answers as one would that never saw F.

    **Update.** From theta = theta_o, in train mode, Adam on the batch mean of

        KL(softmax(t(x) / T) || softmax(f(x; theta) / T)),

    over the shuffled union of F and of a random share of R, where t is the original model on R
    and a freshly initialised network of the same recipe on F. R is augmented as in training, F
    is not. The mean is over records; the released code divides by the number of classes, too,
    so that its learning rate falls with them.

    **Reference.** Chundawat et al., "Can bad teaching induce forgetting? Unlearning in deep
    networks using an incompetent teacher", AAAI 2023, arXiv 2205.08096.

    **Cost.** Two passes (one of training, two forward) over F and ``retain_share`` of R.

    **Known failure.** The answers on F become nearly constant, which no retrained model's are: an
    attack on single records sees it. With a large learning rate the model is ruined.

    **When.** Whole classes or large forget sets, when time is short.

    **Not.** A few records that resemble retained ones; there the right answer is to generalise.
    """

    title: ClassVar[str] = "Bad teacher"
    paper: ClassVar[str] = "Chundawat et al., AAAI 2023, arXiv 2205.08096"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE, Need.NETWORK})
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=0.5, forget_passes=5 / 3)
    mixed_precision: ClassVar[bool] = True

    learning_rate: LearningRate = 1e-4
    epochs: Epochs = 1
    batch_size: BatchSize = 256
    temperature: Temperature = 1.0
    retain_share: Annotated[float, Range(0.05, 1, help="share of the retain set visited")] = 0.3

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        good, bad = frozen_copy(model), self._bad(retain, context)

        def obey(inputs: Tensor, _labels: Tensor, places: Tensor) -> Tensor:
            with torch.no_grad():
                retained = (places == RETAINED)[:, None]
                taught = torch.where(retained, good(inputs), bad(inputs))
            return divergence(model(inputs), taught, self.temperature)

        both = Union(self._sample(retain, context), forget)
        phase = Phase(
            name="distil",
            plan=Plan(
                size=count(both),
                batch_size=self.batch_size,
                epochs=self.epochs,
                seed=derive(context.seed, "both"),
            ),
            objective=on_union(context.recipe, obey),
            optimizer=adam(model, learning_rate=self.learning_rate),
        )
        descend(model, both, phase, context)
        reason = f"completed {self.epochs} epochs"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _bad(self, retain: Examples, context: Context) -> nn.Module:
        """Return an untrained network, its scalers fitted to the retain set."""
        network = context.recipe.build().to(context.device)
        context.recipe.prepare(network, held(retain))
        return frozen_copy(network)

    def _sample(self, retain: Examples, context: Context) -> Examples:
        size = count(retain)
        chosen = permutation(size, derive(context.seed, "sample"))
        return Subset(retain, chosen[: max(1, round(self.retain_share * size))].tolist())
