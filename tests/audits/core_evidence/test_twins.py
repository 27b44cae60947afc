from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.twins import Candidates, NoTwin, choose_twins


def candidates(rng, count, dimensions=()):
    return Candidates(labels=np.arange(count) % 3, position=rng.normal(size=(count, *dimensions)))


@given(st.integers(0, 1000), st.sampled_from([(), (4,)]))
@settings(max_examples=25, deadline=None)
def test_twins_are_distinct_records_of_the_same_class(seed, dimensions):
    rng = np.random.default_rng(seed)
    forget, pool = candidates(rng, 9, dimensions), candidates(rng, 30, dimensions)
    twins = choose_twins(forget, pool, seed=seed)
    assert len(set(twins.tolist())) == 9
    assert (pool.labels[twins] == forget.labels).all()
    assert (twins == choose_twins(forget, pool, seed=seed)).all()


def test_a_single_record_gets_the_nearest():
    rng = np.random.default_rng(0)
    pool = candidates(rng, 60)
    forget = Candidates(labels=np.array([1]), position=np.array([0.3]))
    same = np.flatnonzero(pool.labels == 1)
    nearest = same[abs(pool.position[same] - 0.3).argmin()]
    assert choose_twins(forget, pool, seed=9).tolist() == [nearest]


def test_the_seed_decides_who_chooses_first():
    forget = Candidates(labels=np.zeros(2, int), position=np.array([0.0, 0.1]))
    pool = Candidates(labels=np.zeros(2, int), position=np.array([0.05, 9.0]))
    found = {tuple(choose_twins(forget, pool, seed=seed).tolist()) for seed in range(20)}
    assert found == {(0, 1), (1, 0)}


def test_it_refuses_a_pool_that_is_too_small():
    rng = np.random.default_rng(0)
    with pytest.raises(NoTwin, match=r"Class 0 has 3 records .* the pool holds only 2"):
        choose_twins(candidates(rng, 9), candidates(rng, 6), seed=0)


def test_it_refuses_positions_measured_differently():
    rng = np.random.default_rng(0)
    with pytest.raises(NoTwin, match="measured alike"):
        choose_twins(candidates(rng, 3, (2,)), candidates(rng, 9), seed=0)
