"""``python benchmarks/instance_test.py``: does the instance test err as often as it says?

Honest runs (the deployed model never saw the records) and runs that removed nothing are compared
with models that learned the whole retain set, as audits do, and with models that miss the retained
records nearest to the forgotten ones, as a pool on surrogates does. Small networks on digits.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from audits.core.instance import models_needed
from audits.core.likelihood import instance_test
from audits.core.policy import EvidencePolicy
from benchmarks.command import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]

FORGET, RETAIN, REPEATS = 6, 256, 25


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return how often each comparison rejects, and its mean p-value."""
    inputs, labels = load_digits(return_X_y=True)
    inputs, policy = inputs / 16, EvidencePolicy()
    found: dict[str, list[float]] = {}
    repeats = REPEATS // 5 if quick else REPEATS
    for repeat in range(repeats):
        for name, p in _repeat(repeat, inputs, labels, models_needed(policy)).items():
            found.setdefault(name, []).append(p)
    told = {
        name: {
            "rejected": float(np.mean(np.array(values) < policy.alpha_instance)),
            "mean_p": round(float(np.mean(values)), 3),
        }
        for name, values in found.items()
    }
    return {"repeats": repeats, "models": models_needed(policy), "comparisons": told}


def _repeat(repeat: int, inputs: Floats, labels: Integers, models: int) -> dict[str, float]:
    order = np.random.default_rng(repeat).permutation(len(labels))
    forget, retain = order[:FORGET], order[FORGET : FORGET + RETAIN]
    without = np.setdiff1d(retain, _nearest(forget, retain, inputs, labels))

    def scores(learned: Integers, seed: int) -> Floats:
        return _scores(inputs, labels, learned, forget, 1000 * repeat + seed)

    whole = np.array([scores(retain, seed) for seed in range(models)])
    missing = np.array([scores(without, 100 + seed) for seed in range(models)])
    honest, kept = scores(retain, 998), scores(np.append(retain, forget), 999)
    return {
        "honest run, models with the whole retain set": instance_test(whole, honest).p_value,
        "honest run, models without the nearest": instance_test(missing, honest).p_value,
        "nothing removed, models with the whole retain set": instance_test(whole, kept).p_value,
    }


def _nearest(forget: Integers, retain: Integers, inputs: Floats, labels: Integers) -> list[int]:
    """Return one retained record of the same class for each forgotten one, the nearest left."""
    taken: list[int] = []
    for record in forget:
        same = [int(one) for one in retain if labels[one] == labels[record] and one not in taken]
        taken.append(min(same, key=lambda one: float(((inputs[one] - inputs[record]) ** 2).sum())))
    return taken


def _scores(
    inputs: Floats, labels: Integers, learned: Integers, asked: Integers, seed: int
) -> Floats:
    learned = np.random.default_rng(seed).permutation(learned)
    model = MLPClassifier(
        (48,), solver="sgd", learning_rate_init=0.1, batch_size=32, max_iter=40, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops before it has converged, as it is told to
        model.fit(inputs[learned], labels[learned])
    sure = model.predict_proba(inputs[asked])[np.arange(len(asked)), labels[asked]]
    sure = np.clip(sure, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(sure) - np.log1p(-sure), np.float64)


if __name__ == "__main__":
    run(measure, __doc__ or "")
