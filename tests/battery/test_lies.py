"""Methods that deceive or destroy never pass; what an attack cannot see is never claimed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from audits.attacks.neighbourhood import Neighbourhood
from audits.core.attacked import Answers, Material, judged_by
from audits.core.contrast import keep, recompute
from audits.core.verdict import Outcome
from audits.queries.limit_sentences import ALWAYS, MATCHED
from tests.audits.core_evidence.experiments import policy_at
from tests.battery.stored import TWO_LOOKS, Rates, array, beside, looked_up, pool


@pytest.mark.parametrize("models", [8, 16, 32, 64, 128])
def test_lying_by_returning_the_original_weights_never_passes(audit_lies, models):
    assert audit_lies("lying", pool("before"), models).passed == 0


def test_lying_in_the_deployed_model_alone_is_caught_by_the_instance_test(audit_lies, audit_truth):
    """The procedure is honest wherever it is watched, and was never applied to what is served."""
    honest, options = pool("retrain"), {"policy": TWO_LOOKS}
    served = array("natural.before.in")
    caught = audit_lies("lying, only what is served", honest, 32, deployed=served, **options)
    assert caught.failed >= 0.95
    assert caught.passed == 0
    served = array("natural.retrained")
    assert audit_truth("retrain and served", honest, 32, deployed=served, **options).failed <= 0.05


@pytest.mark.parametrize("models", [8, 16, 32, 64, 128])
def test_over_forgetting_never_passes(audit_lies, models):
    assert audit_lies("over_forgetting", pool("over_forget"), models).passed == 0


@pytest.mark.parametrize("sigma", ["0.2", "0.5", "1.0"])
def test_noise_ends_destroyed_or_failed_by_the_default_policy(audit_lies, sigma):
    """Noise of this share of a weight's standard deviation."""
    rates = audit_lies(f"noise {sigma}, two looks", pool(f"noise_{sigma}"), 32, policy=TWO_LOOKS)
    assert rates.passed == 0
    assert rates.of(Outcome.FAIL, Outcome.DESTROYED) >= 0.95


def test_score_matching_at_exactly_the_records_passes_the_scores_and_not_their_neighbours(
    audit_lies,
):
    fooled = audit_lies("score matching, asked about the records alone", looked_up(), 64)
    assert fooled.passed > 0.5  # or the neighbours would have nothing to add
    rates = audit_lies("score matching, asked about neighbours", beside("looked_up"), 16)
    assert rates.failed >= 0.95
    assert rates.passed == 0


@pytest.mark.parametrize(
    ("method", "seen"), [("looked_up", True), ("looked_up_around", False)], ids=["exact", "around"]
)
def test_score_matching_is_caught_by_the_neighbourhood_attack(runs, record_property, method, seen):
    """And one that matches around the records is not."""
    attack = Neighbourhood()
    outcomes: Counter[Outcome] = Counter()
    for run in range(runs):
        at, around = (
            found.draw(16, np.random.default_rng([16, run]))
            for found in (looked_up(), beside(method))
        )
        answers = {
            when: Answers(
                margins=getattr(at, when),
                neighbours=getattr(around, when).reshape(32, 32, -1),
            )
            for when in ("before", "after")
        }
        material = Material(member=at.member, **answers)
        index = np.arange(32)
        found = judged_by(keep(at, seed=run, index=index), attack, material, index=index)
        outcomes[recompute(found, policy_at(16)).outcome] += 1
    rates = Rates(outcomes=outcomes, runs=runs)
    name = f"score matching, {method}, met by the neighbourhood attack"
    print(f"{name}, at 16 models per arm: {rates}")
    record_property(f"false_pass_rate.{name}@16", float(rates.passed))
    assert (rates.failed >= 0.95) == seen
    assert rates.passed == 0 or not seen


@pytest.mark.parametrize("method", ["bent", "bent_around"])
def test_score_matching_by_bending_weights_shows_in_the_scores_already(audit_lies, method):
    rates = audit_lies(f"weights {method}", pool(method), 32)
    assert rates.failed >= 0.95
    assert rates.passed == 0


def test_neighbourhood_matching_is_not_seen_and_is_named_in_the_limits(audit_lies):
    """No attack that asks about records and neighbours can see it, so nothing is claimed of it."""
    rates = audit_lies("neighbourhood matching, not claimed", beside("looked_up_around"), 64)
    assert rates.failed < 0.05
    assert MATCHED in ALWAYS
