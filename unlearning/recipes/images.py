"""Images of any size, classified by any of torchvision's classification models."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from lineage.core.pictures import FORMATS
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.ranges import Range
from unlearning.core.recipe import UnreadableRecord
from unlearning.core.vision import torchvision

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PIXELS = 50_000_000
# What the readers of Pillow raise for a file that is damaged, cut off or too large.
_DAMAGED = (
    *(Image.DecompressionBombError, OSError, SyntaxError, ValueError, LookupError, TypeError),
    *(ArithmeticError, struct.error),
)


class UnknownArchitecture(ValueError):
    """torchvision has no classification model of this name."""


class BaseModelMisfit(ValueError):
    """The base model is not of the architecture that the recipe builds."""


def architectures() -> list[str]:
    """Return the names of torchvision's classification models."""
    return list(torchvision.models.list_models(module=torchvision.models))


@dataclass(frozen=True, kw_only=True)
class ImageClassifier(GradientRecipe):
    """Resize, normalise, optionally flip and shift, and train from random weights.

    From a base model the weights are taken wherever name and shape agree, so that the last layer
    may have other classes. No weights are downloaded.
    """

    title: ClassVar[str] = "Image classifier"
    family: ClassVar[str] = "images"

    architecture: str = "resnet18"
    size: Annotated[int, Range(8, 1024, help="side of the square image, in pixels")] = 32
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    flip: bool = True
    shift: Annotated[int, Range(0, 64, help="largest random shift, in pixels")] = 4

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            UnknownArchitecture: torchvision does not have it.
        """
        super().__post_init__()
        self._check_architecture()

    def _check_architecture(self) -> None:
        if self.architecture not in architectures():
            raise UnknownArchitecture(
                f"ImageClassifier.architecture is {self.architecture!r}; torchvision has "
                f"{', '.join(architectures())}."
            )

    def build(self) -> nn.Module:
        """Return the untrained model, with one output per target."""
        model: nn.Module = torchvision.models.get_model(
            self.architecture, weights=None, num_classes=len(self.targets), **self._extras()
        )
        return model

    def _extras(self) -> dict[str, Any]:
        """Return what some architectures must be told: their input size, or to have one output."""
        if self.architecture.startswith("vit_"):
            return {"image_size": self.size}
        if self.architecture.startswith("maxvit_"):
            return {"input_size": (self.size, self.size)}
        if self.architecture in {"googlenet", "inception_v3"}:
            return {"aux_logits": False, "init_weights": True}
        return {}

    def start(self, base: nn.Module | None) -> nn.Module:
        """Return a fresh model with every tensor of ``base`` that fits.

        Raises:
            BaseModelMisfit: a tensor other than those of the last layer does not fit.
        """
        model = self.build()
        if base is None:
            return model
        fresh = model.state_dict()
        given = {
            name: tensor
            for name, tensor in base.state_dict().items()
            if name in fresh and tensor.shape == fresh[name].shape
        }
        last = next(reversed(fresh)).rpartition(".")[0]
        missing = [name for name in fresh if name not in given and name.rpartition(".")[0] != last]
        if missing:
            raise BaseModelMisfit(
                f"The base model does not fit {self.architecture}: it has no {missing[0]} of "
                f"shape {tuple(fresh[missing[0]].shape)}."
            )
        fresh.update(given)  # in place: it carries the versions of its layers
        model.load_state_dict(fresh)
        return model

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the normalised image, (3, size, size), and the position of the target."""
        pixels = np.asarray(_opened(content).resize((self.size, self.size)), dtype=np.float32)
        image = torch.from_numpy(pixels / 255).permute(2, 0, 1)
        mean, deviation = (torch.tensor(each)[:, None, None] for each in self._moments())
        return (image - mean) / deviation, self.label(target)

    def _moments(self) -> tuple[Sequence[float], Sequence[float]]:
        return self.mean, self.deviation

    def augment(self, inputs: Tensor) -> Tensor:
        """Flip and shift each image of a batch (n, 3, size, size) on its own."""
        if self.flip:
            chosen = torch.rand(len(inputs)) < 0.5  # noqa: PLR2004  (a fair coin)
            inputs = torch.where(
                chosen.to(inputs.device)[:, None, None, None], inputs.flip(-1), inputs
            )
        return _shifted(inputs, self.shift) if self.shift else inputs


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        whole = image.convert("RGB") if image.width * image.height <= MOST_PIXELS else None
    except _DAMAGED as problem:
        raise UnreadableRecord(
            f"The content is not a complete image of a known format ({', '.join(FORMATS)})."
        ) from problem
    if whole is None:
        raise UnreadableRecord(
            f"The image has {image.width} x {image.height} pixels; at most {MOST_PIXELS} in all "
            f"are allowed."
        )
    return whole


def _shifted(inputs: Tensor, most: int) -> Tensor:
    """Move each image by up to ``most`` pixels each way; what comes in from outside is zero."""
    number, _, height, width = inputs.shape
    padded = nn.functional.pad(inputs, (most, most, most, most))
    down, right = torch.randint(0, 2 * most + 1, (2, number)).to(inputs.device)
    rows = (torch.arange(height, device=inputs.device) + down[:, None])[:, None, :, None]
    columns = (torch.arange(width, device=inputs.device) + right[:, None])[:, None, None, :]
    images = torch.arange(number, device=inputs.device)[:, None, None, None]
    channels = torch.arange(inputs.shape[1], device=inputs.device)[None, :, None, None]
    return padded[images, channels, rows, columns]
