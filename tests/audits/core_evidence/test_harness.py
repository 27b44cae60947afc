from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from audits.core.contrast import keep, recompute
from audits.core.harness import Deployment, accuracy_band, canary_bounds, findings, null_bounds
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import World, planted_canaries

WORLD = World(models=16)
RECIPE = {
    "epochs": 30,
    "loss": "cross_entropy",
    "training_examples": 1056,
    "augmentation": ["flip", "crop"],
}


def found(scores, deployment=None):
    return findings(scores, deployment or Deployment(), seed=0)


def test_a_sound_experiment_has_no_findings():
    scores = replace(WORLD.draw(2), canaries=planted_canaries(32, 8, 6.0, seed=1))
    deployment = Deployment(
        shadow_recipe=RECIPE,
        target_recipe=dict(reversed(RECIPE.items())),
        test_before=0.95,
        test_after=0.951,
    )
    assert found(scores, deployment) == ()


def test_shadow_models_that_were_trained_in_two_ways_make_the_verdict_invalid():
    def decided(**paths: int):
        deployment = Deployment(paths=paths)
        kept = keep(WORLD.draw(0), seed=0, index=np.arange(32), deployment=deployment)
        return recompute(kept, WORLD.policy())

    assert decided(stacked=64).outcome is not Outcome.INVALID
    verdict = decided(stacked=63, sequential=1)
    assert verdict.outcome is Outcome.INVALID
    assert "trained in different ways (1 sequential, 63 stacked)" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 31),
        ("loss", "focal"),
        ("training_examples", 1024),
        ("augmentation", ["crop", "flip"]),
        ("augmentation", None),
        ("optimiser", "sgd"),
    ],
)
def test_another_recipe_makes_the_verdict_invalid(field, value):
    target = {**RECIPE, field: value}
    deployment = Deployment(shadow_recipe=RECIPE, target_recipe=target)
    kept = keep(WORLD.draw(0), seed=0, index=np.arange(32), deployment=deployment)
    verdict = recompute(kept, WORLD.policy())
    assert verdict.outcome is Outcome.INVALID
    expected = f"Shadow models and the deployed model differ in recipe: {field}."
    assert verdict.reasons == (expected,)


def test_canaries_that_nobody_sees_are_found():
    scores = replace(WORLD.draw(0), canaries=planted_canaries(32, 8, 0.0, seed=1))
    (sentence,) = found(scores)
    assert sentence.startswith("The attack does not see planted canaries")


def test_canaries_that_cannot_be_evaluated_are_found():
    canaries = planted_canaries(32, 3, 3.0, seed=1)
    canaries.member[:, 1] = True
    (sentence,) = found(replace(WORLD.draw(0), canaries=canaries))
    assert sentence.startswith("The canaries cannot be evaluated. An arm has 0 models")


def test_one_canary_that_too_few_models_learned_to_be_judged_is_found():
    """Four of each come before any that is judged, and then only one kind is left."""
    canaries = planted_canaries(12, 1, 6.0, seed=1)
    first = [0] * 6 + [1] * 6
    member = np.array(first, np.bool_)[:, None]
    world = World(models=6)
    (sentence,) = found(replace(world.draw(0), canaries=replace(canaries, member=member)))
    assert sentence.startswith("The canaries cannot be evaluated. An arm has shape")


@pytest.mark.parametrize("models", [16, 32])
def test_one_canary_is_a_control_that_is_seldom_right_by_chance(models):
    """At an advantage of exactly what is needed it shows more in one experiment of a hundred."""
    at_the_edge = 2 * stats.norm.ppf(0.75)
    shown = {
        shift: [
            canary_bounds(planted_canaries(2 * models, 1, shift, seed)).lower > 0.5
            for seed in range(200)
        ]
        for shift in (at_the_edge, 6.0)
    }
    assert np.mean(shown[at_the_edge]) <= 0.03
    assert np.mean(shown[6.0]) >= 0.98


def test_wrong_labels_are_strong_canaries():
    bounds = canary_bounds(planted_canaries(32, 8, 6.0, seed=3))
    assert bounds.lower > 0.7
    assert bounds.estimate > 0.9


def test_a_pipeline_that_changed_half_way_is_found():
    scores = WORLD.draw(0)
    scores.after[16:] += 2.0
    (sentence,) = found(scores)
    assert "split by order of training" in sentence


def test_exchangeable_halves_are_rarely_told_apart():
    rng = np.random.default_rng(0)
    half = np.arange(32) % 2 == 0
    alarms = [null_bounds(rng.normal(size=(32, 8)), half).lower > 0 for _ in range(300)]
    assert np.mean(alarms) <= 0.03


@pytest.mark.parametrize("matrix", ["before", "after", "deployed"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_invalid_and_still_recorded(matrix, value):
    scores = replace(WORLD.draw(0), deployed=np.zeros(32))
    getattr(scores, matrix).flat[3] = value
    kept = keep(scores, seed=0, index=np.arange(32))
    assert recompute(kept, WORLD.policy()).outcome is Outcome.INVALID
    assert "not finite" in kept.findings[0]


def test_saturated_scores_are_found():
    scores = WORLD.draw(0)
    scores.before[:, 4] = np.minimum(scores.before[:, 4], 0.0)
    scores.before[:20, 5] = 36.7
    (sentence,) = found(scores)
    assert sentence.startswith("Scores before unlearning are saturated: ")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("accuracy", [0.90, 0.99])
def test_a_deployed_model_outside_the_band_is_found(when, accuracy):
    (sentence,) = found(WORLD.draw(0), replace(Deployment(), **{f"test_{when}": accuracy}))
    assert f"test accuracy {when} unlearning is {accuracy:.4f}, outside" in sentence


def test_the_accuracy_band_holds_one_more_model():
    rng = np.random.default_rng(0)
    accuracies = rng.normal(0.9, 0.02, 12)
    low, high = accuracy_band(accuracies)
    spread = accuracies.std(ddof=1) * np.sqrt(1 + 1 / 12)
    expected = stats.t.interval(0.99, 11, accuracies.mean(), spread)
    assert (low, high) == pytest.approx(expected)
    assert accuracy_band(np.ones(12))[0] < 0.985
