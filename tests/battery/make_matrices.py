"""Train the battery's models on scikit-learn's digits and store their scores.

    nice python -m tests.battery.make_matrices

Some minutes on one core; nothing is downloaded. Writes ``matrices.npz`` beside this file. Only
margins of 32 records (or one) and accuracies are stored, and no weights.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor

from tests.battery import procedures
from tests.battery.digits import FORGOTTEN, Sets, shuffled, with_forgotten
from tests.battery.procedures import TRAINING, Procedure
from tests.battery.stacked import Stack, generator, margins, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[np.generic]]"

STORED = Path(__file__).with_name("matrices.npz")
CHUNK = 128
BENT = 64  # models per arm of the cheats that are trained
OUTPUTS = 8  # models per arm whose outputs are stored
WIDE: dict[str, Procedure] = {  # 256 models per arm
    "retrain": procedures.retrain,
    "fine_tune": procedures.fine_tune,
    "over_forget": procedures.over_forget,
    **{f"noise_{sigma}": procedures.noise(sigma) for sigma in (0.2, 0.5, 1.0)},
}
HALF: dict[str, Procedure] = {  # 128
    "long_fine_tune": procedures.long_fine_tune,
    "reinit_last": procedures.reinit_last,
    "shrink_perturb": procedures.shrink_perturb,
}


def main() -> None:
    """Train everything; print what each part took."""
    torch.set_num_threads(1)
    stored: Arrays = {}
    for name, part in (
        ("natural", natural),
        ("copies", copies),
        ("hard", hard),
        ("single", single),
    ):
        started = time.perf_counter()
        stored |= {f"{name}.{key}": value for key, value in part().items()}
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
        np.savez_compressed(STORED, **stored)  # type: ignore[arg-type]  # arrays by name


def difficulty() -> Tensor:
    """Return the mean margin of each record outside the retained ones, under 16 models."""
    inputs, labels, retain, others = shuffled()
    fresh = Stack.fresh(16, generator(77))
    judges = train(fresh, inputs[retain], labels[retain], TRAINING, generator(78))
    return margins(judges(inputs[others]), labels[others]).mean(0)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A chunk of the models of one arm: they learn the records, or their twins, ``times`` over."""

    sets: Sets
    member: bool
    chunk: int = 0
    times: int = 1

    @property
    def name(self) -> str:
        return "in" if self.member else "out"

    @property
    def seed(self) -> int:
        return 10_000 + 1_000 * (2 * self.chunk + self.member)

    @property
    def forget(self) -> Tensor:
        return self.sets.chosen(member=self.member)

    def trained(self) -> Stack:
        learned = torch.cat([self.sets.retain, *[self.forget] * self.times])
        fresh = Stack.fresh(CHUNK, generator(self.seed, self.times, len(learned)))
        inputs, labels = self.sets.inputs[learned], self.sets.labels[learned]
        return train(fresh, inputs, labels, TRAINING, generator(self.seed + 1))

    def unlearned(self, trained: Stack, procedures: dict[str, Procedure]) -> dict[str, Stack]:
        """Return the trained models, as ``before``, and what every procedure made of them."""
        return {"before": trained} | {
            name: procedure(trained, self.sets, self.forget, self.seed + 10 + place)
            for place, (name, procedure) in enumerate(procedures.items())
        }

    def described(self, stacks: dict[str, Stack]) -> Arrays:
        """Return margins [n, k] and accuracies [n, 2], retained and test, of each procedure."""
        found: Arrays = {}
        for name, stack in stacks.items():
            accuracies = [
                _accuracy(stack, self.sets, self.sets.retain[:512]),
                _accuracy(stack, self.sets, self.sets.test),
            ]
            found[f"{name}.{self.name}"] = _scores(stack, self.sets)
            found[f"{name}.{self.name}.accuracy"] = np.stack(accuracies, 1)
        return found

    def near(self, stacks: dict[str, Stack]) -> Arrays:
        """Return the margins of the records' neighbours, [n, k, q]."""
        return {
            f"{name}.{self.name}.near": _near(stack, self.sets) for name, stack in stacks.items()
        }

    def bent(self, trained: Stack) -> dict[str, Stack]:
        """Return the two cheats that bend models towards the scores of honest ones."""
        start = trained.head(BENT)
        honest = procedures.retrain(start, self.sets, self.forget, self.seed + 50)
        return {
            name: procedures.match_scores(honest, around=around)(
                start, self.sets, self.forget, self.seed + 60
            )
            for name, around in (("bent", False), ("bent_around", True))
        }


