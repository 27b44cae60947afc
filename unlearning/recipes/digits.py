"""Handwritten digits: 8 x 8 grey images, small enough to retrain in a second on one core.

The records are those that scikit-learn carries (Alpaydin and Kaynak, UCI, 1998), so that every
example and every test runs without a download.
"""

from __future__ import annotations

import io
from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.ranges import Range
from unlearning.core.recipe import UnreadableRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIDE, LEVELS = 8, 16


class BaseModelRequired(ValueError):
    """A fine-tuned child cannot be trained without the model it starts from."""


def encode(levels: Sequence[Sequence[float]]) -> bytes:
    """Return 8 x 8 grey levels 0..16 as a PNG, each level stored as round(level * 255 / 16)."""
    pixels = np.rint(np.asarray(levels) * 255 / LEVELS).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def decode_levels(content: bytes) -> Tensor:
    """Return the levels of such a PNG divided by 16: float32, (8, 8), exactly what was encoded.

    Raises:
        UnreadableRecord: it is no PNG, not grey, or not 8 x 8.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=["PNG"])
        pixels = np.asarray(image) if image.width * image.height <= SIDE * SIDE else None
    except (OSError, SyntaxError, ValueError) as problem:  # of a file that is damaged or cut off
        raise UnreadableRecord(
            "The content is not a complete PNG image, as a digit must be."
        ) from problem
    if pixels is None or (image.mode, image.size) != ("L", (SIDE, SIDE)):
        raise UnreadableRecord(
            f"A digit is a grey image (mode L) of 8 x 8 pixels, and this is one of mode "
            f"{image.mode} and {image.width} x {image.height} pixels."
        )
    return torch.from_numpy(np.rint(pixels * (LEVELS / 255)).astype(np.float32) / LEVELS)


def digit_records() -> Iterator[tuple[bytes, str]]:
    """Yield (content, target) for each of the 1797 images."""
    # Half of scikit-learn comes with it, and training from stored records never needs it.
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    for levels, target in zip(digits.images, digits.target, strict=True):
        yield encode(levels), str(target)


@dataclass(frozen=True, kw_only=True)
class Digits(GradientRecipe, ABC):
    """What the recipes for digits share; the defaults memorise, so that audits have a signal."""

    family: ClassVar[str] = "digits"

    targets: tuple[str, ...] = tuple("0123456789")
    weight_decay: Annotated[float, Range(0, 0.1, help="pull of the weights to zero")] = 0.0
    batch_size: Annotated[int, Range(1, 65536, help="records in a step")] = 32

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the grey levels in 0..1, (1, 8, 8), and the position of the target."""
        return decode_levels(content)[None], self.label(target)


@dataclass(frozen=True, kw_only=True)
class DigitsMLP(Digits):
    """A perceptron with one hidden layer, 64-128-10 by default."""

    title: ClassVar[str] = "Digits, perceptron"

    hidden: Annotated[int, Range(1, 4096, help="units in the hidden layer")] = 128

    def build(self) -> nn.Module:
        """Return the untrained perceptron."""
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(SIDE * SIDE, self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, len(self.targets)),
        )


@dataclass(frozen=True, kw_only=True)
class DigitsCNN(Digits):
    """Two convolutions with batch normalisation, then a linear layer."""

    title: ClassVar[str] = "Digits, convolutional network"

    width: Annotated[int, Range(1, 512, help="channels of the first convolution")] = 16

    def build(self) -> nn.Module:
        """Return the untrained network."""
        wide = 2 * self.width
        return nn.Sequential(
            nn.Conv2d(1, self.width, 3, padding=1, bias=False),
            nn.BatchNorm2d(self.width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(self.width, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(wide * (SIDE // 4) ** 2, len(self.targets)),
        )


@dataclass(frozen=True, kw_only=True)
class DigitsFineTune(DigitsMLP):
    """A few gentle epochs from the weights of a base model of the same shape."""

    title: ClassVar[str] = "Digits, fine-tuned from a base model"

    learning_rate: Annotated[float, Range(1e-5, 1.0, log=True, help="size of a step")] = 0.01
    epochs: Annotated[int, Range(1, 10000, help="passes over the training set")] = 5

    def start(self, base: nn.Module | None) -> nn.Module:
        """Return a copy of the base model.

        Raises:
            BaseModelRequired: there is none.
        """
        if base is None:
            raise BaseModelRequired(
                f"{self.title}: this recipe starts from a base model, and the session has none; "
                f"pass it as base."
            )
        return super().start(base)
