"""What the product says of four ways to erase 200 records of one class from CIFAR-10.

After Hayes et al. 2024: a forget set of one class, shadow models that went through the same
training and erasure with and without it. Twins take its place in half of the models, so all train
on equally many images. Doing nothing must fail; retraining is the reference.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Subset, TensorDataset

from audits.core.contrast import measure_under
from audits.core.design import TwinDesign, derived_seed
from audits.core.estimates import Level
from audits.core.neighbours import Copies
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadows import ShadowData, finish_shadow
from benchmarks.cifar_models import each, images
from benchmarks.evidence_judging import judge
from benchmarks.evidence_sets import CANARIES
from benchmarks.unlearning_cells import CLASSES
from unlearning.core.context import Context
from unlearning.methods.finetune import Finetune
from unlearning.methods.retrain import Retrain
from unlearning.methods.scrub import Scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from audits.core.shadow_rows import ShadowRow
    from benchmarks.cifar_models import Place
    from benchmarks.evidence_judging import Judged
    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe

CLASS = 5  # dogs, as in the paper
NOTHING = "nothing"
METHODS: dict[str, Method | None] = {
    NOTHING: None,
    "retrain": Retrain(),
    "finetune": Finetune(),
    # Batches of 32, the paper's, would be eight times as many steps; the rate grows alike.
    "scrub": Scrub(retain_batch_size=256, learning_rate=4e-3),
}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Which models are trained on what, and until when one may be begun."""

    place: Place
    recipe: Recipe
    design: TwinDesign
    retained: int
    forgotten: int
    tested: int
    until: float


@dataclass(frozen=True, kw_only=True)
class Erasing:
    """Trains by the recipe, and unlearns by a method or not at all, on the device."""

    experiment: Experiment
    method: Method | None

    def train(self, examples: Examples, seed: int) -> nn.Module:
        """Return the trained model."""
        return self.experiment.recipe.train(examples, self.experiment.place.session(seed))

    def unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, seed: int
    ) -> nn.Module:
        """Return the unlearned model."""
        if self.method is None:
            return model
        session = self.experiment.place.session(seed)
        context = Context(
            recipe=self.experiment.recipe, seed=seed, device=session.device, amp=session.amp
        )
        return self.method.unlearn(model, retain, forget, context)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """What one model left under every method, and the seconds of each with its scores."""

    training_seconds: float
    rows: dict[str, ShadowRow]
    seconds: dict[str, float]


@lru_cache(maxsize=1)
def sets_of(experiment: Experiment) -> ShadowData:
    """Return forget set and twins of one class, mislabelled canaries, and what is retained."""
    train, test = images(experiment.place)
    inputs, labels = train.tensors
    order = np.random.default_rng(experiment.design.seed).permutation(len(labels))
    of_class = order[labels.cpu().numpy()[order] == CLASS]
    k = experiment.forgotten
    forget, twins = of_class[:k], of_class[k : 2 * k]
    rest = order[~np.isin(order, of_class[: 2 * k])]
    canaries, retain = rest[:CANARIES], rest[CANARIES : CANARIES + experiment.retained]
    made = Copies(seed=derived_seed(experiment.design.seed, "copies")).around(
        inputs[forget], inputs[retain].std(0)
    )
    return ShadowData(
        retain=_chosen(train, retain),
        forget=_chosen(train, forget),
        twins=_chosen(train, twins),
        canaries=TensorDataset(inputs[canaries], (labels[canaries] + 1) % len(CLASSES)),
        test=_chosen(test, np.arange(min(experiment.tested, len(test)))),
        copies=TensorDataset(made.flatten(0, 1), labels[forget].repeat_interleave(made.shape[1])),
        subjects=(0,) * k,
    )


def _chosen(examples: TensorDataset, places: np.ndarray) -> TensorDataset:
    chosen = torch.from_numpy(places)
    return TensorDataset(*(tensor[chosen] for tensor in examples.tensors))


def shadow_rows(task: tuple[Experiment, int]) -> Rows | None:
    """Train one shadow model and erase from it in every way; None if it was too late to begin."""
    experiment, number = task
    data, design = sets_of(experiment), experiment.design
    if time.monotonic() > experiment.until:
        return None
    part = part_of(number, design, data)
    began = time.monotonic()
    model = Erasing(experiment=experiment, method=None).train(
        Subset(pooled(data), part.records), part.seed
    )
    trained = time.monotonic() - began
    rows, seconds = {}, {}
    for name, method in METHODS.items():
        began = time.monotonic()
        procedure = Erasing(experiment=experiment, method=method)
        rows[name] = finish_shadow(number, model, design, procedure, data)
        seconds[name] = time.monotonic() - began
    return Rows(training_seconds=trained, rows=rows, seconds=seconds)


def verdicts(experiment: Experiment, workers: int) -> dict[str, Any]:
    """Return the product's verdict on every method, at the last look that was reached in time."""
    design = experiment.design
    tasks = [(experiment, number) for number in range(design.models)]
    found = [rows for rows in each(shadow_rows, tasks, workers) if rows is not None]
    reached = [look for look in design.looks if 2 * look <= len(found)]
    told = {
        "forgotten": experiment.forgotten,
        "class": CLASS,
        "retained": experiment.retained,
        "canaries": CANARIES,
        "looks": list(design.looks),
        "models": len(found),
        "recipe": experiment.recipe.describe(),
        "hyperparameters": {name: asdict(one) for name, one in METHODS.items() if one},
    }
    if found:
        told["training_seconds"] = _median([one.training_seconds for one in found])
        told["seconds_with_scoring"] = {
            name: _median([one.seconds[name] for one in found]) for name in METHODS
        }
    if not reached:
        return {**told, "methods": {}}
    found = found[: 2 * reached[-1]]
    return {
        **told,
        "models_per_arm": reached[-1],
        "methods": {name: _of_method(name, found, experiment) for name in METHODS},
    }


def _of_method(name: str, found: Sequence[Rows], experiment: Experiment) -> dict[str, Any]:
    rows = [one.rows[name] for one in found]
    judged = judge(rows, experiment.design, sets_of(experiment), 0)
    return {
        "outcome": judged.outcome.value,
        "reasons": list(judged.verdict.reasons),
        **_advantages(judged),
        **{
            field: round(statistics.mean(getattr(row, field) for row in rows), 4)
            for field in ("retained_before", "retained_after", "test_before", "test_after")
        },
    }


def _advantages(judged: Judged) -> dict[str, Any]:
    """Return U-LiRA's advantages before and after, with their one-sided bounds."""
    measured = measure_under(judged.kept, judged.policy)
    return {
        when: {
            level.value: {
                name: round(getattr(contrast.at(level), name), 4)
                for name in ("estimate", "lower", "upper")
            }
            for level in (Level.RECORD_AVERAGE, Level.SUBJECT)
        }
        for when, contrast in (("before", measured.before), ("after", measured.leak))
    }


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)
