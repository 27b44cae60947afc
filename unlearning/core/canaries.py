"""Canaries: synthetic examples with secret noise, trained on only to be erased and measured.

Only a seed is secret and only it is kept. It gives everything about the canaries of one training:
inputs that are nobody's, labels, the noise, its size, and the coins that decided which of them
were trained on. The numbers are numpy's, from PCG-64: whoever holds the model must not hold the
seed, and no more is asked of the generator.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import nn
from torch.utils.data import Subset, TensorDataset

from unlearning.core.examples import Held, count
from unlearning.core.gradient_recipe import GradientRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

SEED_BITS = 256
COINS, NOISE, CLEAN, LABELS, SIZE = range(5)
SMALLEST, LARGEST = 0.5, 1.0  # more noise is learned no better, and leans no further
SAMPLE = 500
EXTREMES = 10


class CannotPlant(ValueError):
    """No canaries can be planted in this training."""


def new_seed() -> int:
    """Return a seed of 256 bits from the operating system, to be kept apart from the data."""
    return secrets.randbits(SEED_BITS)


def coins(number: int, seed: int) -> Flags:
    """Return which of ``number`` canaries to include, each by a fair coin, shape [number]."""
    return _generator(seed, COINS).integers(0, 2, number).astype(np.bool_)


def plant(inputs: Tensor, seed: int, *, size: float) -> Tensor:
    """Return inputs with Gaussian noise of standard deviation ``size``, to be trained on.

    The noise is not returned and need not be stored: the seed gives it again. Do not clip or
    round what is returned more than training needs. It costs power and never validity.

    Args:
        inputs: floating point, shape [m, ...], one canary per row.
        seed: from ``new_seed``.
        size: in the unit of the inputs, above 0.

    Raises:
        ValueError: the size is not above zero.
    """
    if not size > 0:
        raise ValueError(f"size is {size}; the noise of a canary must be above 0.")
    drawn = torch.from_numpy(noise(tuple(inputs.shape), seed))
    return (inputs.double().cpu() + size * drawn).to(inputs)


def noise(shape: tuple[int, ...], seed: int) -> Floats:
    """Return the unit noise of a seed, one canary per row."""
    return _generator(seed, NOISE).standard_normal(shape)


@dataclass(frozen=True, kw_only=True)
class Units:
    """Where the inputs of a training lie, coarsely: a centre and a spread, by feature or at all.

    The smallest and largest values of each feature are left out, every spread is a power of two
    and every centre a multiple of it, so that what one record alone has does not show in either:
    they may outlive the records.
    """

    shape: tuple[int, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def around(cls, examples: Examples) -> Units:
        """Measure the first examples of a set.

        Raises:
            CannotPlant: their inputs are no floating-point numbers, or all the same.
        """
        sample = Held(Subset(examples, range(min(SAMPLE, count(examples))))).all()[0]
        if not sample.is_floating_point():
            raise CannotPlant(
                f"The inputs are of type {sample.dtype}; canaries need continuous ones."
            )
        values = sample.double().numpy()
        if values.ndim > 2:  # noqa: PLR2004  # pictures: every number is of one kind
            values = values.reshape(-1, 1)
        values = _without_extremes(values)
        spread = _power_of_two(values.std(0))
        if not spread.any():
            raise CannotPlant("All inputs are the same; canaries need some that vary.")
        steps = np.divide(values.mean(0), spread, out=np.zeros_like(spread), where=spread > 0)
        fixed = np.where(spread > 0, np.rint(steps) * spread, np.rint(values.mean(0)))
        return cls(
            shape=tuple(sample.shape[1:]), centre=tuple(fixed.tolist()), spread=tuple(spread)
        )

    def spreads(self) -> Tensor:
        """Return what one unit is in each input, to be broadcast over it."""
        return torch.tensor(self.spread, dtype=torch.float32)

    def inputs(self, units: Tensor) -> Tensor:
        """Return inputs of a model, [m, ...], for as many in these units."""
        return (
            torch.tensor(self.centre, dtype=torch.float32).to(units)
            + self.spreads().to(units) * units
        )


@dataclass(frozen=True, kw_only=True)
class CanarySet:
    """The canaries of one training, by number: all of them follow from the seed.

    Attributes:
        seed: the secret.
        number: how many were drawn; about half of them were trained on.
        classes: labels are below it.
        units: where the inputs lie.
    """

    seed: int
    number: int
    classes: int
    units: Units

    @property
    def size(self) -> float:
        """The standard deviation of the noise, in units, between ``SMALLEST`` and ``LARGEST``."""
        low, high = np.log(SMALLEST), np.log(LARGEST)
        return float(np.exp(_generator(self.seed, SIZE).uniform(low, high)))

    @property
    def included(self) -> Flags:
        """Which of them were trained on, [number]."""
        return coins(self.number, self.seed)

    @property
    def labels(self) -> Tensor:
        """Their labels, [number]."""
        drawn = _generator(self.seed, LABELS).integers(0, self.classes, self.number)
        return torch.from_numpy(drawn).long()

    @property
    def clean(self) -> Tensor:
        """The inputs before the noise, in units, [number, ...]."""
        drawn = _generator(self.seed, CLEAN).standard_normal((self.number, *self.units.shape))
        return torch.from_numpy(drawn).float()

    @property
    def noisy(self) -> Tensor:
        """What was trained on, as inputs of the model, [number, ...]."""
        return self.units.inputs(plant(self.clean, self.seed, size=self.size))

    def learned(self, first: int, last: int) -> TensorDataset:
        """Return those numbered first..last - 1 that were trained on."""
        mine = np.flatnonzero(self.included[first:last]) + first
        return TensorDataset(self.noisy[mine], self.labels[mine])

    def digest(self) -> str:
        """Return the SHA-256 of all that was drawn, which tells whether it is drawn again."""
        found = hashlib.sha256(self.noisy.numpy().tobytes())
        found.update(self.labels.numpy().tobytes())
        found.update(self.included.tobytes())
        return found.hexdigest()


class InUnits(nn.Module):
    """A model as one of inputs in units, so that their noise is the same in every direction."""

    def __init__(self, model: nn.Module, units: Units) -> None:
        """Look at ``model`` through ``units``."""
        super().__init__()
        self.model = model
        self._units = units

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, [m, classes]."""
        found: Tensor = self.model(self._units.inputs(inputs))
        return found


def why_not(recipe: Recipe, *, base: bool) -> str:
    """Return why no canaries can be planted in a training; empty where they can."""
    if not isinstance(recipe, GradientRecipe):
        return (
            f"{recipe.title} is not trained by plain gradient steps as a whole, and canaries are "
            f"planted in no other training."
        )
    if recipe.privacy:
        return f"{recipe.title} is trained privately, and canaries would be people of nobody."
    if base:
        return "A training that starts from a base model has no canaries of its own."
    return ""


def _without_extremes(values: Floats) -> Floats:
    """Return the values of each feature without its smallest and largest, [n - 2k, features]."""
    left_out = min(EXTREMES, max(1, len(values) // 20), (len(values) - 1) // 2)
    inner = np.sort(values, axis=0)[left_out : len(values) - left_out]
    return np.asarray(inner, np.float64)


def _power_of_two(values: Sequence[float] | Floats) -> Floats:
    found = np.asarray(values, np.float64)
    powers = np.exp2(np.rint(np.log2(found, out=np.zeros_like(found), where=found > 0)))
    return np.where(found > 0, powers, 0.0)


def _generator(seed: int, purpose: int) -> np.random.Generator:
    """Return a generator for one purpose, unrelated to those for others."""
    return np.random.default_rng([seed, purpose])
