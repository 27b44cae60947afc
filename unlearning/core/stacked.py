"""Many models of one recipe, trained in one pass over all their weights at once.

Small networks spend their time on being called, not on arithmetic. Here one call takes the step
of every model: ``torch.func.vmap`` over stacked weights, each model with records, an order, a
start and a length of its own. The result is that of training one after the other, up to rounding;
never to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.utils.data import Subset

from unlearning.core.examples import Held
from unlearning.core.recipe import NoExamples, Recipe
from unlearning.core.seeding import derive, isolated, reseed
from unlearning.core.stackable import check_room, check_stackable
from unlearning.core.stacked_batches import Batches, Part
from unlearning.core.training import check_finite
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearning.core.examples import Examples
    from unlearning.core.gradient_recipe import GradientRecipe
    from unlearning.core.session import Session
    from unlearning.core.stacked_batches import Batch

PHASE = "train"
__all__ = ["Part", "Stack", "train_stacked"]


def train_stacked(
    recipe: Recipe, pool: Examples, parts: Sequence[Part], session: Session
) -> list[nn.Module]:
    """Return a model for each part, in eval mode, as ``recipe.train`` would but for rounding.

    Model m is that of ``recipe.train`` on ``Subset(pool, parts[m].records)`` with the seed of its
    part: same start, order, batches, rates and arithmetic. Nothing depends on the other parts,
    or on the seed of the session.

    Raises:
        NotStackable: the models cannot be trained so; nothing was done.
        NoExamples: a part is empty.
        LossNotFinite: at the first step at which the loss of any model is not.
        Cancelled: the caller asked to stop, which is asked before every step.
    """
    with isolated(session.seed, session.device):  # augmentation draws from the global state
        stack = Stack(recipe, pool, parts, session)
        for step in range(stack.steps):
            session.step(PHASE, step, stack.steps)
            stack.advance()
        session.step(PHASE, stack.steps, stack.steps)
    return stack.models()


class Stack:
    """Models under training, their weights stacked: every tensor is (models, ...)."""

    def __init__(
        self, recipe: Recipe, pool: Examples, parts: Sequence[Part], session: Session
    ) -> None:
        """Make every model as its training by itself would begin. Raises as ``train_stacked``."""
        self._recipe = check_stackable(recipe, session)
        check_room(self._recipe, pool, len(parts), session)
        self._device = session.device
        self._inputs, self._targets = (each.to(self._device) for each in Held(pool).all())
        self._batches = Batches(self._recipe, parts)
        self._taken = 0
        self._models = [_prepared(self._recipe, pool, part, session) for part in parts]
        self._settings = self._recipe.optimizer(trainable(self._models[0])).param_groups[0]
        self._moving, self._fixed = _stacked(self._models)
        self._memory = {name: torch.zeros_like(each) for name, each in self._moving.items()}
        self._slopes = vmap(grad_and_value(self._loss))

    @property
    def steps(self) -> int:
        """Number of steps of the model that takes most."""
        return self._batches.steps

    def advance(self) -> None:
        """Take the next step of every model that has one left.

        Raises:
            LossNotFinite: of any of these; nothing was moved.
        """
        step = self._taken
        batch = self._batches.at(step)
        self._taken += 1
        inputs, targets = self._drawn(batch, step)
        shares = torch.from_numpy(batch.shares).to(self._device)
        slopes, losses = self._slopes(self._moving, self._fixed, inputs, targets, shares)
        for value, size in zip(losses.tolist(), batch.sizes.tolist(), strict=True):
            if size:
                check_finite(value, PHASE, step, self.steps)
        self._move(slopes, torch.from_numpy(batch.rates).to(losses) * self._settings["lr"])

    def models(self) -> list[nn.Module]:
        """Return the models as they are now, each with its own weights, in eval mode."""
        with torch.no_grad():
            for place, model in enumerate(self._models):
                own = dict(model.named_parameters()) | dict(model.named_buffers())
                for name, tensor in (self._moving | self._fixed).items():
                    own[name].copy_(tensor[place])
                model.eval()
        return self._models

    def _loss(
        self,
        moving: dict[str, Tensor],
        fixed: dict[str, Tensor],
        inputs: Tensor,
        targets: Tensor,
        shares: Tensor,
    ) -> Tensor:
        """Return the loss of one model on a batch whose padding has a share of nothing."""
        outputs = functional_call(self._models[0], (moving, fixed), (inputs,))
        each = nn.functional.cross_entropy(outputs, targets, reduction="none")
        return (each * shares).sum()

    def _drawn(self, batch: Batch, step: int) -> tuple[Tensor, Tensor]:
        places = torch.from_numpy(batch.places).to(self._device)
        inputs, targets = self._inputs[places], self._targets[places]
        if type(self._recipe).augment is Recipe.augment:
            return inputs, targets
        varied = inputs.clone()
        for model, size in enumerate(batch.sizes.tolist()):
            if size:
                reseed(derive(self._batches.seeds[model], "step", step), self._device)
                varied[model, :size] = self._recipe.augment(inputs[model, :size])
        return varied, targets

    @torch.no_grad()
    def _move(self, slopes: dict[str, Tensor], rates: Tensor) -> None:
        """Take the step of ``torch.optim.SGD``; a model whose rate is 0 stays where it is."""
        decay, momentum = self._settings["weight_decay"], self._settings["momentum"]
        for name, weight in self._moving.items():
            slope = slopes[name]
            if decay:
                slope = slope.add(weight, alpha=decay)
            if momentum:
                kept = self._memory[name].mul_(momentum).add_(slope)
                slope = slope.add(kept, alpha=momentum) if self._settings["nesterov"] else kept
            weight.addcmul_(slope, rates.view(-1, *[1] * (weight.dim() - 1)), value=-1)


def _prepared(recipe: GradientRecipe, pool: Examples, part: Part, session: Session) -> nn.Module:
    """Return a model before its first step, drawn as ``Recipe.train`` draws it."""
    if not part.records:
        raise NoExamples(f"{recipe.title} needs at least one example to train on, and got none.")
    with isolated(part.seed, session.device):
        return recipe.prepared(Held(Subset(pool, part.records)), session).train()


def _stacked(models: Sequence[nn.Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return what gradient steps move and what they do not, by name, each (models, ...)."""
    weights, buffers = stack_module_state(list(models))
    learns = {name for name, each in models[0].named_parameters() if each.requires_grad}
    stacked = {name: each.detach() for name, each in weights.items()}
    moving = {name: each for name, each in stacked.items() if name in learns}
    fixed = {name: each for name, each in stacked.items() if name not in learns}
    return moving, fixed | buffers
