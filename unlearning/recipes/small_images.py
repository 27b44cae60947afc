"""Networks for small images: thin residual ones, ResNet-18 with a small stem, a small ViT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from torch import Tensor, nn

from unlearning.core.ranges import Range
from unlearning.core.vision import torchvision
from unlearning.recipes.images import ImageClassifier, UnknownArchitecture

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES, PATCH, HEADS, LAYERS = 3, 4, 4, 4


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; the shortcut pads new channels with zeros."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        """Lead from ``inside`` channels to ``outside``."""
        super().__init__()
        self.stride, self.padding = stride, outside - inside
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (n, outside, height / stride, width / stride)."""
        branch = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(inputs)))))
        shortcut = inputs[:, :, :: self.stride, :: self.stride]
        shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, 0, self.padding))
        return torch.relu(branch + shortcut)


def thin_resnet(width: int, depth: int, classes: int) -> nn.Module:
    """Return a residual network of 6 * depth + 2 layers (He et al. 2016, section 4.2)."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    ]
    inside = width
    for stage in range(STAGES):
        for place in range(depth):
            outside = width * 2**stage
            layers.append(Block(inside, outside, 2 if stage and not place else 1))
            inside = outside
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, classes)]
    return nn.Sequential(*layers, *head)


def resnet18_small_stem(classes: int) -> nn.Module:
    """Return ResNet-18 with a 3 x 3 stem and no pooling after it, as is usual at 32 x 32."""
    model: nn.Module = torchvision.models.resnet18(weights=None, num_classes=classes)
    model.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    return model


def small_vit(size: int, width: int, classes: int) -> nn.Module:
    """Return a vision transformer on patches of 4 x 4 (Dosovitskiy et al. 2021)."""
    model: nn.Module = torchvision.models.VisionTransformer(
        image_size=size,
        patch_size=PATCH,
        num_layers=LAYERS,
        num_heads=HEADS,
        hidden_dim=width * HEADS,
        mlp_dim=2 * width * HEADS,
        num_classes=classes,
    )
    return model


BUILD: dict[str, Callable[[SmallImages], nn.Module]] = {
    "resnet18_small_stem": lambda one: resnet18_small_stem(len(one.targets)),
    "small_vit": lambda one: small_vit(one.size, one.width, len(one.targets)),
    "thin_resnet": lambda one: thin_resnet(one.width, one.depth, len(one.targets)),
}


@dataclass(frozen=True, kw_only=True)
class SmallImages(ImageClassifier):
    """As ``ImageClassifier``, with networks that suit small images and small machines."""

    title: ClassVar[str] = "Small images"

    architecture: str = "thin_resnet"
    width: Annotated[int, Range(1, 512, help="channels of the first stage, or per head")] = 16
    depth: Annotated[int, Range(1, 18, help="blocks in each stage of a thin_resnet")] = 1

    def _check_architecture(self) -> None:
        if self.architecture not in BUILD:
            raise UnknownArchitecture(
                f"SmallImages.architecture is {self.architecture!r}; there are {', '.join(BUILD)}."
            )

    def build(self) -> nn.Module:
        """Return the untrained model, with one output per target."""
        return BUILD[self.architecture](self)
