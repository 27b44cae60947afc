from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.bounds import average_bounds, clopper_pearson_lower
from audits.core.contrast import keep_contrast, measure, recompute, records_without_signal
from audits.core.kept import Kept
from audits.core.likelihood import BURN_IN, forward
from audits.core.shadow_scores import Canaries, ScoresRefused, ShadowScores
from tests.audits.core_evidence.experiments import World, kept_from, policy_at

worlds = st.builds(
    World,
    models=st.integers(6, 12),
    records=st.integers(1, 12),
    after=st.sampled_from([0.0, 0.5, 3.0]),
    retrained=st.booleans(),
)


@given(worlds, st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_verdict_recomputes_from_what_is_kept_after_a_journey_through_json(world, seed):
    scores = world.draw(seed)
    scores = replace(scores, deployed=scores.after[1])
    kept = kept_from(scores, seed)
    again = Kept.from_dict(json.loads(json.dumps(kept.as_dict())))
    assert again == kept
    assert recompute(again, world.policy()) == recompute(kept, world.policy())


def test_every_contrast_equals_the_slow_count():
    world = World(models=9, records=5, after=0.7)
    scores = world.draw(3)
    found = measure(kept_from(scores), 0.05).leak
    ratios, member = forward(scores.after, world.member), world.member
    models = [j for j in range(18) if not np.isnan(ratios[j, 0])]
    right = {j: [(r > 0) == member[j] for r in ratios[j]] for j in models}
    shares = {arm: [np.mean(right[j]) for j in models if member[j] == arm] for arm in (1, 0)}
    assert found.record_average.estimate == pytest.approx(
        np.mean(shares[1]) + np.mean(shares[0]) - 1
    )
    subject = [(ratios[j].sum() > 0) == member[j] for j in models]
    assert found.subject.estimate == pytest.approx(2 * np.mean(subject) - 1)
    assert found.subject.lower == pytest.approx(
        2 * clopper_pearson_lower(sum(subject), len(models), 0.05) - 1
    )
    by_record = [2 * np.mean([right[j][i] for j in models]) - 1 for i in range(5)]
    assert found.worst_record.estimate == pytest.approx(max(by_record))
    assert found.models_per_arm == 9 - BURN_IN


def test_the_record_average_is_clustered_by_model():
    world = World(models=16, records=500, correlation=0.3)
    kept = kept_from(world.draw(0)).leak
    plain = average_bounds(np.array(kept.averages_in), np.array(kept.averages_out), 0.05)
    independent = 1.645 * np.sqrt(2 * 0.25 / (12 * 500))
    assert plain.upper - max(plain.estimate, 0) > 3 * independent


def test_the_index_hides_which_record_is_which_and_changes_nothing_else():
    scores = World(models=8, records=6, after=1.0).draw(0)
    plain = keep_contrast(scores.after, scores.member, np.arange(6))
    hidden = keep_contrast(scores.after, scores.member, np.arange(6)[::-1])
    assert hidden.right_in == plain.right_in[::-1]
    assert sorted(hidden.averages_in) == pytest.approx(sorted(plain.averages_in))


def test_records_without_signal_are_listed_under_the_index():
    scores = World(models=16, records=4, before=0.0).draw(0)
    scores.before[:, 2] += 6.0 * scores.member
    kept = keep_contrast(scores.before, scores.member, np.array([2, 0, 1, 3]))
    assert records_without_signal(kept, 0.01) == (1, 2, 3)


def test_drift_shows_against_retraining_and_not_as_a_leak():
    world = World(models=32, after=0.6, drift=1.5, retrained=True)
    found = measure(kept_from(world.draw(0)), 0.05)
    assert found.equivalence is not None
    assert found.leak.record_average.upper < found.equivalence.record_average.lower


def test_a_pass_is_strict_only_next_to_retrained_models():
    near = World(models=64, retrained=True)
    far = World(models=64, retrained=True, drift=1.5)
    assert recompute(kept_from(near.draw(0)), near.policy()).outcome == "PASS_STRICT"
    assert recompute(kept_from(far.draw(0)), far.policy()).outcome == "PASS_LEAK"


@pytest.mark.parametrize("records", [1, 5000])
def test_one_record_and_thousands_are_measured(records):
    world = World(models=8, records=records, after=5.0)
    found = measure(kept_from(world.draw(0)), 0.05)
    assert found.leak.record_average.estimate > 0.5


@pytest.mark.slow
def test_a_verdict_from_256_models_and_1000_records_takes_less_than_two_seconds():
    scores = World(models=128, records=1000, after=0.1).draw(0)
    start = time.process_time()
    recompute(kept_from(scores), policy_at(128))
    assert time.process_time() - start < 2.0


def test_the_kept_numbers_do_not_grow_with_models_times_records():
    kept = kept_from(World(models=10, records=400).draw(0))
    assert len(json.dumps(kept.as_dict())) < 12_000


GOOD = World(models=5, records=3).draw(0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"after": np.zeros((10, 4))}, r"after has shape \(10, 4\); it must be \(10, 3\)."),
        ({"member": np.zeros(10, bool)}, "both arms need models"),
        ({"member": np.arange(10)}, "it must be bool"),
        ({"retrained": np.zeros((4, 2))}, "retrained has shape"),
        ({"deployed": np.zeros(2)}, "deployed has shape"),
        (
            {"canaries": Canaries(scores=np.zeros((9, 2)), member=np.zeros((9, 2), bool))},
            "canaries.scores has shape",
        ),
        ({"before": np.zeros((10, 0)), "after": np.zeros((10, 0))}, "at least one"),
    ],
)
def test_it_refuses_matrices_that_do_not_belong_together(changes, sentence):
    plain = {"before": GOOD.before, "after": GOOD.after, "member": GOOD.member}
    with pytest.raises(ScoresRefused, match=sentence):
        ShadowScores(**{**plain, **changes})
