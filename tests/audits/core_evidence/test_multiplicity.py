from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.multiplicity import NotAnEvidence, e_bh, e_from_p, holm

p_values = st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=1, max_size=5)


def closed_testing(p, alpha):
    """Reject a hypothesis if Bonferroni rejects every set that it is in: the slow oracle."""
    sets = [chosen for size in range(1, len(p) + 1) for chosen in itertools.combinations(p, size)]
    accepted = [chosen for chosen in sets if min(p[key] for key in chosen) > alpha / len(chosen)]
    return {key for key in p if not any(key in chosen for chosen in accepted)}


@given(p_values, st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60, deadline=None)
def test_holm_is_the_closure_of_bonferroni(p, alpha):
    assert {key for key, value in holm(p).items() if value <= alpha} == closed_testing(p, alpha)


def test_holm_wrongly_rejects_anything_in_at_most_alpha_of_experiments():
    rng = np.random.default_rng(3)
    draws = rng.uniform(size=(2000, 6))
    draws[:, 4:] **= 20  # two of the six hypotheses are false
    wrong = [min(holm(dict(enumerate(row)))[key] for key in range(4)) <= 0.05 for row in draws]
    assert np.mean(wrong) <= 0.065
    assert np.mean([row.min() <= 0.05 for row in draws[:, :4]]) > 0.15  # uncorrected


def test_one_hypothesis_needs_no_correction():
    assert holm({"only": 0.04}) == {"only": 0.04}
    assert holm({}) == {}


def test_e_bh_keeps_the_share_of_false_discoveries():
    rng = np.random.default_rng(5)
    false_share = []
    for _ in range(400):
        z = rng.normal(size=20) + np.r_[np.zeros(15), np.full(5, 4.0)]
        e = np.exp(3.0 * z - 4.5)  # a likelihood ratio: its mean is 1 where the shift is 0
        rejected = e_bh(dict(enumerate(e)), 0.1)
        false_share.append(sum(key < 15 for key in rejected) / max(1, len(rejected)))
    assert np.mean(false_share) <= 0.1


def test_e_bh_rejects_by_hand():
    assert e_bh({"a": 100.0, "b": 39.0, "c": 5.0, "d": 0.0}, 0.05) == ("a",)
    assert e_bh({"a": 100.0, "b": 41.0, "c": 5.0, "d": 0.0}, 0.05) == ("a", "b")
    assert e_bh({}, 0.05) == ()


def benjamini_yekutieli(p, alpha):
    """Reject the r smallest p-values, for the largest r that their thresholds allow."""
    harmonic = sum(1 / one for one in range(1, len(p) + 1))
    ordered = sorted(p, key=lambda key: p[key])
    fits = [r for r in range(1, len(p) + 1) if p[ordered[r - 1]] <= alpha * r / len(p) / harmonic]
    return set(ordered[: max(fits, default=0)])


@given(st.dictionaries(st.integers(0, 40), st.floats(0, 0.2), max_size=30))
@settings(max_examples=80, deadline=None)
def test_e_bh_on_calibrated_p_values_is_benjamini_and_yekutieli(p):
    e = {key: e_from_p(one, hypotheses=len(p), alpha=0.05) for key, one in p.items()}
    assert set(e_bh(e, 0.05)) == benjamini_yekutieli(p, 0.05)


@pytest.mark.parametrize("hypotheses", [1, 2, 7, 60])
def test_a_calibrated_p_value_has_mean_one(hypotheses):
    step = 0.05 / hypotheses / sum(1 / one for one in range(1, hypotheses + 1))
    middles = [(place + 0.5) * step for place in range(hypotheses + 3)]
    found = [e_from_p(p, hypotheses=hypotheses, alpha=0.05) for p in middles]
    assert found == sorted(found, reverse=True)
    assert sum(found) * step == pytest.approx(1)
    assert all(place * found[place - 1] * 0.05 >= hypotheses for place in range(1, hypotheses + 1))


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_what_is_no_evidence_is_refused(value):
    with pytest.raises(NotAnEvidence, match="p-value of a"):
        holm({"a": value})
    with pytest.raises(NotAnEvidence, match="p-value is"):
        e_from_p(value, hypotheses=3, alpha=0.05)
    with pytest.raises(NotAnEvidence, match="e-value of a"):
        e_bh({"a": value}, 0.05)
