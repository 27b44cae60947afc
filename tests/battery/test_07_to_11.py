"""Validity of the bounds, no evaluation in-sample, the population trap, and drift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from audits.attacks.population import Population
from audits.core.bounds import guess_bounds
from audits.core.contrast import contrast, keep_contrast, measure, recompute
from audits.core.features import Outputs
from audits.core.kept import Kept, KeptContrast
from audits.core.likelihood import BURN_IN, log_ratios, moments
from tests.audits.core_evidence.experiments import policy_at
from tests.battery.stored import PASSES, array, kept, matrices, pool

MARGIN = 0.30
SIMULATED = 2000
GUESSES = [(0.65, 0.65), (0.9, 0.4), (0.31, 0.99)]  # TPR + TNR - 1 is the margin


@pytest.mark.parametrize("models", [16, 32, 128])
@pytest.mark.parametrize(("tpr", "tnr"), GUESSES)
def test_07_a_leak_at_the_margin_hardly_ever_passes(record_property, models, tpr, tnr):
    """Summed over every number of right guesses there may be, so nothing is left to chance."""
    judged = models - BURN_IN
    counts = np.arange(judged + 1)
    chance = np.outer(binom.pmf(counts, judged, tpr), binom.pmf(counts, judged, tnr))
    bounds = guess_bounds(counts[:, None], judged, counts[None, :], judged, 0.05)
    passed = float(chance[bounds.upper <= MARGIN].sum())
    failed = float(chance[bounds.lower > MARGIN].sum())
    record_property(f"false_pass_rate.at the margin, TPR {tpr}@{models}", float(passed))
    record_property(f"false_fail_rate.at the margin, TPR {tpr}@{models}", float(failed))
    assert max(passed, failed) <= 0.05


@pytest.mark.parametrize(("tpr", "tnr"), GUESSES)
def test_07_looking_repeatedly_does_not_help_a_leak_at_the_margin(record_property, tpr, tnr):
    policy = policy_at(16, looks=(16, 32, 64, 128), max_trainings=256)
    rng = np.random.default_rng(1)
    shape = (policy.looks[-1], SIMULATED)
    right = rng.random(shape) < tpr, rng.random(shape) < tnr
    passed = np.zeros(SIMULATED, bool)
    for look in policy.looks:
        judged = look - BURN_IN
        counts = [guesses[:judged].sum(0) for guesses in right]
        alpha = policy.alpha_at(look)
        passed |= guess_bounds(counts[0], judged, counts[1], judged, alpha).upper <= MARGIN
    record_property(
        f"false_pass_rate.at the margin, four looks, TPR {tpr}@128", float(passed.mean())
    )
    assert passed.mean() <= 0.05


def test_08_a_thousand_records_under_sixteen_models_are_not_sixteen_thousand_draws():
    rng, records, models, runs = np.random.default_rng(8), 1000, 16, 300
    covered, naive = 0, 0
    for _ in range(runs):
        shared = rng.normal(0, np.sqrt(0.24 * 0.05), (2, models, 1))  # correlation 0.05
        right = rng.random((2, models, records)) < np.clip(0.6 + shared, 0, 1)
        found = contrast(_guesses(right), 0.025).record_average
        covered += found.lower <= 0.2 <= found.upper
        reach = 1.96 * np.sqrt(2 * 0.24 / (models * records))
        naive += abs(right.mean((1, 2)).sum() - 1 - 0.2) <= reach
    assert covered / runs >= 0.93
    assert naive / runs <= 0.5  # what the same interval over records would cover


def _guesses(right):
    return KeptContrast(
        averages_in=tuple(right[0].mean(1)),
        averages_out=tuple(right[1].mean(1)),
        subject_in=(1.0,) * right.shape[1],
        subject_out=(0.0,) * right.shape[1],
        right_in=tuple(right[0].sum(0)),
        right_out=tuple(right[1].sum(0)),
    )


def test_09_perfect_unlearning_shows_no_advantage_and_would_in_sample():
    judged, in_sample = [], []
    for run in range(200):
        scores = pool("retrain").draw(8, np.random.default_rng([9, run]))
        found = contrast(keep_contrast(scores.after, scores.member, np.arange(32)), 0.05)
        judged.append(found.record_average.estimate)
        inside, outside = scores.after[scores.member], scores.after[~scores.member]
        ratios = log_ratios(scores.after, moments(inside), moments(outside)) > 0
        in_sample.append(ratios[scores.member].mean() - ratios[~scores.member].mean())
    assert abs(np.mean(judged)) < 0.03
    assert np.mean(in_sample) > 0.1


def test_10_the_population_attack_is_blind_to_hard_records_and_clears_nobody(audit_lies):
    """By their loss, hard records look like strangers to models that were never unlearned."""
    assert max(_population_auc(model) for model in range(8)) < 0.1
    assert not Population.can_pass
    rates = audit_lies("none, hard records", pool("before", "hard"), 8)
    assert rates.failed >= 0.95
    assert rates.passed == 0


def _population_auc(model):
    """Return how often a record that was learned has a larger margin than a stranger."""
    learned, strangers = (
        Outputs(
            logits=array(f"hard.before.in.{name}_logits")[model],
            labels=matrices()[f"hard.{name}_labels"].astype(np.int64),
        ).margin
        for name in ("forget", "test")
    )
    return float((learned[:, None] > strangers).mean())


def test_10_what_only_a_population_attack_measured_never_passes():
    rng = np.random.default_rng(10)
    found = kept(pool("retrain").draw(128, rng), rng)
    assert recompute(found, policy_at(128)).outcome in PASSES
    assert recompute(replace(found, can_pass=False), policy_at(128)).outcome not in PASSES


@pytest.mark.parametrize("method", ["long_fine_tune", "shrink_perturb"])
def test_11_a_leak_is_not_confused_with_drift_and_both_are_kept(method):
    rng = np.random.default_rng(11)
    found = kept(pool(method).draw(64, rng, reference=True), rng)
    measured = measure(found, 0.05)
    assert measured.equivalence is not None
    leak, distance = (one.record_average.estimate for one in (measured.leak, measured.equivalence))
    assert 0 < leak < distance - 0.1
    again = Kept.from_dict(found.as_dict())
    assert (again.leak, again.equivalence) == (found.leak, found.equivalence)
    assert again.leak != again.equivalence