def natural() -> Arrays:
    """Return the main setting: 32 natural records, every procedure."""
    sets = with_forgotten(shuffled()[3][:FORGOTTEN], difficulty())
    found: Arrays = {"retrained": _honest(sets, 2 * CHUNK)}
    for member, chunk in product((True, False), (0, 1)):
        arm = Arm(sets=sets, member=member, chunk=chunk)
        trained = arm.trained()
        stacks = arm.unlearned(trained, WIDE if chunk else WIDE | HALF)
        _append(found, arm.described(stacks))
        _append(found, arm.near({"before": trained}))
        if not chunk:
            bent = arm.bent(trained)
            found |= arm.described(bent)
            found |= arm.near(bent | {"retrain": stacks["retrain"]})
    return found


def copies() -> Arrays:
    """Return a setting where every record, and every twin, was in the training data twice."""
    sets = with_forgotten(shuffled()[3][:FORGOTTEN], difficulty())
    found: Arrays = {}
    for member in (True, False):
        arm = Arm(sets=sets, member=member, times=2)
        found |= arm.described(
            arm.unlearned(arm.trained(), {"copy_retrain": procedures.copy_retrain})
        )
    return found


def hard() -> Arrays:
    """Return a setting with the 32 records that models find hardest, with outputs for attacks."""
    scores, (_, labels, _, others) = difficulty(), shuffled()
    sets = with_forgotten(_hardest(others, scores, labels), scores)
    found: Arrays = {}
    for member in (True, False):
        arm = Arm(sets=sets, member=member)
        trained = arm.trained()
        found |= arm.described({"before": trained})
        for name, records in (("forget", sets.forget), ("test", sets.test)):
            logits = trained.head(OUTPUTS)(sets.inputs[records])
            found[f"before.{arm.name}.{name}_logits"] = logits.numpy().astype(np.float16)
    found["forget_labels"] = sets.labels[sets.forget].numpy().astype(np.int8)
    found["test_labels"] = sets.labels[sets.test].numpy().astype(np.int8)
    return found


def single() -> Arrays:
    """Return a small setting, 256 retained records, where one hard record is to be forgotten."""
    scores = difficulty()
    sets = with_forgotten(shuffled()[3][scores.argmin()][None], scores)
    sets = replace(sets, retain=sets.retain[:256])
    chosen: dict[str, Procedure] = {
        "retrain": procedures.retrain,
        "fine_tune": procedures.fine_tune,
    }
    found: Arrays = {}
    for member, chunk in product((True, False), (0, 1)):
        arm = Arm(sets=sets, member=member, chunk=chunk)
        _append(found, arm.described(arm.unlearned(arm.trained(), chosen)))
    return found


def _hardest(others: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
    """Return every other one of the hardest records: those between them can be their twins."""
    ranked: list[Tensor] = []
    for label in range(10):
        own = others[labels[others] == label][scores[labels[others] == label].argsort()]
        ranked += list(own[::2][:8])
    order = {int(record): float(score) for record, score in zip(others, scores, strict=True)}
    ranked.sort(key=lambda record: order[int(record)])
    return torch.stack(ranked[:FORGOTTEN])


def _honest(sets: Sets, models: int) -> NDArray[np.generic]:
    """Return the scores of reference models trained on the retained records, [models, k]."""
    parts = []
    for start in range(0, models, CHUNK):
        stack = procedures.retrain(Stack.fresh(CHUNK, generator(0)), sets, sets.twins, 500 + start)
        parts.append(_scores(stack, sets))
    return np.concatenate(parts)


def _scores(stack: Stack, sets: Sets) -> NDArray[np.generic]:
    found = margins(stack(sets.inputs[sets.forget]).double(), sets.labels[sets.forget])
    return found.numpy().astype(np.float32)


def _near(stack: Stack, sets: Sets) -> NDArray[np.generic]:
    """Return the margins of the neighbours, shape [n, k, q]."""
    around = sets.around
    labels = sets.labels[sets.forget].repeat_interleave(around.shape[1])
    found = margins(stack(around.flatten(0, 1)), labels)
    return found.reshape(len(found), *around.shape[:2]).numpy().astype(np.float16)


def _accuracy(stack: Stack, sets: Sets, records: Tensor) -> NDArray[np.float32]:
    right = stack(sets.inputs[records]).argmax(-1) == sets.labels[records]
    return right.float().mean(1).numpy()


def _append(found: Arrays, more: Arrays) -> None:
    """Append the models of another chunk to those of the same name."""
    for name, values in more.items():
        found[name] = np.concatenate([found[name], values]) if name in found else values


if __name__ == "__main__":
    main()
