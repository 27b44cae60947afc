"""Gradient descent in which no person weighs more than a clip, and noise hides that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unlearning.core.examples import count
from unlearning.core.norms import batch_norms
from unlearning.core.private.accounting import accountants, mechanism
from unlearning.core.private.draws import Draws, numbered
from unlearning.core.private.terms import Privacy, PrivacyRefused
from unlearning.core.seeding import reseed
from unlearning.core.session import Unrecorded
from unlearning.core.training import check_finite, set_rate
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from unlearning.core.examples import Held
    from unlearning.core.phase import Phase
    from unlearning.core.private.accounting import Mechanism
    from unlearning.core.session import Session


def descend_privately(
    model: nn.Module, examples: Held, phase: Phase, privacy: Privacy, session: Session
) -> None:
    """Take every step of a private training, in place: DP-SGD with the person as the unit.

    Each step draws people by chance (not batches in turn), takes the mean gradient of each one's
    records, shortens it to the clip, adds noise to the sum, and divides by the number of people
    expected; the optimiser of the recipe does the rest. A step that drew nobody is noise alone.
    After Abadi et al. (CCS 2016), with the unit of McMahan et al., "Learning differentially
    private recurrent language models" (ICLR 2018). Every state on the way is covered, too.

    Raises:
        PrivacyRefused: the model mixes examples, a recorder is listening, the session has no
            secret, or the promise cannot be kept.
        Cancelled: the caller asked to stop.
        LossNotFinite: at the first such step.
    """
    if not isinstance(session.recorder, Unrecorded):
        raise PrivacyRefused("A private training cannot be recorded: its noise must be forgotten.")
    people = numbered(session.people, count(examples))
    given = mechanism(
        privacy,
        records=len(people),
        people=int(people.max()) + 1,
        batch_size=phase.plan.batch_size,
        epochs=phase.plan.epochs,
    )
    draws = Draws(session.secret)
    model.train()
    _check(model)
    watched = _watched(model)
    try:
        _Descent(people=people, draws=draws, privacy=privacy, mechanism=given).run(
            model, examples, phase, session
        )
    finally:
        watched.to_standard_module()


@dataclass(frozen=True, kw_only=True)
class _Descent:
    """What a private training draws by, and with which noise; ``people`` says whose each is."""

    people: NDArray[np.int64]
    draws: Draws
    privacy: Privacy
    mechanism: Mechanism

    def run(self, model: nn.Module, examples: Held, phase: Phase, session: Session) -> None:
        """Take every step of a model that Opacus watches."""
        optimizer, total = self._optimizer(phase.optimizer), self.mechanism.steps
        for step in range(total):
            session.step(phase.name, step, total)
            # Not by the seed that is written down: how an example is varied depends on its place
            # in the step, so on who else is in it, and one person would move all the others.
            reseed(self.draws.seed(), session.device)
            set_rate(phase.optimizer, phase.rate(step, total))
            drawn = np.flatnonzero(np.isin(self.people, self._drawn()))
            optimizer.zero_grad(set_to_none=True)
            if len(drawn):
                value = _gradients(_batch(examples, drawn), phase, session)
                check_finite(value, phase.name, step, total)
            join_people(trainable(model), self.people[drawn])
            optimizer.step()
        session.step(phase.name, total, total)

    @property
    def _count(self) -> int:
        return int(self.people.max()) + 1

    def _drawn(self) -> NDArray[np.int64]:
        return self.draws.people(self._count, self.mechanism.rate)

    def _optimizer(self, inner: torch.optim.Optimizer) -> Any:  # noqa: ANN401  (an extra's)
        """Return Opacus' optimiser around another, with its noise drawn from the secret."""
        from opacus.optimizers import DPOptimizer  # noqa: PLC0415  (an extra)

        noise = self.draws.noise

        class Noisy(DPOptimizer):  # type: ignore[misc]  # Opacus is untyped
            def add_noise(self) -> None:
                for weight in self.params:
                    summed = weight.summed_grad
                    drawn = noise(summed, self.noise_multiplier * self.max_grad_norm)
                    weight.grad = (summed + drawn).view_as(weight)

        return Noisy(
            inner,
            noise_multiplier=self.mechanism.noise,
            max_grad_norm=self.privacy.clip,
            expected_batch_size=self.mechanism.rate * self._count,
        )


def _batch(examples: Held, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    batch = next(iter(examples.batches([chosen.tolist()])))
    assert batch is not None  # noqa: S101  (it holds somebody)
    return batch


def _gradients(batch: tuple[Tensor, Tensor], phase: Phase, session: Session) -> float:
    """Have Opacus leave the gradient of each example in ``grad_sample`` of each weight."""
    inputs, targets = (tensor.to(session.device) for tensor in batch)
    # Each by itself: a variation that mixes examples would carry one person into another.
    varied = torch.cat([phase.augment(one) for one in torch.split(inputs, 1)])
    if varied.is_floating_point():
        varied.requires_grad_()  # or torch warns at the backward hook of the first layer
    loss = phase.objective(varied, targets)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return loss.item()


def join_people(weights: list[nn.Parameter], people: NDArray[np.int64]) -> None:
    """Put, in ``grad_sample``, the mean gradient of each person in the place of those of records.

    Args:
        weights: each with ``grad_sample`` of shape (n, ...), or None where nobody was drawn.
        people: (n,), whose each is.
    """
    names, own, size = np.unique(people, return_inverse=True, return_counts=True)
    for weight in weights:
        each: Tensor | None = getattr(weight, "grad_sample", None)
        summed = weight.new_zeros((len(names), *weight.shape))
        if each is not None:
            summed.index_add_(0, torch.from_numpy(own).to(summed.device), each)
            sizes = torch.from_numpy(size).to(summed)
            summed /= sizes.view(-1, *[1] * weight.dim())
        weight.grad_sample = summed  # type: ignore[attr-defined]


def _watched(model: nn.Module) -> Any:  # noqa: ANN401  (Opacus is an extra)
    """Return Opacus' wrapper, which keeps the gradient of each example while it is there."""
    accountants()  # says how to install what is missing
    from opacus import GradSampleModule  # noqa: PLC0415  (an extra)

    try:
        return GradSampleModule(model, loss_reduction="mean")
    except NotImplementedError as problem:
        raise PrivacyRefused(
            f"Opacus cannot take this model apart by example: {problem}"
        ) from problem


def _check(model: nn.Module) -> None:
    """Refuse a model in which one example acts on the output of another.

    Raises:
        PrivacyRefused: the sentence names the layers.
    """
    accountants()
    from opacus.validators import ModuleValidator  # noqa: PLC0415  (an extra)

    mixing = set(batch_norms(model))
    if named := [name for name, layer in model.named_modules() if layer in mixing]:
        raise PrivacyRefused(
            f"The layers {', '.join(named)} normalise over the batch, so that one person's "
            "records act on the gradients of others; take GroupNorm or LayerNorm in a private "
            "recipe."
        )
    if problems := ModuleValidator.validate(model, strict=False):
        raise PrivacyRefused(f"Opacus refuses this model: {'; '.join(map(str, problems))}")
