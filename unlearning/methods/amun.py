"""AMUN: learn the nearest mistakes to what goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch.utils.data import TensorDataset

from unlearning.core.adversarial import Search
from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Descent
from unlearning.core.inputs import continuous, limits, on_device
from unlearning.core.method import NothingTouched, Outcome
from unlearning.core.modes import evaluating
from unlearning.core.ranges import Range
from unlearning.core.training import descend
from unlearning.core.union import Union, on_union
from unlearning.core.weights import moved, snapshot

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.claims import Published
    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Amun(Descent):
    """Fine-tune on the retain set and on adversarial examples nearest to the forget set.

    Each has the wrong label that the original model gives it.

    **Assumption.** The answers that the original model gives near a record of F are what a model
    tends to that never saw it, so learning them lowers its confidence in F and little else.

    **Update.** For each x of F find x' by gradient ascent on CE in the ball ||x' - x|| <= eps,
    ``attack_steps`` steps of eps / 10, with eps doubled from ``start_eps``, at most ``doublings``
    times, until the answer y' to x' is not y; a record that is answered wrongly is its own x'.
    Then SGD in train mode on CE over R and {(x', y')}, R augmented, the rate falling to a tenth
    every ``decay_every`` epochs. Inputs stay within the range that those of R have, and eps
    counts in units of it. The main variant of the paper also trains on F with its true labels;
    this is the one that does not.

    **Reference.** Ebrahimpour-Boroojeny et al., "Not all wrong is bad: using adversarial examples
    for unlearning", ICML 2025, arXiv 2503.00917.

    **Cost.** ``attack_steps`` input gradients over F per size, then ``epochs`` passes over R.

    **Known failure.** The examples are near-copies of F and personal data as much as F is; they
    are dropped after the run. Where no answer flips, nothing can be done, and the run fails.

    **When.** Images, and a few random records of them.

    **Not.** Tables with categories, where a small step has no meaning.
    """

    title: ClassVar[str] = "AMUN"
    paper: ClassVar[str] = "Ebrahimpour-Boroojeny et al., ICML 2025, arXiv 2503.00917"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=1, forget_passes=20)
    moves_inputs: ClassVar[bool] = True
    mixed_precision: ClassVar[bool] = True
    published: ClassVar[Published] = {"doublings": None}

    decay_every: Annotated[int, Range(1, 10, help="epochs to a fall of the rate")] = 5
    start_eps: Annotated[float, Range(0.01, 1, log=True, help="first size of the attack")] = 0.04
    attack_steps: Annotated[int, Range(10, 100, help="steps of the attack at a size")] = 50
    doublings: Annotated[int, Range(1, 20, help="most doublings of the size")] = 12

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        theta_o = snapshot(model)
        recipe = context.recipe
        pairs = self._pairs(model, retain, forget, context)

        def loss(inputs: Tensor, labels: Tensor, _places: Tensor) -> Tensor:
            return recipe.loss(model(inputs), labels)

        both = Union(retain, pairs)
        plan = self.plan(both, context, "both")
        phase = self.passes("fine-tune", model, on_union(recipe, loss), plan)
        descend(model, both, replace(phase, rate=self._rate), context)
        reason = f"completed {self.epochs} epochs with {len(pairs)} adversarial examples"
        return Outcome(model=model, edited=moved(model, theta_o), stop_reason=reason)

    def _rate(self, step: int, total: int) -> float:
        return float(0.1 ** (step * self.epochs // total // self.decay_every))

    def _pairs(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> TensorDataset:
        """Return an adversarial example for each record for which there is one."""
        continuous(forget, self.title)
        low, high = limits(retain, context)
        search = Search(
            loss=context.recipe.loss,
            low=low,
            high=high,
            start=self.start_eps,
            steps=self.attack_steps,
            doublings=self.doublings,
            session=context,
        )
        with evaluating(model):
            found = [
                search.nearest(model, inputs, labels, f"attack {number + 1}")
                for number, (inputs, labels) in enumerate(on_device(forget, context))
            ]
        inputs, answers = (torch.cat(each).cpu() for each in zip(*found, strict=True))
        if not len(answers):
            raise NothingTouched(f"{self.title} found no adversarial example; raise doublings.")
        return TensorDataset(inputs, answers)
