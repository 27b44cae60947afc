"""Whatever was added and forgotten, what is left is what the others alone would have given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.naive_bayes import CategoricalNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier

from tests.unlearning.core_statistics.worlds import (
    CLASSES,
    COLUMNS,
    MODELS,
    QUERIES,
    SIZE,
    as_arrays,
    batches,
    named,
    records_for,
    refitted,
    same,
)
from unlearning.core.statistics.fixed_point import quantised, real
from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.neighbours import Neighbours
from unlearning.core.statistics.ridge import Ridge
from unlearning.core.statistics.state import State

every_model = pytest.mark.parametrize("model", MODELS, ids=named)


@every_model
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_sequence_of_adding_and_forgetting_equals_refitting_what_is_left(model, data):
    state = State.of(model)
    left: list[tuple[tuple[float, ...], int]] = []
    for step in range(data.draw(st.integers(1, 5))):
        if left and data.draw(st.booleans()):
            gone = data.draw(st.sets(st.integers(0, len(left) - 1), min_size=1, max_size=4))
            taken = [left[place] for place in gone]
            left = [each for place, each in enumerate(left) if place not in gone]
            state = state.removed(*as_arrays(model, taken), operation=str(step))
        else:
            more = data.draw(batches())
            left = left + more
            state = state.added(*as_arrays(model, more))
    assert same(state, refitted(model, *as_arrays(model, left)))


@every_model
def test_the_order_of_the_records_leaves_no_trace(model):
    rows, targets = records_for(model, 30)
    order = np.random.default_rng(1).permutation(30)
    one_by_one = State.of(model)
    for place in order:
        one_by_one = one_by_one.added(rows[[place]], targets[[place]])
    assert same(one_by_one, refitted(model, rows, targets))


@every_model
def test_the_weights_of_what_is_left_are_not_those_of_the_whole(model):
    rows, targets = records_for(model, 12)
    whole = refitted(model, rows, targets)
    assert not same(whole, whole.removed(rows[:1], targets[:1], operation="a"))


@every_model
def test_forgetting_everything_leads_back_to_nothing(model):
    rows, targets = records_for(model, 12)
    after = refitted(model, rows, targets).removed(rows[::-1], targets[::-1], operation="a")
    assert same(after, State.of(model))
    assert all(np.isfinite(each).all() for each in model.weights(after.counters).values())


@every_model
def test_an_argument_is_left_as_it_was(model):
    rows, targets = records_for(model, 12)
    before = refitted(model, rows, targets)
    kept = {name: array.copy() for name, array in before.counters.items()}
    before.removed(rows[:2], targets[:2], operation="a")
    before.added(rows[:2], targets[:2])
    assert all(np.array_equal(before.counters[name], array) for name, array in kept.items())


def test_sums_of_floats_would_not_have_done():
    rows = np.random.default_rng(0).normal(size=(50, COLUMNS))
    gone = rows.T @ rows - rows[:1].T @ rows[:1]
    assert not np.array_equal(gone, rows[1:].T @ rows[1:])


def shares(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def predicted(model, rows, targets, queries):
    state = refitted(model, rows, targets)
    return model.scores(model.weights(state.counters), queries)


def test_each_model_predicts_what_scikit_learn_does():
    counts, labels = records_for(MODELS[0], 60)
    queries = np.abs(QUERIES)
    expected = MultinomialNB().fit(real(counts), labels).predict_proba(queries)
    assert np.allclose(
        shares(predicted(MultinomialBayes(**SIZE), counts, labels, queries)), expected
    )
    expected = GaussianNB().fit(real(counts), labels).predict_proba(queries)
    assert np.allclose(shares(predicted(GaussianBayes(**SIZE), counts, labels, queries)), expected)
    nearest = KNeighborsClassifier(5).fit(real(counts), labels).predict_proba(queries)
    assert np.allclose(predicted(Neighbours(**SIZE), counts, labels, queries), nearest)
    for penalty, peer in ((2.0, SklearnRidge(alpha=2.0)), (0.0, LinearRegression())):
        expected = peer.fit(real(counts), np.eye(CLASSES)[labels]).predict(queries)
        found = predicted(Ridge(**SIZE, penalty=penalty), counts, labels, queries)
        assert np.allclose(found, expected, rtol=1e-9)


def test_one_group_for_each_category_is_the_categorical_model():
    draw = np.random.default_rng(2)
    words, labels = draw.integers(0, (2, 4), size=(40, 2)), draw.integers(0, 2, 40)
    rows = np.hstack([np.eye(2)[words[:, 0]], np.eye(4)[words[:, 1]]])
    model = MultinomialBayes(columns=6, outputs=2, groups=(2, 4))
    found = shares(predicted(model, quantised(rows), labels, rows))
    peer = CategoricalNB(min_categories=[2, 4]).fit(words, labels)
    assert np.allclose(found, peer.predict_proba(words))


def test_a_tiny_variance_on_a_large_mean_does_not_cancel():
    rows = np.asarray([[1000.0], [1000.0 + 2**-16]])
    model = GaussianBayes(columns=1, outputs=1, smoothing=1e-12)
    weights = model.weights(refitted(model, quantised(rows), np.zeros(2, np.int64)).counters)
    assert 1 / weights["precision"][0, 0] == pytest.approx(2.0**-34, rel=1e-9)


def test_a_class_whose_last_record_is_forgotten_is_never_predicted():
    for model in MODELS[:3]:
        rows, targets = records_for(model, 40)
        last = targets == 2
        after = refitted(model, rows, targets).removed(rows[last], targets[last], operation="a")
        scores = model.scores(model.weights(after.counters), QUERIES * 100)
        assert set(scores.argmax(axis=1)) <= {0, 1}
