"""Retraining from scratch: the reference that every other method is judged against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from unlearning.core.claims import Cost, Guarantee, Layers
from unlearning.core.method import Method, Outcome
from unlearning.core.seeding import isolated

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


class WarmStart(ValueError):
    """The retraining would start from the very model that is to be unlearned."""


class TensorSurvived(RuntimeError):
    """Retraining arrived at a tensor of the original model, bit for bit."""


@dataclass(frozen=True, kw_only=True)
class Retrain(Method):
    r"""Train a fresh model on the retain set, by the original recipe.

    Nothing of the original model is taken over, so there is nothing in which a trace could stay.

    **Assumption.** The recipe is complete: nothing fitted on the forget set (a scaler, a
    vocabulary, a backbone, a chosen hyperparameter, an early stop) reaches the new model from
    outside it. A base model that has seen the forget set must be cleared first.

    **Update.** theta_r = A(R), where A is the whole training procedure (fresh weights, scalers
    refitted, full schedule) and R = D \ F the retain set. The original weights theta_o are used
    for one check only: no tensor that training moved may equal the one it replaces.

    **Reference.** The definition of unlearning in Cao and Yang, "Towards making systems forget
    with machine unlearning", IEEE S&P 2015; called "naive" or "R" in benchmarks.

    **Cost.** One full training; only the epochs' share of F is saved.

    **Known failure.** A partial reset, such as one that reaches only the outermost layers, is a
    warm start and no retraining. Here a new model object is built, so that this cannot happen,
    unless ``build`` of the recipe itself loads old weights.

    **When.** Whenever a full training can be afforded before the answer is due.

    **Not.** Where the recipe, or a base model cleared of the records, is missing.
    """

    title: ClassVar[str] = "Retrain from scratch"
    paper: ClassVar[str] = "Cao and Yang, IEEE S&P 2015"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost(trainings=1)
    mixed_precision: ClassVar[bool] = True  # as the training that it repeats
    layers: ClassVar[Layers] = Layers.WHOLE

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        start = _weights(_start(context))
        old = _weights(model)
        if old and start.keys() == old.keys() and not _moved(old, start):
            raise WarmStart(
                "Retraining would start from the original model itself; give the cleared base "
                "model, or none."
            )
        theta_r = (
            context.fresh(context) if context.fresh else context.recipe.train(retain, context)
        )
        new = _weights(theta_r)
        survivors = sorted(_moved(new, start) - _moved(new, old))
        if survivors:
            raise TensorSurvived(
                f"Retraining gave the original value of {', '.join(survivors)} again, bit for "
                f"bit: the recipe does not depend on the examples it is given."
            )
        return Outcome(model=theta_r, stop_reason="the full schedule of the recipe was run")


def _start(context: Context) -> nn.Module:
    """Return what ``Recipe.train`` will start from."""
    with isolated(context.seed, context.device):
        return context.recipe.start(context.base).to(context.device)


def _weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.detach() for name, weight in model.named_parameters()}


def _moved(after: dict[str, torch.Tensor], before: dict[str, torch.Tensor]) -> set[str]:
    """Return the names whose tensor in ``after`` is new, or not the one in ``before``."""
    return {
        name
        for name, tensor in after.items()
        if name not in before or not torch.equal(tensor, before[name].to(tensor.device))
    }
