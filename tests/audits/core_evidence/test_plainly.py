from __future__ import annotations

from dataclasses import replace

import pytest

from audits.core.contrast import measure, recompute
from audits.core.plainly import for_the_person
from audits.core.policy import AuditData
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import World, policy_at


def said(world, **changes: object):
    policy = policy_at(world.models, **changes)
    kept = world.kept(1)
    measured = measure(kept, policy.alpha_at(world.models))
    return for_the_person(recompute(kept, policy).outcome, measured, policy), measured


def test_a_pass_is_said_in_times_out_of_a_hundred_rounded_against_us():
    sentence, measured = said(World(models=128))
    most = 50 + 50 * measured.leak.subject.upper
    assert f"right at most {int(most) + 1} times in 100" in sentence
    assert f"at least {int(50 + 50 * measured.before.subject.lower)} times" in sentence
    assert "half of them with your data" in sentence


def test_a_fail_says_that_the_model_is_not_used():
    sentence, _ = said(World(models=16, after=1.2))
    assert "still tells them apart, so the model is not used" in sentence


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (World(models=8), "does not rule out that traces are left"),
        (World(models=128, accuracy_after=0.5), "too poor"),
        (World(models=128, before=0.0), "even before"),
    ],
)
def test_what_says_nothing_is_not_made_to_sound_like_a_pass(world, why):
    sentence, _ = said(world)
    assert why in sentence
    assert "we do not rely on it" in sentence


def test_surrogates_are_not_called_the_persons_data():
    policy = policy_at(16, audit_data=AuditData.SURROGATE)
    measured = measure(World(models=16).kept(1), policy.alpha_at(16))
    sentence = for_the_person(Outcome.FAIL, measured, policy)
    assert "other people's data that is like yours" in sentence
    assert "with your data" not in sentence


def test_an_outcome_of_lineage_has_no_such_sentence():
    policy = policy_at(16)
    measured = measure(World(models=16).kept(1), policy.alpha_at(16))
    with pytest.raises(ValueError, match="does not come from an attack"):
        for_the_person(Outcome.ERASED_BY_CONSTRUCTION, measured, policy)


def test_a_pass_holds_for_the_attack_that_says_most_and_tells_how_often_it_errs():
    policy = policy_at(128)
    kept = [World(models=128, after=after).kept(1) for after in (0.0, 0.05)]
    main, other = (measure(one, 0.05) for one in kept)
    assert other.leak.subject.upper > main.leak.subject.upper
    sentence = for_the_person(Outcome.PASS_LEAK, {"u_lira": main, "neighbourhood": other}, policy)
    assert f"right at most {int(50 + 50 * other.leak.subject.upper) + 1} times" in sentence
    assert "at most 5 such tests in 100 say so wrongly" in sentence


def test_a_fail_of_the_model_in_use_alone_is_not_told_of_the_others():
    policy = policy_at(16)
    clean = replace(measure(World(models=16).kept(1), 0.05), instance_p=0.01)
    sentence = for_the_person(Outcome.FAIL, clean, policy)
    assert "our own model stands out from models that never had your data" in sentence
    assert "tells them apart" not in sentence
    leaking = replace(measure(World(models=16, after=1.2).kept(1), 0.05), instance_p=0.01)
    assert "tells them apart" in for_the_person(Outcome.FAIL, leaking, policy)
