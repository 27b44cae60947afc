"""Experiments whose truth is known: what a sound audit must, and must never, conclude."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from audits.core.bounds import guess_bounds
from audits.core.contrast import contrast, keep_contrast, measure, recompute
from audits.core.kept import KeptContrast
from audits.core.likelihood import BURN_IN, TooFewModels, log_ratios, moments
from audits.core.policy import NotALook
from audits.core.verdict import Outcome, decide
from tests.audits.core_evidence.experiments import UNLEARNED, World, kept_from, policy_at

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)


def outcomes(world, runs, first_seed=0):
    found = (
        recompute(world.kept(seed), world.policy()).outcome
        for seed in range(first_seed, first_seed + runs)
    )
    return Counter(found)


@pytest.mark.parametrize(("models", "runs"), [(8, 200), (16, 60), (32, 60), (128, 20)])
def test_perfect_unlearning_hardly_ever_fails(models, runs):
    assert outcomes(World(models=models), runs)[Outcome.FAIL] <= 0.05 * runs


@pytest.mark.parametrize("after", [UNLEARNED, 0.98 * UNLEARNED])
def test_no_unlearning_and_a_short_fine_tune_fail_with_eight_models(after):
    found = outcomes(World(models=8, after=after), 80)
    assert found[Outcome.FAIL] >= 0.95 * 80
    assert not any(found[outcome] for outcome in PASSES)


def test_forgetting_too_well_fails():
    assert outcomes(World(models=8, after=-UNLEARNED), 80)[Outcome.FAIL] >= 0.95 * 80


def test_perfect_unlearning_passes_with_many_models_and_not_with_few():
    many = outcomes(World(models=128), 20, first_seed=500)
    assert sum(many[outcome] for outcome in PASSES) >= 0.95 * 20
    few = outcomes(World(models=8), 40)
    assert not any(few[outcome] for outcome in PASSES)


def test_hardly_any_models_never_clear_a_record():
    world = World(models=4, records=1, before=5.0)
    with pytest.raises(TooFewModels):
        world.kept(0)
    for after in (0.0, UNLEARNED):
        six = World(models=6, records=1, before=5.0, after=after)
        assert not any(outcomes(six, 40)[outcome] for outcome in PASSES)


def test_an_attack_that_saw_nothing_before_has_no_signal():
    found = outcomes(World(models=64, before=0.0), 20)
    assert found[Outcome.NO_SIGNAL] >= 19


def test_a_destroyed_model_does_not_pass():
    found = outcomes(World(models=64, accuracy_after=0.1), 10)
    assert found[Outcome.DESTROYED] == 10


@pytest.mark.parametrize("models", [12, 28, 60, 124])
def test_an_advantage_at_the_margin_passes_or_fails_at_most_as_often_as_promised(models):
    rng = np.random.default_rng(models)
    for tpr, tnr in ((0.65, 0.65), (0.9, 0.4), (0.31, 0.99)):
        right = rng.binomial(models, tpr, 2000), rng.binomial(models, tnr, 2000)
        bounds = guess_bounds(right[0], models, right[1], models, 0.05)
        assert (bounds.upper < 0.30).mean() <= 0.06  # two standard errors of 2000 runs
        assert (bounds.lower > 0.30).mean() <= 0.06


@pytest.mark.parametrize(("records", "correlation"), [(1, 0.0), (32, 0.05), (300, 0.03)])
def test_a_record_average_at_the_margin_passes_at_most_as_often_as_promised(records, correlation):
    rng = np.random.default_rng(records)
    passed, failed, runs = 0, 0, 400
    for _ in range(runs):
        shared = rng.normal(0, np.sqrt(0.2475 * correlation), (2, 28, 1))
        right = rng.random((2, 28, records)) < np.clip(0.55 + shared, 0, 1)
        kept = KeptContrast(
            averages_in=tuple(right[0].mean(1)),
            averages_out=tuple(right[1].mean(1)),
            subject_in=(1.0,) * 28,
            subject_out=(0.0,) * 28,
            right_in=tuple(right[0].sum(0)),
            right_out=tuple(right[1].sum(0)),
        )
        found = contrast(kept, 0.05).record_average
        passed += found.upper < 0.10
        failed += found.lower > 0.10
    assert passed / runs <= 0.05 + 0.02  # two standard errors of 400 runs
    assert failed / runs <= 0.05 + 0.02


def one_record(rng, models, advantage):
    """Scores of one record whose best attack has exactly this advantage."""
    member = np.arange(2 * models) % 2 == 0
    shift = 2 * norm.ppf((1 + advantage) / 2)
    return rng.normal(size=(2 * models, 1)) + shift * member[:, None], member, shift


def true_advantage(scores, member, shift):
    """Average advantage, from the known truth, of the attacks that were fitted on the way."""
    grid = np.linspace(-6, 6 + shift, 300)[:, None]
    weights = norm.pdf(grid[:, 0] - shift) - norm.pdf(grid[:, 0])
    inside, outside = scores[member], scores[~member]
    fitted = [
        weights[log_ratios(grid, moments(inside[:t]), moments(outside[:t]))[:, 0] > 0].sum()
        for t in range(BURN_IN, len(inside))
    ]
    return float(np.mean(fitted) * (grid[1, 0] - grid[0, 0]))


def test_the_bounds_hold_for_the_attacks_that_were_fitted():
    rng = np.random.default_rng(3)
    above, below, runs = 0, 0, 150
    for _ in range(runs):
        scores, member, shift = one_record(rng, 20, 0.4)
        truth = true_advantage(scores, member, shift)
        found = contrast(keep_contrast(scores, member, np.arange(1)), 0.05).subject
        above += found.upper < truth
        below += found.lower > truth
    assert above / runs <= 0.05 + 0.035  # two standard errors of 150 runs
    assert below / runs <= 0.05 + 0.03


@pytest.mark.parametrize("models", [32, 64])
def test_the_best_attack_at_the_margin_passes_hardly_more_often(models):
    """Fitted attacks are somewhat weaker than the best one, which nobody can fit."""
    rng = np.random.default_rng(models)
    passed, runs = 0, 400
    for _ in range(runs):
        scores, member, _ = one_record(rng, models, 0.30)
        kept = keep_contrast(scores, member, np.arange(1))
        passed += contrast(kept, 0.05).subject.upper <= 0.30
    assert passed / runs <= 0.05 + 0.05


def test_an_operator_who_stops_at_the_first_pass_gains_nothing():
    policy = policy_at(16, looks=(16, 32, 48, 64), max_trainings=128)
    rng = np.random.default_rng(5)
    right = rng.random((2, 64, 4000)) < 0.65
    passed = np.zeros(4000, bool)
    greedy = np.zeros(4000, bool)
    for look in policy.looks:
        judged = look - BURN_IN
        counts = right[:, :judged].sum(1)
        planned = guess_bounds(counts[0], judged, counts[1], judged, policy.alpha_at(look))
        passed |= planned.upper <= 0.30
        greedy |= guess_bounds(counts[0], judged, counts[1], judged, 0.05).upper <= 0.30
    assert passed.mean() <= 0.05
    assert greedy.mean() > 0.05  # what he would gain if every look spent all of alpha


def test_an_operator_cannot_look_between_the_looks():
    with pytest.raises(NotALook):
        recompute(World(models=20).kept(0), policy_at(16, looks=(16, 32), max_trainings=64))


def test_a_later_look_keeps_the_earlier_guesses():
    scores = World(models=32).draw(0)
    early = keep_contrast(scores.after[:32], scores.member[:32], np.arange(32))
    late = keep_contrast(scores.after, scores.member, np.arange(32))
    assert late.averages_in[: early.n_in] == early.averages_in
    assert late.subject_out[: early.n_out] == pytest.approx(early.subject_out)


def test_a_population_attack_cannot_clear_even_what_it_does_not_see():
    world = World(models=64)
    kept = kept_from(world.draw(0))
    assert recompute(kept, world.policy()).outcome in PASSES
    descriptive = replace(kept, can_pass=False)
    assert recompute(descriptive, world.policy()).outcome is Outcome.INCONCLUSIVE


def test_a_residual_leak_of_a_long_fine_tune_fails_although_most_is_gone():
    """Like shrink-and-perturb on digits: a small average leak, but the set gives it away."""
    world = World(models=32, before=UNLEARNED, after=0.5, correlation=0.01)
    found = outcomes(world, 30)
    assert not any(found[outcome] for outcome in PASSES)
    assert found[Outcome.FAIL] >= 20


def test_the_deployed_model_is_tested_besides_the_procedure():
    world = World(models=32)
    scores = world.draw(0)
    never_unlearned = replace(scores, deployed=np.full(32, UNLEARNED))
    clean = replace(scores, deployed=World(models=1).noise(np.random.default_rng(1), 1)[0])
    failed = recompute(kept_from(never_unlearned), world.policy())
    assert failed.outcome is Outcome.FAIL
    assert "The deployed model stands out" in failed.reasons[-1]
    measured = measure(kept_from(clean), 0.05)
    assert measured.instance_p is not None
    assert measured.instance_p > 0.05
    assert decide(world.policy(), measured).outcome in (*PASSES, Outcome.INCONCLUSIVE)
