"""What is unlearned in the benchmark: data, network, how it is split and how often it is tried.

The splits are those of *Deep Unlearn*: 15 % of the training part are validation data, 10 % of
the rest are to be forgotten, drawn once with the seed 123; only initial weights differ.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

from unlearning.core.comparison import Sets
from unlearning.core.examples import Held
from unlearning.recipes.digits import DigitsMLP
from unlearning.recipes.small_images import SmallImages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from unlearning.core.recipe import Recipe

Pair: TypeAlias = "tuple[Tensor, Tensor]"
SPLIT_SEED, PROXIES = 123, 5
VALIDATION, FORGET, TEST = 0.15, 0.1, 0.2
CIFAR_MEAN, CIFAR_DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class NoImages(FileNotFoundError):
    """The folder of images is not there."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One column of the table; ``load`` returns the training and the test part."""

    name: str
    recipe: Recipe
    initialisations: int
    load: Callable[[Path | None], tuple[Pair, Pair]]
    methods: tuple[str, ...] = ()  # empty: all that are defined on it


@dataclass(frozen=True, kw_only=True)
class Split:
    """The sets of a cell, and those of the proxy problems that hyperparameters are tuned on.

    A proxy trains on the retain set alone and forgets a part of that, each another one, so that
    tuning never sees the forget set. ``calibration`` is the half of the validation data that
    methods may read.
    """

    sets: Sets
    proxies: tuple[Sets, ...]
    calibration: Held


def digits(_root: Path | None) -> tuple[Pair, Pair]:
    """Return 1,437 and 360 of scikit-learn's digits, (n, 1, 8, 8) in 0..1."""
    found = load_digits()
    images = torch.from_numpy(np.asarray(found.images, np.float32) / 16)[:, None]
    return _halves((images, torch.from_numpy(found.target).long()))


def coloured_digits(_root: Path | None) -> tuple[Pair, Pair]:
    """Return the same as three equal channels of 16 x 16, normalised."""
    return tuple((_wide(images), labels) for images, labels in digits(None))  # type: ignore[return-value]


def _wide(images: Tensor) -> Tensor:
    large = torch.nn.functional.interpolate(images, size=16, mode="bilinear")
    return ((large - 0.3) / 0.35).expand(-1, 3, -1, -1).contiguous()


def _halves(pair: Pair) -> tuple[Pair, Pair]:
    rest, test = _cut(np.arange(len(pair[1])), TEST)
    return _take(pair, rest), _take(pair, test)


def cifar(most: int | None) -> Callable[[Path | None], tuple[Pair, Pair]]:
    """Return a loader of CIFAR-10 from ``train/<class>/*`` and ``test/<class>/*``."""

    def load(root: Path | None) -> tuple[Pair, Pair]:
        train, test = _folder(root, "train"), _folder(root, "test")
        if most is None:
            return train, test
        rng = np.random.default_rng(SPLIT_SEED)
        return tuple(  # type: ignore[return-value]
            _take(pair, np.sort(rng.permutation(len(pair[1]))[:size]))
            for pair, size in ((train, most), (test, most // 2))
        )

    return load


def _folder(root: Path | None, part: str) -> Pair:
    """Return every image of a folder, decoded once into an array beside it."""
    if root is None or not (root / part).is_dir():
        raise NoImages(
            f"--data-root is {root}; it must hold the folder {part} with one folder of images "
            "per class."
        )
    kept = root / f"{part}.npz"
    if not kept.exists():
        from unlearning.core.vision import torchvision  # noqa: PLC0415  (only where images are read)

        found = torchvision.datasets.ImageFolder(str(root / part))
        arrays = [np.asarray(image, np.uint8) for image, _ in found]
        written = kept.with_suffix(f".{os.getpid()}.npz")  # several processes may begin at once
        np.savez(written, images=np.stack(arrays), labels=np.asarray(found.targets))
        written.replace(kept)
    read = np.load(kept)
    images = torch.from_numpy(read["images"]).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (
        torch.tensor(each)[None, :, None, None] for each in (CIFAR_MEAN, CIFAR_DEVIATION)
    )
    return (images - mean) / deviation, torch.from_numpy(read["labels"]).long()


def split(train: Pair, test: Pair) -> Split:
    """Cut the training part into retain, forget and validation set; see ``Split``."""
    rest, validation = _cut(np.arange(len(train[1])), VALIDATION)
    retain, forget = _cut(rest, FORGET)
    calibration, judged = _cut(validation, 0.5)
    proxies = [_cut(retain, FORGET, SPLIT_SEED + 1 + number) for number in range(PROXIES)]

    def held(indices: np.ndarray) -> Held:
        return Held(TensorDataset(*_take(train, indices)))

    outside = {"validation": held(judged), "test": Held(TensorDataset(*test))}
    return Split(
        sets=Sets(retain=held(retain), forget=held(forget), **outside),
        proxies=tuple(
            Sets(retain=held(kept), forget=held(gone), **outside) for kept, gone in proxies
        ),
        calibration=held(calibration),
    )


def _cut(
    indices: np.ndarray, share: float, seed: int = SPLIT_SEED
) -> tuple[np.ndarray, np.ndarray]:
    kept, cut = train_test_split(indices, test_size=share, random_state=seed)
    return kept, cut


def _take(pair: Pair, indices: np.ndarray) -> Pair:
    return pair[0][indices], pair[1][indices]


CLASSES = tuple("0123456789")
EIGHT = (
    "finetune",
    "neggrad_plus",
    "scrub",
    "salun",
    "msg",
    "fcs",
    "conv_transpose",
    "bad_teacher",
)
CELLS = {
    "cpu": (
        Cell(name="digits-mlp", recipe=DigitsMLP(), initialisations=10, load=digits),
        Cell(
            name="digits-resnet",
            recipe=SmallImages(
                targets=CLASSES, size=16, width=8, flip=False, shift=1, epochs=20, batch_size=64
            ),
            initialisations=3,
            load=coloured_digits,
        ),
        Cell(
            name="cifar10-5000",
            recipe=SmallImages(targets=CLASSES, size=32, width=16, epochs=20, batch_size=128),
            initialisations=2,
            load=cifar(5000),
            methods=EIGHT,
        ),
    ),
    "gpu": (
        Cell(
            name="cifar10",
            recipe=SmallImages(
                targets=CLASSES,
                size=32,
                architecture="resnet18_small_stem",
                epochs=40,
                batch_size=128,
            ),
            initialisations=3,
            load=cifar(None),
        ),
    ),
}
