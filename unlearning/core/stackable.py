"""Which models can be trained stacked, many in one pass, and why others cannot.

Stacking means ``torch.func.vmap`` over models of one architecture. What it cannot do, or can do
only with another result than training one after the other, is refused here with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from unlearning.core.examples import RESIDENT_BYTES, count
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.norms import batch_norms
from unlearning.core.recipe import Recipe
from unlearning.core.seeding import isolated
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from unlearning.core.examples import Examples
    from unlearning.core.session import Session

DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
COPIES = 4  # of the weights: themselves, gradient, momentum, and what a step makes in passing


class NotStackable(ValueError):
    """The models cannot be trained stacked; the message says why."""


def check_stackable(recipe: Recipe, session: Session) -> GradientRecipe:
    """Return the recipe if its models can be trained stacked.

    Raises:
        NotStackable: they cannot; the message is a clause that goes on from "because".
    """
    if not isinstance(recipe, GradientRecipe):
        raise NotStackable(f"{recipe.title} does not train by gradient steps")
    if reason := _procedure(recipe, session) or _layers(recipe, session):
        raise NotStackable(reason)
    return recipe


def _procedure(recipe: GradientRecipe, session: Session) -> str:
    if recipe.privacy:
        return "private training clips the gradient of each record and draws noise of its own"
    if session.base is not None:
        return "the models go on from a base model"
    if session.mixed:
        return "mixed precision rounds differently in a stack"
    own = type(recipe)
    if own._fit is not GradientRecipe._fit or own.plan is not GradientRecipe.plan:  # noqa: SLF001
        return f"{recipe.title} trains, or orders its records, in a way of its own"
    if own.loss is not Recipe.loss:
        return "the loss is the recipe's own, and a batch that is padded may change it"
    return ""


def _layers(recipe: GradientRecipe, session: Session) -> str:
    with isolated(session.seed, session.device):
        model = recipe.build()
    modules = list(model.modules())
    if any(isinstance(each, DROPOUTS) for each in modules):
        return "dropout would draw otherwise than in training one after the other"
    if batch_norms(model):
        return "batch normalisation would see the padding of shorter batches"
    if session.device.type == "cpu" and any(isinstance(each, CONVOLUTIONS) for each in modules):
        return "stacked convolutions become grouped ones, which a processor is slow at"
    return _optimizer(recipe, model)


def _optimizer(recipe: GradientRecipe, model: nn.Module) -> str:
    """Return why the steps of the recipe's optimiser cannot be taken on a stack; or nothing."""
    optimizer = recipe.optimizer(trainable(model))
    if type(optimizer) is not torch.optim.SGD:
        return f"the optimiser is {type(optimizer).__name__}, and only SGD is known"
    if len(optimizer.param_groups) != 1:
        return "the optimiser treats some weights otherwise than others"
    group = optimizer.param_groups[0]
    if group["dampening"] or group["maximize"]:
        return "SGD dampens its momentum or climbs, which a stack does not"
    return ""


def check_room(recipe: GradientRecipe, pool: Examples, models: int, session: Session) -> None:
    """Hold the memory that a stack needs to what there is.

    Counted are the weights and what one forward pass keeps for its backward pass, at the size
    of a real batch, and the pool of records.

    Raises:
        NotStackable: a stack of so many models would not fit.
    """
    limit = RESIDENT_BYTES
    if session.device.type == "cuda":
        limit = torch.cuda.mem_get_info(session.device)[0] // 2
    inputs, target = pool[0]
    records = (inputs.nbytes + target.nbytes) * count(pool)
    needed = records + models * _per_model(recipe, inputs, target, session)
    if needed > limit:
        raise NotStackable(
            f"{models} models and {count(pool)} records would take {needed / 2**20:.0f} MiB, and "
            f"{limit / 2**20:.0f} are allowed"
        )


def _per_model(
    recipe: GradientRecipe, inputs: torch.Tensor, target: torch.Tensor, session: Session
) -> int:
    """Return the bytes of one model in a stack, its batch included."""
    kept: list[torch.Tensor] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    size = min(recipe.batch_size, 2)  # what is kept grows with the batch, all but the weights
    with isolated(session.seed, session.device):
        model = recipe.build().to(session.device)
        batch = torch.stack([inputs] * size).to(session.device)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            recipe.loss(model(batch), torch.stack([target] * size).to(session.device))
    weights = {_at(weight): weight.nbytes for weight in model.parameters()}
    passing = sum(tensor.nbytes for tensor in kept if _at(tensor) not in weights)
    return COPIES * sum(weights.values()) + (passing + batch.nbytes) * recipe.batch_size // size


def _at(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
