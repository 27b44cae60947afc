from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from audits.core import exposure as module
from audits.core.canonical import write_json
from audits.core.exposure import LARGEST_INCREASE, exposure


def side_effect(before, after, alpha=0.05):
    found = module.side_effect(before, after, alpha)
    assert found is not None
    return found


def by_hand(retained, strangers):
    cuts = [*retained, *strangers]
    return max(abs((retained <= cut).mean() - (strangers <= cut).mean()) for cut in cuts)


def test_the_exposure_is_the_best_threshold_in_either_direction():
    rng = np.random.default_rng(0)
    retained, strangers = rng.normal(1.0, 1, 300), rng.normal(0, 1, 50)
    assert exposure(retained, strangers) == pytest.approx(by_hand(retained, strangers))
    assert exposure(-retained, -strangers) == pytest.approx(exposure(retained, strangers))
    assert exposure(retained, retained) == pytest.approx(0.0)


def test_it_is_not_computed_from_a_handful():
    assert exposure(np.zeros(199), np.zeros(50)) is None
    assert exposure(np.zeros(200), np.zeros(0)) is None


def test_what_is_found_can_be_sealed_as_it_is():
    rng = np.random.default_rng(2)
    found = asdict(side_effect(rng.normal(size=8), rng.normal(size=8)))
    assert json.loads(write_json(found)) == found


def test_only_an_increase_that_is_shown_is_flagged():
    rng = np.random.default_rng(1)
    before = rng.normal(0.3, 0.05, 32)
    same = side_effect(before, before + rng.normal(0.0, 0.02, 32), 0.05)
    worse = side_effect(before, before + rng.normal(0.1, 0.02, 32), 0.05)
    few = side_effect(before[:2], before[:2] + np.array([0.0, 0.3]), 0.05)
    assert not same.flagged
    assert worse.flagged
    assert worse.lower > LARGEST_INCREASE
    assert not few.flagged
    assert module.side_effect(before[:1], before[:1], 0.05) is None


def test_the_bound_covers_the_true_increase():
    rng = np.random.default_rng(2)
    lower = []
    for _ in range(1500):
        before = rng.normal(0.3, 0.05, 16)
        lower.append(side_effect(before, before + rng.normal(0.1, 0.03, 16), 0.05).lower)
    assert np.mean(np.array(lower) <= 0.1) == pytest.approx(0.95, abs=0.02)
