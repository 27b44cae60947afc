"""The bound holds, the budget only falls, and outliers cannot exhaust it once rows are clipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from unlearning.core.certified.budget import Budget, BudgetSpent
from unlearning.core.certified.head import CertifiedHead
from unlearning.core.certified.logistic import (
    Rows,
    clipped,
    fit,
    gradient,
    hessian,
    remainder,
    remove,
    residual,
    rows_of,
)

PENALTY, SIGMA = 1e-2, 5.0


def problem(seed: int, size: int = 40, columns: int = 4, classes: int = 2, scale: float = 1.0):
    draw = np.random.default_rng(seed)
    values = scale * draw.normal(size=(size, columns))
    rows = rows_of(values, draw.integers(0, classes, size), classes)
    return rows, draw.normal(size=(classes, columns)), draw


def part(rows: Rows, chosen) -> Rows:
    return Rows(values=rows.values[chosen], signs=rows.signs[chosen])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.1, 1.0, 5.0]),
    penalty=st.sampled_from([1e-3, 1e-2, 1.0]),
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=4),
)
def test_the_sum_of_the_bounds_is_above_the_true_residual(seed, scale, penalty, sizes):
    rows, noise, draw = problem(seed, scale=scale)
    weights = fit(rows, penalty, noise)
    bound = residual(weights, rows, penalty, noise)
    order, start = draw.permutation(len(rows)), 0
    for size in sizes:
        kept, gone = order[start + size :], order[start : start + size]
        removal = remove(weights, part(rows, kept), part(rows, gone), penalty)
        weights, bound, start = removal.weights, bound + removal.bound, start + size
        left = residual(weights, part(rows, kept), penalty, noise)
        assert left <= bound * (1 + 1e-6) + 1e-9
        assert np.isfinite(bound)


def test_the_bound_is_not_above_that_of_the_paper_on_rows_of_length_one():
    rows, noise, _ = problem(3)
    rows = Rows(values=clipped(rows.values), signs=rows.signs)
    weights = fit(rows, PENALTY, noise)
    kept, gone = part(rows, slice(3, None)), part(rows, slice(3))
    removal = remove(weights, kept, gone, PENALTY)
    steps = removal.weights - weights
    largest = np.linalg.norm(kept.values, 2)
    papers = [
        largest * np.linalg.norm(one) * np.linalg.norm(kept.values @ one) / 4 for one in steps
    ]
    assert removal.bound < np.linalg.norm(papers) / 2


def test_the_bound_is_reached_where_the_curvature_changes_fastest():
    values = np.ones((50, 1))
    rows = Rows(values=values, signs=np.ones((50, 1)))
    weights, step = np.asarray([[np.log(2 + np.sqrt(3))]]), np.asarray([1e-3])
    after = gradient(weights + step, rows, 0.0) - gradient(weights, rows, 0.0)
    left = np.linalg.norm(after[0] - hessian(weights[0], rows, 0.0) @ step)
    bound = remainder(rows, step, np.sqrt(50))
    assert 0.99 * bound < left <= bound * (1 + 1e-6)


def test_the_hessian_is_that_of_the_kept_records():
    """For a quadratic objective one step is exact; near the optimum this one must almost be."""
    rows, noise, _ = problem(1, size=60)
    weights = fit(rows, 1.0, noise)
    kept, gone = part(rows, slice(1, None)), part(rows, slice(1))
    after = remove(weights, kept, gone, 1.0).weights
    refitted = fit(kept, 1.0, noise)
    assert np.linalg.norm(after - refitted) < 1e-2 * np.linalg.norm(weights - refitted)


def test_fitting_finds_the_optimum_that_scipy_finds():
    rows, noise, _ = problem(2)

    def loss(flat):
        w = flat.reshape(noise.shape)
        lost = np.logaddexp(0, -rows.signs * (rows.values @ w.T)).sum()
        return lost + PENALTY * len(rows) / 2 * (w**2).sum() + (noise * w).sum()

    def slope(flat):
        return (gradient(flat.reshape(noise.shape), rows, PENALTY) + noise).ravel()

    found = minimize(loss, np.zeros(noise.size), jac=slope, options={"gtol": 1e-9}).x
    weights = fit(rows, PENALTY, noise)
    assert np.allclose(weights.ravel(), found, atol=1e-6)
    assert residual(weights, rows, PENALTY, noise) < 1e-10


@given(
    bounds=st.lists(st.floats(0, 1), max_size=20), sigma=st.floats(0.1, 10), size=st.integers(1, 9)
)
def test_the_budget_only_rises_and_a_retrain_is_asked_for_when_it_is_spent(bounds, sigma, size):
    budget = Budget(epsilon=1.0, delta=1e-4, sigma=sigma)
    for bound in bounds:
        if budget.spent + bound > budget.limit:
            with pytest.raises(BudgetSpent, match="retrain the model without the records"):
                budget.after(bound, size)
            break
        after = budget.after(bound, size)
        assert after.spent >= budget.spent
        assert (after.removed, after.batches) == (budget.removed + size, budget.batches + 1)
        budget = after


def test_the_limit_is_that_of_the_gaussian_mechanism():
    assert Budget(epsilon=0.5, delta=1e-4, sigma=2.0).limit == pytest.approx(0.228, abs=1e-3)


def test_a_bound_that_is_not_a_number_is_refused():
    with pytest.raises(BudgetSpent):
        Budget(epsilon=1.0, delta=1e-4, sigma=1.0).after(float("nan"), 1)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    values, labels = load_digits(return_X_y=True)
    return values / np.linalg.norm(values, axis=1).max(), (labels >= 5).astype(np.int64)


def served(values: np.ndarray, labels: np.ndarray, order, batch: int = 1) -> int:
    """Return how many records of ``order`` are removed before a retrain is asked for."""
    rows = Rows(values=values, signs=(2.0 * labels - 1)[:, None])
    noise = SIGMA * np.random.default_rng(1).normal(size=(1, values.shape[1]))
    weights = fit(rows, PENALTY, noise)
    budget = Budget(epsilon=1.0, delta=1e-4, sigma=SIGMA)
    keep = np.ones(len(labels), bool)
    for start in range(0, len(order), batch):
        gone = order[start : start + batch]
        keep[gone] = False
        removal = remove(weights, part(rows, keep), part(rows, gone), PENALTY)
        try:
            budget = budget.after(removal.bound, len(gone))
        except BudgetSpent:
            return start
        weights = removal.weights
    return len(order)


def test_an_attackers_outliers_exhaust_the_budget_unless_rows_are_clipped(digits):
    values, labels = (each[:800].copy() for each in digits)
    attackers = np.arange(60)
    assert served(values, labels, attackers) == 60
    values[:60] *= 10
    labels[:60] = 1 - labels[:60]
    assert served(values, labels, attackers) < 10
    assert served(clipped(values), labels, attackers) == 60


def test_a_batch_spends_more_than_its_records_one_by_one(digits):
    values, labels = (each[:400] for each in digits)
    order = np.random.default_rng(2).permutation(400)[:320]
    assert served(values, labels, order, batch=40) < served(values, labels, order)


def head(sigma: float = 50.0) -> CertifiedHead:
    return CertifiedHead(4, 3, penalty=1.0, budget=Budget(epsilon=1.0, delta=1e-4, sigma=sigma))


def tensors(size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(size, 4, generator=draw), torch.randint(0, 3, (size,), generator=draw)


def rows(
    whole: tuple[torch.Tensor, torch.Tensor], chosen: slice
) -> tuple[torch.Tensor, torch.Tensor]:
    return whole[0][chosen], whole[1][chosen]


def test_a_head_carries_its_budget_in_its_state_from_removal_to_removal():
    whole, model = tensors(60, 1), head()
    model.fit(*whole)
    spent = [model.budget().spent]
    for step in range(1, 4):
        bound = model.remove(rows(whole, slice(step, None)), rows(whole, slice(step - 1, step)))
        spent.append(model.budget().spent)
        assert spent[-1] == pytest.approx(spent[-2] + bound)
        again = head()
        again.load_state_dict(model.state_dict())
        assert again.budget() == model.budget()
        model = again
    assert spent == sorted(spent)
    assert (model.budget().removed, model.budget().batches) == (3, 3)
    model.fit(*rows(whole, slice(3, None)))
    assert model.budget().spent < 1e-9
    assert (model.budget().removed, model.budget().batches) == (0, 0)


def test_a_spent_head_is_left_as_it_was():
    whole, model = tensors(60, 1), head(sigma=1e-3)
    model.fit(*whole)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    with pytest.raises(BudgetSpent, match=r"Removing 30 records would bring .* fresh noise\.$"):
        model.remove(rows(whole, slice(30, None)), rows(whole, slice(30)))
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())


def test_a_row_is_shortened_alike_in_training_and_in_prediction():
    model = head()
    model.fit(*tensors(60, 1))
    long = torch.full((1, 4), 1e6)
    assert torch.allclose(model(long), model(long * 10), atol=1e-3)
    assert model(long).abs().max() <= model.weight.norm(dim=1).max()


def test_each_training_draws_noise_of_its_own():
    one, other = head(), head()
    one.fit(*tensors(60, 1))
    other.fit(*tensors(60, 1))
    assert not torch.equal(one.noise, other.noise)
    assert one.noise.std() == pytest.approx(50, rel=0.5)
