"""Neighbours of a record: shifted and noised copies, which a method that knows it may overlook.

Copy j moves every record in the same way, which a seed and the shape of a record decide: so the
copies of a record do not depend on its batch, and what a model says of copy j can be compared over
records and models. The seed is the auditor's: who knows the copies can match them as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import Subset, TensorDataset

from audits.core.scores import evaluating, margin
from unlearning.core.examples import RESIDENT_BYTES, Held, count

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from unlearning.core.examples import Examples

    Floats: TypeAlias = NDArray[np.float64]

COUNT = 8
NOISE = 0.5
IMAGES = 4
BATCH = 512
SPREAD_SAMPLE = 500


@dataclass(frozen=True, kw_only=True)
class Copies:
    """How to make q copies of a record.

    Attributes:
        seed: of shifts and noise; it is fixed before a model is looked at, and not published.
        count: how many, q.
        noise: standard deviation of the noise of the farthest copy, in units of the features'
            spread. The others are nearer in equal steps, as nobody knows how wide a dent is.
        reach: images are shifted by up to so many pixels either way, along both axes.
        flips: whether every other copy of an image is mirrored.

    Raises:
        ValueError: there are no copies, or noise or reach lies below 0.
    """

    seed: int
    count: int = COUNT
    noise: float = NOISE
    reach: int = 1
    flips: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no copies."""
        for name, value, least in (
            ("count", self.count, 1),
            ("noise", self.noise, 0),
            ("reach", self.reach, 0),
        ):
            if value < least:
                raise ValueError(f"{name} is {value}; it must be {least} or more.")

    def around(self, inputs: Tensor, spread: Tensor | float = 1.0) -> Tensor:
        """Return the copies, shape [k, q, ...].

        Args:
            inputs: floating point, shape [k, ...]. With four dimensions they are images,
                [k, channels, height, width], and are shifted before noise is added.
            spread: standard deviation of the inputs' features, one number or a shape that fits a
                record; take it from data other than the questioned records.
        """
        scale = torch.as_tensor(spread, dtype=inputs.dtype, device=inputs.device)
        rng = np.random.default_rng(self.seed)
        made = [self._copy(inputs, scale, rng, number) for number in range(self.count)]
        return torch.stack(made, dim=1)

    def _copy(
        self, inputs: Tensor, scale: Tensor, rng: np.random.Generator, number: int
    ) -> Tensor:
        noise = torch.from_numpy(rng.standard_normal(tuple(inputs.shape[1:]))).to(inputs)
        down, right = rng.integers(-self.reach, self.reach + 1, 2).tolist()
        moved = inputs
        if inputs.ndim == IMAGES:
            moved = shifted(inputs, down, right)
            if self.flips and number % 2:
                moved = moved.flip(-1)
        return moved + self.noise * (number + 1) / self.count * scale * noise


def copies_around(asked: Examples, retain: Examples, *, seed: int) -> Examples | None:
    """Return q copies of each record, those of a record together, under its own label.

    None where inputs are not numbers that can be moved, or where the copies do not fit in memory.
    The spread of the features is that of the first few hundred retained records.
    """
    first = asked[0][0]
    size = count(asked) * COUNT * first.numel() * first.element_size()
    if not first.is_floating_point() or size > RESIDENT_BYTES:
        return None
    inputs, labels = Held(asked).all()
    sample = Subset(retain, range(min(count(retain), SPREAD_SAMPLE)))
    made = Copies(seed=seed).around(inputs, Held(sample).all()[0].std(0))
    return TensorDataset(made.flatten(0, 1), labels.repeat_interleave(made.shape[1]))


def shifted(images: Tensor, down: int, right: int) -> Tensor:
    """Return images moved by so many pixels; what is uncovered repeats the edge."""
    reach = max(abs(down), abs(right))
    if reach == 0:
        return images
    height, width = images.shape[-2:]
    padded = functional.pad(images, (reach,) * 4, mode="replicate")
    top, left = reach - down, reach - right
    return padded[..., top : top + height, left : left + width]


def margins_around(model: nn.Module, copies: Tensor, labels: Tensor) -> Floats:
    """Return a classifier's margins on copies of records, shape [k, q]; higher = member.

    Args:
        model: evaluated where it is; training modes are left as they were found.
        copies: shape [k, q, ...], from ``Copies.around``.
        labels: class numbers of the records, shape [k].

    Raises:
        OutputsRefused: the labels do not fit.
    """
    k, q = copies.shape[:2]
    flat, targets = copies.flatten(0, 1), labels.repeat_interleave(q)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    with evaluating(model), torch.no_grad():
        found = [
            margin(model(flat[start : start + BATCH].to(device)), targets[start : start + BATCH])
            for start in range(0, k * q, BATCH)
        ]
    return np.concatenate(found).reshape(k, q)
