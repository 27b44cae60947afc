"""Well-known image collections as (content, target) pairs, ready for import.

Everything is read from a local folder; nothing is downloaded.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from unlearning.core.vision import torchvision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CIFAR_PIXELS = 3 * 32 * 32
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


class CollectionMissing(FileNotFoundError):
    """The folder does not hold the files of the collection."""


class CollectionDamaged(ValueError):
    """A file of the collection does not have the length it must have."""


def image_folder(root: Path) -> Iterator[tuple[bytes, str]]:
    """Yield each image of ``root/<target>/...``, its bytes as they are, in order of path."""
    if not root.is_dir():
        raise CollectionMissing(f"There is no folder {root}; it must hold one folder per target.")
    folder = torchvision.datasets.ImageFolder(root)
    for path, position in folder.samples:
        yield Path(path).read_bytes(), folder.classes[position]


def mnist(root: Path, *, train: bool) -> Iterator[tuple[bytes, str]]:
    """Yield MNIST from its idx files in ``root/MNIST/raw``; targets are "0" to "9"."""
    return _idx(torchvision.datasets.MNIST, root, train=train)


def fashion_mnist(root: Path, *, train: bool) -> Iterator[tuple[bytes, str]]:
    """Yield FashionMNIST from its idx files in ``root/FashionMNIST/raw``; "0" to "9" too."""
    return _idx(torchvision.datasets.FashionMNIST, root, train=train)


def cifar10(root: Path, *, train: bool) -> Iterator[tuple[bytes, str]]:
    """Yield CIFAR-10 from its binary version in ``root/cifar-10-batches-bin``.

    torchvision would read the Python version, which is a pickle.
    """
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] if train else ["test_batch.bin"]
    for name in names:
        rows = _cifar_rows(root / "cifar-10-batches-bin" / name, labels=1)
        for row in rows:
            yield _cifar_png(row[1:]), CIFAR10_CLASSES[row[0]]


def cifar100(root: Path, *, train: bool) -> Iterator[tuple[bytes, str]]:
    """Yield CIFAR-100 from its binary version in ``root/cifar-100-binary``; fine labels."""
    folder = root / "cifar-100-binary"
    rows = _cifar_rows(folder / ("train.bin" if train else "test.bin"), labels=2)
    names = (folder / "fine_label_names.txt").read_text(encoding="utf-8").split()
    for row in rows:
        yield _cifar_png(row[2:]), names[row[1]]


def _idx(kind: type, root: Path, *, train: bool) -> Iterator[tuple[bytes, str]]:
    try:
        collection = kind(root, train=train)
    except RuntimeError as problem:
        raise CollectionMissing(
            f"There are no idx files in {root / kind.__name__ / 'raw'}; put the four files of "
            f"{kind.__name__} there."
        ) from problem
    for pixels, target in zip(collection.data.numpy(), collection.targets.tolist(), strict=True):
        yield _png(pixels), str(target)


def _cifar_rows(path: Path, *, labels: int) -> NDArray[np.uint8]:
    if not path.is_file():
        raise CollectionMissing(f"There is no {path}; unpack the binary version of CIFAR there.")
    content = np.fromfile(path, dtype=np.uint8)
    if content.size % (labels + CIFAR_PIXELS):
        raise CollectionDamaged(
            f"{path} has {content.size} bytes, which is no multiple of {labels + CIFAR_PIXELS}."
        )
    return content.reshape(-1, labels + CIFAR_PIXELS)


def _cifar_png(planes: NDArray[np.uint8]) -> bytes:
    return _png(planes.reshape(3, 32, 32).transpose(1, 2, 0))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG")
    return buffer.getvalue()
