"""Shadow models of CIFAR-10 on one device, several processes at a time, and what they answer.

Everything that trains or scores is the product's. What is here holds the images on the device, so
that no batch is carried there, and starts processes: one model alone leaves a large card idle
between the small steps that Python asks of it.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import torch
from torch.utils.data import Subset, TensorDataset

from audits.core.scores import outputs_of
from benchmarks.unlearning_cells import cifar
from unlearning.core.session import Session
from unlearning.recipes.small_images import SmallImages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from unlearning.core.recipe import Recipe

    Floats: TypeAlias = NDArray[np.float32]

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class ChannelsLast(SmallImages):
    """As ``SmallImages``, its weights laid out as the convolutions of a GPU want them."""

    def build(self) -> nn.Module:
        """Return the untrained model."""
        model = super().build()
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch omits it
        return model


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where images come from and where models live; ``most`` images of training, None for all."""

    root: Path
    device: str
    most: int | None = None

    def session(self, seed: int) -> Session:
        """Return a session on the device, in bfloat16 where that is a GPU."""
        return Session(seed=seed, device=torch.device(self.device), amp=True)


@lru_cache(maxsize=1)
def images(place: Place) -> tuple[TensorDataset, TensorDataset]:
    """Return the training and the test part on the device; read once in each process.

    Raises:
        NoImages: the folder holds none.
    """
    if place.device != "cpu":
        torch.set_num_threads(1)  # the processes share the cores
        torch.backends.cudnn.benchmark = True
    train, test = cifar(place.most)(place.root)
    return _on(place.device, train), _on(place.device, test)


def _on(device: str, pair: tuple[Tensor, Tensor]) -> TensorDataset:
    return TensorDataset(*(each.to(device) for each in pair))


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """One model to be trained on some records of the training part."""

    place: Place
    recipe: Recipe
    records: NDArray[np.int64]
    seed: int
    until: float  # by the clock that all processes share; no model is begun after it


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What one model answered: margins [n, 2] of images and mirror images, and accuracies."""

    train: Floats
    test: Floats
    learned_accuracy: float
    unseen_accuracy: float
    test_accuracy: float
    training_seconds: float
    asking_seconds: float


def train_and_ask(task: Training) -> Asked | None:
    """Train one model, ask it about every image; None if it was too late to begin."""
    train, test = images(task.place)
    if time.monotonic() > task.until:
        return None
    began = time.monotonic()
    chosen = Subset(train, task.records.tolist())
    model = task.recipe.train(chosen, task.place.session(task.seed))
    trained = time.monotonic()
    learned = np.zeros(len(train), bool)
    learned[task.records] = True
    right, margins = _ask(model, train)
    right_of_test, margins_of_test = _ask(model, test)
    return Asked(
        train=margins,
        test=margins_of_test,
        learned_accuracy=float(right[learned].mean()),
        unseen_accuracy=float(right[~learned].mean()),
        test_accuracy=float(right_of_test.mean()),
        training_seconds=trained - began,
        asking_seconds=time.monotonic() - trained,
    )


def _ask(model: nn.Module, examples: TensorDataset) -> tuple[NDArray[np.bool_], Floats]:
    """Return which images are told rightly, and the margins of each and of its mirror image."""
    inputs, labels = examples.tensors
    found = [outputs_of(model, TensorDataset(each, labels)) for each in (inputs, inputs.flip(-1))]
    margins = np.stack([one.margin for one in found], axis=1)
    return found[0].correct, margins.astype(np.float32)


def each(function: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> list[Result]:
    """Return ``function`` of every task, in order: in so many processes, or for 0 in this one."""
    if not workers:
        return [function(task) for task in tasks]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(function, tasks))
