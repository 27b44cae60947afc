"""Originals and retrained models of a cell, trained once and kept in the cache."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.utils.data import ConcatDataset

from lineage.core import weights
from unlearning.core.comparison import accuracies
from unlearning.core.examples import Held
from unlearning.core.indiscernibility import indiscernibility
from unlearning.core.problem import Problem, attacked
from unlearning.core.replay.fingerprint import code_digest
from unlearning.core.seeding import derive
from unlearning.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from benchmarks.unlearning_cells import Cell, Split
    from unlearning.core.comparison import Sets

PROXY_SEED = 500_000  # proxies share no initial weights with what is measured
OTHER_SEED = 1_000_000  # added to a seed for the retraining that shows the noise of retraining


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model, and the seconds that its training took when it was trained."""

    model: nn.Module
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Models:
    """Trains the models of a cell, or takes them from ``cache``."""

    cell: Cell
    split: Split
    cache: Path
    device: torch.device
    said: Callable[[str], None] = print

    def problem(self, seed: int) -> tuple[Problem, Trained]:
        """Return the problem of an initialisation, and the retrained model beside it.

        Both models are trained with ``seed``; the problem's own, for unlearning, is another.
        """
        return self._problem(self.split.sets, seed)

    def proxies(self) -> list[Problem]:
        """Return the problems that hyperparameters are tuned on."""
        return [
            self._problem(sets, PROXY_SEED + number)[0]
            for number, sets in enumerate(self.split.proxies)
        ]

    def _problem(self, sets: Sets, seed: int) -> tuple[Problem, Trained]:
        original = self.original(sets, seed)
        retrained = self.retrained(sets, seed)
        # A method that draws weights anew must not draw those that the retrained model began with.
        own = derive(seed, "unlearn")
        problem = Problem(
            recipe=self.cell.recipe,
            original=original.model,
            sets=sets,
            retrained=accuracies(self.cell.recipe, retrained.model, sets),
            chance=indiscernibility(attacked(self.cell.recipe, retrained.model, sets, own)),
            calibration=self.split.calibration,
            seed=own,
        )
        return problem, retrained

    def original(self, sets: Sets, seed: int) -> Trained:
        """Return the model trained on retain and forget set."""
        return self._trained("original", Held(ConcatDataset([sets.retain, sets.forget])), seed)

    def retrained(self, sets: Sets, seed: int) -> Trained:
        """Return the model trained on the retain set alone."""
        return self._trained("retrained", sets.retain, seed)

    def _trained(self, role: str, examples: Held, seed: int) -> Trained:
        file = self.cache / f"{role}-{self._key(examples, seed)}.safetensors"
        told = file.with_suffix(".json")
        recipe = self.cell.recipe
        if told.exists():
            model = recipe.build()
            model.load_state_dict(weights.from_bytes(file.read_bytes()))
            seconds = json.loads(told.read_text())["seconds"]
            return Trained(model=model.to(self.device).eval(), seconds=seconds)
        self.said(f"{self.cell.name}: training {role} {seed}")
        examples.all()  # decoding is no part of the training
        started = time.perf_counter()
        model = recipe.train(examples, Session(seed=seed, device=self.device))
        seconds = time.perf_counter() - started
        self.cache.mkdir(parents=True, exist_ok=True)
        file.write_bytes(weights.to_bytes(model.state_dict()))
        told.write_text(json.dumps({"seconds": seconds}))
        return Trained(model=model, seconds=seconds)

    def _key(self, examples: Held, seed: int) -> str:
        digest = hashlib.sha256(self.cell.recipe.digest().encode())
        inputs, targets = examples.all()
        digest.update(inputs.numpy().tobytes() + targets.numpy().tobytes())
        told = [seed, self.device.type, torch.__version__, torch.get_num_threads(), code_digest()]
        digest.update(json.dumps(told).encode())
        return digest.hexdigest()[:24]
