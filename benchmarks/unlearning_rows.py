"""The rows of a cell: every method on every initialisation, kept as soon as it is measured."""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.unlearning_keys import content, sources
from benchmarks.unlearning_models import OTHER_SEED, Models
from unlearning.core.catalogue import registry
from unlearning.core.claims import Granularity, Guarantee, NotEligible
from unlearning.core.method import NotKept
from unlearning.core.problem import FAILURES, score, unlearn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from unlearning.core.method import Method
    from unlearning.core.problem import Scores


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Measures one cell; ``tuned`` are the hyperparameters by method, ours by default."""

    models: Models
    initialisations: int
    tuned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tick: Callable[[str], None] = print

    def rows(self, methods: tuple[str, ...]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Return a row for each reference and method, and why others have none."""
        found = [self._row(name, {}, self._reference) for name in _REFERENCES]
        refused: dict[str, str] = {}
        for name in methods or self.defined():
            settings = dict(self.tuned.get(name, {}))
            try:
                found.append(self._row(name, settings, self._unlearned))
            except (NotKept, *FAILURES) as reason:  # the table names it
                refused[name] = str(reason)
                self.tick(name)
        return found, refused

    def defined(self) -> tuple[str, ...]:
        """Return the methods for single records; exact retraining is a reference."""
        methods = registry()
        return tuple(
            name
            for name in methods.names()
            if methods.get(name).granularity is Granularity.RECORD
            and methods.get(name).guarantee is not Guarantee.EXACT
        )

    def tune(self, methods: tuple[str, ...], trials: int, storage: str) -> dict[str, Any]:
        """Search the hyperparameters of each method on proxy problems; return what was found.

        Raises:
            ModuleNotFoundError: Optuna is not installed.
        """
        from unlearning.core.tuning import (  # noqa: PLC0415  (it is optional)
            NothingFound,
            best,
            new_study,
            search,
        )

        proxies = self.models.proxies()
        found: dict[str, Any] = {}
        for name in methods or self.defined():
            study = new_study(f"{self.models.cell.name}/{name}", seed=0, storage=storage)
            try:
                search(
                    registry().get(name),
                    proxies,
                    study,
                    trials=trials,
                    session={"device": self.models.device},
                    ended=lambda _trial, name=name: self.tick(f"tuning {name}"),  # type: ignore[misc]
                )
                found[name] = asdict(best(study))
            except (NotEligible, NotKept, NothingFound) as reason:
                self.tick(f"{name}: {reason}")
        return found

    def _row(
        self, name: str, settings: Mapping[str, Any], measure: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        each = []
        for seed in range(self.initialisations):
            each.append(self._kept(name, settings, seed, measure))
            self.tick(name)
        return {"method": name, "hyperparameters": settings, **_summary(each)}

    def _kept(
        self,
        name: str,
        settings: Mapping[str, Any],
        seed: int,
        measure: Callable[..., dict[str, Any]],
    ) -> dict[str, Any]:
        file = self.models.cache / "rows" / f"{self.key(name, settings, seed)}.json"
        if file.exists():
            kept: dict[str, Any] = json.loads(file.read_text())
            return kept
        row = measure(name, settings, seed)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(row))
        return row

    def _reference(self, name: str, _settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
        problem, retrained = self.models.problem(seed)
        if name == "original":
            scores = score(problem, problem.original)
            return _line(scores, seconds=0.0, retrain=retrained.seconds, touched=0)
        other = seed + (OTHER_SEED if name == "retrain_other_seed" else 0)
        model = self.models.retrained(problem.sets, other)
        return _line(
            score(problem, model.model),
            seconds=model.seconds,
            retrain=retrained.seconds,
            touched=sum(weight.numel() for weight in model.model.parameters()),
        )

    def _unlearned(self, name: str, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
        problem, retrained = self.models.problem(seed)
        method: Method = registry().get(name)(**settings)
        done = unlearn(problem, method, {"device": self.models.device})
        return _line(
            score(problem, done.model),
            seconds=done.report.seconds,
            retrain=retrained.seconds,
            touched=done.report.trained,
        )

    @cached_property
    def _content(self) -> list[str]:
        parts = self.models.split
        return [content(each) for each in (*vars(parts.sets).values(), parts.calibration)]

    def key(self, name: str, settings: Mapping[str, Any], seed: int) -> str:
        """Return what a kept row depends on: code, data, numbers, and what it was measured on."""
        models = self.models
        told = [
            models.cell.name,
            models.cell.recipe.digest(),
            self._content,
            sources("" if name in _REFERENCES else name),
            [name, dict(settings), seed],
            [models.device.type, torch.__version__, torch.get_num_threads()],
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


_REFERENCES = ("retrain", "retrain_other_seed", "original")


def _line(scores: Scores, *, seconds: float, retrain: float, touched: int) -> dict[str, Any]:
    got = scores.accuracies
    return {
        "ret_dev": scores.ret_dev,
        "population_mia": scores.population_mia,
        "indiscernibility": scores.indiscernibility,
        "rte": retrain / seconds if seconds else None,
        "seconds": seconds,
        "retain_accuracy": got.retain,
        "forget_accuracy": got.forget,
        "validation_accuracy": got.validation,
        "test_accuracy": got.test,
        "parameters_touched": touched,
    }


def _summary(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over initialisations, the spread of RetDev, and the median times."""
    found: dict[str, Any] = {}
    for name in each[0]:
        values = [row[name] for row in each if row[name] is not None]
        middle = statistics.median if name in ("rte", "seconds") else statistics.fmean
        found[name] = round(middle(values), 4) if values else None
    found["parameters_touched"] = int(found["parameters_touched"])
    found["ret_dev_spread"] = round(statistics.pstdev(row["ret_dev"] for row in each), 4)
    found["initialisations"] = len(each)
    return found


def study_file(cache: Path, cell: str) -> str:
    """Return the storage of the studies of a cell."""
    cache.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{cache / f'studies-{cell}.sqlite3'}"
