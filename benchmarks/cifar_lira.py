"""``python benchmarks/cifar_lira.py --data-root DIR --device cuda --json``: LiRA on CIFAR-10.

Trains shadow models on random halves of the training images, attacks each with the others, and
prints the rates beside those that others publish. With ``--part unlearning`` it erases 200 images
of one class in four ways and prints the verdicts; ``--part both`` does both. DIR holds ``train``
and ``test`` with a folder of images per class. ``--quick`` is a try on the processor with few
images, small networks and no meaning.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch

from audits.core.design import TwinDesign
from benchmarks.cifar_attack import MAIN, attacked, control
from benchmarks.cifar_models import Asked, ChannelsLast, Place, Training, each, train_and_ask
from benchmarks.cifar_unlearning import Experiment, verdicts
from benchmarks.command import run
from benchmarks.unlearning_cells import CIFAR_DEVIATION, CIFAR_MEAN, CLASSES
from unlearning.recipes.small_images import BUILD

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from numpy.typing import NDArray

SEED = 20261126
SMALLEST = 6  # shadow models: beside an attacked one, two of each arm
PARTS = ("lira", "unlearning", "both")
NUMBERS = (
    "learned_accuracy",
    "unseen_accuracy",
    "test_accuracy",
    "training_seconds",
    "asking_seconds",
)
# Published for 16 models, each attacked with the others; one attacked model each, other recipes.
ANCHORS = {
    "tensorflow/privacy mi_lira_2021, WRN-28-2, 100 epochs": {
        "lira_online_fixed_variance": {"auc": 0.686, "tpr_at_0.1_percent": 0.0593},
        "lira_online": {"auc": 0.668, "tpr_at_0.1_percent": 0.0169},
        "lira_offline_fixed_variance": {"auc": 0.555, "tpr_at_0.1_percent": 0.0299},
        "lira_offline": {"auc": 0.549, "tpr_at_0.1_percent": 0.0130},
        "global_threshold": {"auc": 0.592, "tpr_at_0.1_percent": 0.0009},
    },
    "orientino/lira-pytorch, ResNet-18": {
        "lira_online_fixed_variance": {"auc": 0.670, "tpr_at_0.1_percent": 0.0464},
    },
}


class OddShadows(ValueError):
    """Half of the models cannot learn a record if their number is odd."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is trained: by default all of CIFAR-10 with ResNet-18."""

    most: int | None = None
    architecture: str = "resnet18_small_stem"
    width: int = 16
    depth: int = 1
    retained: int = 5000
    forgotten: int = 200
    looks: tuple[int, ...] = (8, 16)
    tested: int = 2000
    most_shadows: int = 1000
    most_epochs: int = 10_000

    @classmethod
    def quick(cls) -> Sizes:
        """Return what a processor does in less than a minute."""
        return cls(
            most=800,
            architecture="thin_resnet",
            width=8,
            retained=200,
            forgotten=20,
            looks=(SMALLEST,),
            tested=100,
            most_shadows=8,
            most_epochs=4,
        )


def measure(  # noqa: PLR0913  (one for each option)
    *,
    quick: bool = False,
    data_root: Path,
    device: str = "cpu",
    shadows: int = 16,
    epochs: int = 24,
    batch_size: int = 256,
    workers: int = 0,
    seconds: float = 3600,
    part: str = "lira",
    margins: Path | None = None,
    retained: int | None = None,
    architecture: str | None = None,
    width: int | None = None,
    depth: int | None = None,
) -> dict[str, Any]:
    """Return everything that is measured; see ``options`` for the arguments.

    Raises:
        OddShadows: the number of models is odd, or too small.
        NoImages: the folder holds none.
    """
    if shadows % 2 or shadows < SMALLEST:
        raise OddShadows(f"--shadows is {shadows}; it must be even, and {SMALLEST} or more.")
    sizes = Sizes.quick() if quick else Sizes()
    wanted = {
        "retained": retained,
        "architecture": architecture,
        "width": width,
        "depth": depth,
    }
    sizes = replace(sizes, **{name: one for name, one in wanted.items() if one is not None})  # type: ignore[arg-type]  # of both types
    place = Place(root=data_root, device=device, most=sizes.most)
    recipe = ChannelsLast(
        targets=CLASSES,
        architecture=sizes.architecture,
        width=sizes.width,
        depth=sizes.depth,
        mean=CIFAR_MEAN,
        deviation=CIFAR_DEVIATION,
        epochs=min(epochs, sizes.most_epochs),
        batch_size=batch_size,
    )
    until = time.monotonic() + seconds
    found: dict[str, Any] = {
        "data": "CIFAR-10, decoded from the folder of images; a JPEG copy if that is one",
        "seed": SEED,
        "device": _device(device),
        "workers": workers,
        "recipe": recipe.describe(),
    }
    if part != "unlearning":
        found["lira"] = _lira(
            place, recipe, min(shadows, sizes.most_shadows), workers, until, margins
        )
    if part != "lira":
        experiment = Experiment(
            place=place,
            recipe=recipe,
            design=TwinDesign(seed=SEED, looks=sizes.looks, canaries=8),
            retained=sizes.retained,
            forgotten=sizes.forgotten,
            tested=sizes.tested,
            until=until,
        )
        found["unlearning"] = verdicts(experiment, workers)
    return found


