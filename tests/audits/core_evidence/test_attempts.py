"""An operator who audits again until it passes does not get past the policy's error."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from audits.core.attempts import OPEN, debt, lost, paths
from audits.core.contrast import measure_under, recompute
from audits.core.estimates import Level
from audits.core.kept import Kept, KeptContrast
from audits.core.policy import Mode
from audits.core.sequential import path
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import World, kept_from, policy_at

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)
LOOKS = (16, 32, 48)
POLICY = policy_at(48, looks=LOOKS, levels=(Level.SUBJECT,), mode=Mode.SEQUENTIAL)
FINE = World(models=16).kept(0).utility


def guesses(rng, count, advantage):
    """One record, whose sums are guessed right as often as the advantage says."""
    right = rng.random((2, count)) < (1 + advantage) / 2
    inside, outside = np.where(right[0], 1.0, -1.0), np.where(right[1], -1.0, 1.0)
    return KeptContrast(
        averages_in=tuple(map(float, right[0])),
        averages_out=tuple(map(float, right[1])),
        subject_in=tuple(map(float, inside)),
        subject_out=tuple(map(float, outside)),
        right_in=(int(right[0].sum()),),
        right_out=(int(right[1].sum()),),
    )


def kept_of(rng, advantage, pairs=120):
    return Kept(
        models_per_arm=pairs + 4,
        before=guesses(rng, pairs, 0.98),
        leak=guesses(rng, pairs, advantage),
        utility=FINE,
    )


def reruns_until_it_passes(rng, attempts, policy, charged):
    """Look after every pair of models, and begin another audit whenever one did not pass."""
    earlier: list[Kept] = []
    for _ in range(attempts):
        kept = kept_of(rng, policy.margin_subject)
        needed = -np.log(policy.alpha) + (debt(earlier, policy) if charged else 0.0)
        (bets,) = paths(kept.leak, policy)[Level.SUBJECT]
        if max(bets.against_leak) >= needed:
            return True
        earlier.append(kept)
    return False


def test_rerunning_until_it_passes_does_not_exceed_the_error_of_the_policy():
    policy = replace(POLICY, alpha=0.2)  # large, for a test with few runs
    rng = np.random.default_rng(7)
    passed = {
        charged: np.mean([reruns_until_it_passes(rng, 6, policy, charged) for _ in range(80)])
        for charged in (True, False)
    }
    assert passed[True] <= policy.alpha
    assert passed[False] > policy.alpha


def test_where_looks_are_planned_only_the_first_attempt_may_pass():
    policy = policy_at(128)
    kept = World(models=128).kept(1)
    assert recompute(kept, policy).outcome in PASSES
    second = recompute(replace(kept, attempt=2), policy)
    assert second.outcome is Outcome.INCONCLUSIVE
    assert second.reasons[0].startswith("This is attempt 2 on the same records")
    leaking = World(models=16, after=1.2).kept(0)
    assert recompute(replace(leaking, attempt=2), policy_at(16)).outcome is Outcome.FAIL


def test_an_attempt_pays_what_was_lost_and_gains_nothing_from_what_was_won():
    rng = np.random.default_rng(1)
    won, bad = kept_of(rng, 0.0), kept_of(rng, 0.6)
    assert lost(won, POLICY) == 0.0
    assert lost(bad, POLICY) > 1.0
    assert debt([won, bad, won], POLICY) == lost(bad, POLICY)
    assert debt([bad, bad], POLICY) == pytest.approx(2 * lost(bad, POLICY))
    assert debt([], POLICY) == 0.0


def test_nobody_passes_while_an_earlier_attempt_is_open():
    assert debt([None], POLICY) == OPEN
    clean = World(models=128).kept(1)
    policy = policy_at(128, mode=Mode.SEQUENTIAL)
    assert recompute(clean, policy).outcome in PASSES
    second = recompute(replace(clean, attempt=2, debt=OPEN), policy)
    assert second.outcome is Outcome.INCONCLUSIVE
    assert second.reasons[-1].startswith("This is attempt 2 on the same records")


def test_a_sequential_audit_recomputes_from_what_is_kept():
    policy = policy_at(128, mode=Mode.SEQUENTIAL)
    kept = replace(World(models=128).kept(2), attempt=2, debt=0.5)
    stored = Kept.from_dict(json.loads(json.dumps(kept.as_dict())))
    assert stored == kept
    assert recompute(stored, policy) == recompute(kept, policy)


def test_the_bounds_of_a_sequential_audit_are_where_its_paths_are_won():
    policy = policy_at(48, mode=Mode.SEQUENTIAL)
    kept = World(models=48, after=0.1).kept(4)
    found = measure_under(kept, policy)
    for level, one in paths(kept.leak, policy).items():
        excluded = max(one[0].against_leak) >= -np.log(policy.alpha)
        assert (found.leak.at(level).upper <= policy.margin(level)) == excluded
    (subject,) = paths(kept.leak, policy)[Level.SUBJECT]
    inside, outside = np.array(kept.leak.subject_in) > 0, np.array(kept.leak.subject_out) <= 0
    arms = inside.astype(np.float64), outside.astype(np.float64)
    assert subject == path(arms[0], arms[1], policy.margin_subject)


def test_a_later_look_of_the_same_audit_goes_on_where_the_earlier_one_stopped():
    world = World(models=48)
    scores = world.draw(0)
    found = []
    for models in LOOKS:
        rows = slice(0, 2 * models)
        part = replace(
            scores,
            before=scores.before[rows],
            after=scores.after[rows],
            member=scores.member[rows],
            accuracies=None,
        )
        found.append(paths(kept_from(part).leak, POLICY)[Level.SUBJECT][0].against_leak)
    for short, long in pairwise(found):
        assert long[: len(short) - 1] == pytest.approx(short[:-1], abs=1e-6)
