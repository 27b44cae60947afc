"""What a pass says against a leak of the margin or more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.attempts import paths
from audits.core.contrast import recompute
from audits.core.estimates import Level
from audits.core.kept import KeptContrast
from audits.core.levels import contrast
from audits.core.passing import leak_p, strength_of
from audits.core.policy import Mode
from audits.core.strength import Strength
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import World, policy_at
from tests.audits.core_evidence.test_attempts import kept_of

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)
SEQUENTIAL = policy_at(124, levels=(Level.SUBJECT,), mode=Mode.SEQUENTIAL)


def bisected(kept, level, margin):
    """The smallest error at which the bound of a look is below the margin: the slow oracle."""
    low, high = 0.0, 0.5
    for _ in range(45):
        middle = (low + high) / 2
        below = contrast(kept, middle).at(level).upper <= margin
        low, high = (low, middle) if below else (middle, high)
    return high


def several(kept):
    """The same numbers, split between two people."""
    half = tuple(value / 2 for value in kept.subject_in), tuple(v / 2 for v in kept.subject_out)
    other = tuple(value - 1 for value in kept.subject_in)
    return replace(kept, subjects_in=(half[0], other), subjects_out=(half[1], half[1]))


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("uneven", [False, True])
def test_the_p_value_of_a_pass_is_the_bound_turned_round(level, uneven):
    kept = several(World(models=24, records=4).kept(2).leak)
    if uneven:  # one model less in an arm
        shorter = {name: getattr(kept, name)[:-1] for name in ("averages_out", "subject_out")}
        kept = replace(
            kept,
            **shorter,
            subjects_out=tuple(one[:-1] for one in kept.subjects_out),
            right_out=tuple(min(one, kept.n_out - 1) for one in kept.right_out),
        )
    assert leak_p(kept, level, 0.6) == pytest.approx(bisected(kept, level, 0.6), abs=1e-9)
    assert 0 < leak_p(kept, level, 0.6) < 0.5


def test_models_that_happen_to_agree_are_not_taken_for_certain():
    kept = KeptContrast(
        averages_in=(0.5, 0.5),
        averages_out=(0.5, 0.5),
        subject_in=(1.0, 1.0),
        subject_out=(1.0, 1.0),
        right_in=(2,),
        right_out=(0,),
    )
    found = leak_p(kept, Level.RECORD_AVERAGE, 0.3)
    assert found == pytest.approx(bisected(kept, Level.RECORD_AVERAGE, 0.3))
    assert 0.05 < found < 0.5


def test_a_pass_at_a_planned_look_is_a_p_value_of_at_most_alpha_over_all_looks():
    policy = policy_at(256, looks=(128, 256))
    for models in (128, 256):
        kept = World(models=models).kept(1)
        assert recompute(kept, policy).outcome in PASSES
        share = policy.share_of(models) / policy.alpha
        found = strength_of({"u_lira": kept}, policy)
        worst = max(leak_p(kept.leak, one, policy.margin(one)) for one in policy.levels)
        assert found == Strength(p=worst / share)
        assert worst / share <= policy.alpha


def test_the_weakest_attack_that_may_clear_a_model_decides():
    policy = policy_at(128)
    strong, weak = World(models=128).kept(1), World(models=128, after=0.15).kept(1)
    alone = strength_of({"u_lira": strong}, policy)
    both = strength_of({"u_lira": strong, "other": weak}, policy)
    assert alone.p is not None
    assert both.p is not None
    assert both.p > alone.p
    silent = replace(weak, can_pass=False)
    assert strength_of({"u_lira": strong, "other": silent}, policy) == alone
    with pytest.raises(ValueError, match="at least one"):
        strength_of({}, policy)


def test_a_sequential_pass_is_worth_its_bet_less_what_it_owes():
    kept = kept_of(np.random.default_rng(3), 0.0)
    (bets,) = paths(kept.leak, SEQUENTIAL)[Level.SUBJECT]
    assert strength_of({"": kept}, SEQUENTIAL) == Strength(log_e=bets.against_leak[-1])
    owing = strength_of({"": replace(kept, debt=1.0)}, SEQUENTIAL)
    assert owing == Strength(log_e=bets.against_leak[-1] - 1)


def test_the_bet_of_a_leak_at_the_margin_is_an_e_value():
    rng = np.random.default_rng(11)
    margin = SEQUENTIAL.margin_subject
    found = [
        strength_of({"": kept_of(rng, margin)}, SEQUENTIAL).among(9, 0.05) for _ in range(300)
    ]
    assert np.mean(found) <= 1.0