def _device(device: str) -> dict[str, Any]:
    """Return what the models were trained on, and in which precision."""
    if torch.device(device).type != "cuda":
        return {"name": device, "precision": "float32", "threads": torch.get_num_threads()}
    return {
        "name": torch.cuda.get_device_name(device),
        "precision": "bfloat16 (autocast); scores in TF32 convolutions, margins in float64",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]  # torch
    }


def _lira(
    place: Place,
    recipe: ChannelsLast,
    shadows: int,
    workers: int,
    until: float,
    kept: Path | None,
) -> dict[str, Any]:
    """Train the models or read what they answered, and attack each."""
    began = time.monotonic()
    if kept is None or not kept.exists():
        answers = _answers(place, recipe, shadows, workers, until)
        if kept is not None:
            np.savez_compressed(kept, **answers)  # type: ignore[arg-type]  # its flags are by name
    else:
        answers = dict(np.load(kept))
    trained = time.monotonic()
    train, test = (answers[name].astype(np.float64) for name in ("train", "test"))
    found, alone = attacked(train, answers["learned"], test, seed=SEED)
    without = control(test, seed=SEED)
    models = [
        dict(zip(NUMBERS, (round(float(value), 4) for value in row), strict=True))
        for row in answers["numbers"]
    ]
    return {
        "models": len(models),
        "planned_models": shadows,
        "images": train.shape[1],
        "images_of_a_model": [int(count) for count in answers["learned"].sum(1)],
        "queries": "the image and its mirror image",
        "evaluation": "each model attacked with the others; see benchmarks/cifar_attack.py",
        "attacks": found,
        "anchors": ANCHORS,
        "control_on_test_images": {name: one["pooled"] for name, one in without.items()},
        "main_attack": MAIN,
        "per_model": [{**one, **rates} for one, rates in zip(models, alone, strict=True)],
        "mean_of_models": {
            name: round(float(np.mean([one[name] for one in models])), 4) for name in NUMBERS
        },
        "training_wall_seconds": round(trained - began, 1),
        "attacking_seconds": round(time.monotonic() - trained, 1),
    }


def _answers(
    place: Place, recipe: ChannelsLast, shadows: int, workers: int, until: float
) -> dict[str, NDArray[Any]]:
    """Return margins [m, n, 2] and [m, p, 2], who learned what [m, n], and numbers [m, 5]."""
    size = place.most or _size_of(place)
    design = TwinDesign(seed=SEED, looks=(shadows // 2,), subjects=size)
    tasks = [
        Training(
            place=place,
            recipe=recipe,
            records=np.flatnonzero(design.learns[model]),
            seed=design.model_seed(model, "train"),
            until=until,
        )
        for model in range(shadows)
    ]
    asked = list(enumerate(each(train_and_ask, tasks, workers)))
    done = [(model, one) for model, one in asked if one is not None]
    return {
        "train": np.stack([one.train for _, one in done]),
        "test": np.stack([one.test for _, one in done]),
        "learned": design.learns[[model for model, _ in done]],
        "numbers": np.array([_numbers(one) for _, one in done]),
    }


def _size_of(place: Place) -> int:
    """Return how many training images there are, without putting them on a device."""
    return sum(1 for _ in (place.root / "train").glob("*/*"))


def _numbers(asked: Asked) -> Sequence[float]:
    return [getattr(asked, name) for name in NUMBERS]


def options(parser: argparse.ArgumentParser) -> None:
    """Add what this command can be told."""
    parser.add_argument("--data-root", type=Path, required=True, help="folder of the images")
    parser.add_argument("--device", default="cpu", help="cpu, or a CUDA device")
    parser.add_argument("--shadows", type=int, default=16, help="models; an even number")
    parser.add_argument("--epochs", type=int, default=24, help="passes over a model's images")
    parser.add_argument("--batch-size", type=int, default=256, help="images in a step")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that share the device; 0: this one"
    )
    parser.add_argument(
        "--seconds", type=float, default=3600, help="no model is begun after so many"
    )
    parser.add_argument("--part", choices=PARTS, default="lira", help="what is measured")
    parser.add_argument("--architecture", choices=sorted(BUILD), help="the network")
    parser.add_argument("--width", type=int, help="channels of the first stage of a thin_resnet")
    parser.add_argument("--depth", type=int, help="blocks in each of its three stages")
    parser.add_argument("--retained", type=int, help="images retained in the unlearning part")
    parser.add_argument(
        "--margins", type=Path, help="what the models answered: read from here, or kept here"
    )


if __name__ == "__main__":
    run(measure, __doc__ or "", options)
