"""Models of integer statistics, and records that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from unlearning.core.statistics.fixed_point import quantised
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.neighbours import Neighbours
from unlearning.core.statistics.ridge import Ridge
from unlearning.core.statistics.state import State

if TYPE_CHECKING:
    from unlearning.core.statistics.model import IntegerModel

COLUMNS, CLASSES = 3, 3
SIZE: dict[str, Any] = {"columns": COLUMNS, "outputs": CLASSES}

MODELS: list[IntegerModel] = [
    MultinomialBayes(**SIZE),
    MultinomialBayes(**SIZE, groups=(2, 1), smoothing=0.5),
    GaussianBayes(**SIZE),
    Ridge(**SIZE),
    Ridge(**SIZE, penalty=0.0),
    Ridge(columns=COLUMNS, outputs=2, classes=False),
    Neighbours(**SIZE, nearest=3),
]
QUERIES = np.random.default_rng(5).normal(size=(7, COLUMNS))


def named(model: IntegerModel) -> str:
    return repr(model).replace(f"columns={COLUMNS}, ", "")


def targets_of(model: IntegerModel, labels: np.ndarray) -> np.ndarray:
    if isinstance(model, Ridge) and not model.classes:
        return quantised(np.stack([labels / 7, -labels], axis=1))
    return labels


def records_for(model: IntegerModel, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows = quantised(np.abs(draw.normal(size=(size, COLUMNS))))
    return rows, targets_of(model, draw.integers(0, CLASSES, size))


def batches() -> st.SearchStrategy[list[tuple[tuple[float, ...], int]]]:
    """Return lists of records (row, class), the rows not negative, so that they fit all models."""
    number = st.one_of(st.integers(0, 3).map(float), st.floats(0, 100, width=32))
    record = st.tuples(st.tuples(*[number] * COLUMNS), st.integers(0, CLASSES - 1))
    return st.lists(record, max_size=5)


def as_arrays(
    model: IntegerModel, records: list[tuple[tuple[float, ...], int]]
) -> tuple[np.ndarray, np.ndarray]:
    rows = quantised(np.asarray([row for row, _ in records]).reshape(-1, COLUMNS))
    return rows, targets_of(model, np.asarray([label for _, label in records], np.int64))


def refitted(model: IntegerModel, rows: np.ndarray, targets: np.ndarray) -> State:
    return State.of(model).added(rows, targets)


def same(one: State, other: State) -> bool:
    """Say whether statistics, weights and predictions are equal, bit for bit."""
    weights, theirs = one.model.weights(one.counters), other.model.weights(other.counters)
    mine = {**one.counters, **weights, "scores": one.model.scores(weights, QUERIES)}
    others = {**other.counters, **theirs, "scores": other.model.scores(theirs, QUERIES)}
    return mine.keys() == others.keys() and all(
        mine[name].dtype == others[name].dtype
        and mine[name].shape == others[name].shape
        and mine[name].tobytes() == others[name].tobytes()
        for name in mine
    )
