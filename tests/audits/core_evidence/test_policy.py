from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.estimates import Level
from audits.core.policy import AuditData, EvidencePolicy, Mode, NotALook, PolicyRefused

policies = st.builds(
    EvidencePolicy,
    margin_record=st.floats(0.01, 0.99),
    margin_subject=st.floats(0.01, 0.99),
    alpha=st.floats(0.001, 0.49),
    looks=st.sets(st.integers(6, 40), min_size=1, max_size=4).map(lambda s: tuple(sorted(s))),
    max_trainings=st.integers(80, 200),
    levels=st.sampled_from([(Level.SUBJECT,), (Level.SUBJECT, Level.RECORD_AVERAGE)]),
    audit_data=st.sampled_from(AuditData),
    mode=st.sampled_from(Mode),
)


@given(policies)
@settings(max_examples=25, deadline=None)
def test_a_policy_survives_json_with_its_digest(policy):
    again = EvidencePolicy.from_dict(json.loads(json.dumps(policy.as_dict())))
    assert again == policy
    assert again.digest() == policy.digest()


@given(policies)
@settings(max_examples=25, deadline=None)
def test_the_looks_spend_alpha_and_no_more(policy):
    spent = [policy.share_of(look) for look in policy.looks]
    assert sum(spent) == pytest.approx(policy.alpha)
    assert spent == sorted(spent)


def test_an_empty_dict_is_the_default_policy():
    assert EvidencePolicy.from_dict({}) == EvidencePolicy()
    assert EvidencePolicy().levels == (Level.RECORD_AVERAGE, Level.SUBJECT)


def test_any_change_changes_the_digest():
    assert EvidencePolicy(margin_record=0.11).digest() != EvidencePolicy().digest()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"margin": 0.1}, "'margin' is not a field of a policy; use margin_record, "),
        ({"margin_record": 0}, "margin_record is 0; it must lie between 0 and 1."),
        ({"margin_subject": 1.0}, "margin_subject is 1.0; it must lie between 0 and 1."),
        ({"margin_utility": "2"}, "margin_utility is '2'; it must lie between 0 and 1."),
        ({"margin_utility": float("nan")}, "margin_utility is nan"),
        ({"alpha": True}, "alpha is True; it must lie between 0 and 0.5."),
        ({"alpha_instance": 0.5}, "alpha_instance is 0.5"),
        ({"looks": 16}, "looks is 16; it must be a list."),
        ({"looks": []}, "it must hold whole numbers of at least 6."),
        ({"looks": [5]}, "it must hold whole numbers of at least 6."),
        ({"looks": [16.0]}, "it must hold whole numbers of at least 6."),
        ({"looks": [16, 16]}, "each look must be larger than the one before."),
        (
            {"max_trainings": 63},
            "need at least 64. The models of the instance test are not counted.",
        ),
        ({"levels": []}, "name at least one of record_average, subject, worst_record, whole_set."),
        ({"levels": ["best"]}, "levels holds 'best'; allowed are record_average, subject,"),
        ({"levels": ["worst_record"]}, "needs a look of at least 256 models per arm"),
        ({"levels": ["whole_set"]}, "asks for the whole set, which needs a look of at least 256"),
        ({"mode": "always"}, "mode holds 'always'; allowed are looks, sequential."),
        (
            {
                "mode": "sequential",
                "levels": ["worst_record"],
                "looks": [256],
                "max_trainings": 512,
            },
            "asks for the worst record, about which a sequential audit keeps no bets",
        ),
        ({"audit_data": "mine"}, "audit_data holds 'mine'; allowed are own_records, surrogate."),
    ],
)
def test_it_refuses_with_a_sentence(values, sentence):
    with pytest.raises(PolicyRefused) as refusal:
        EvidencePolicy.from_dict(values)
    assert sentence in str(refusal.value)


def test_the_worst_record_may_decide_with_enough_models():
    policy = EvidencePolicy(looks=(256,), max_trainings=512, levels=(Level.WORST_RECORD,))
    assert policy.margin(Level.WORST_RECORD) == policy.margin_subject


def test_it_refuses_a_look_that_was_not_planned():
    with pytest.raises(NotALook, match=r"at 20 models per arm is not planned; .* 16, 32"):
        EvidencePolicy().alpha_at(20)


def test_only_the_mode_of_looks_shares_the_error():
    bets = EvidencePolicy(mode=Mode.SEQUENTIAL)
    assert [bets.alpha_at(look) for look in bets.looks] == [bets.alpha] * len(bets.looks)
    assert sum(EvidencePolicy().alpha_at(look) for look in (16, 32)) == pytest.approx(0.05)
    with pytest.raises(NotALook):
        bets.alpha_at(20)


def test_a_policy_logged_before_there_was_a_mode_keeps_its_digest():
    assert "mode" not in EvidencePolicy().as_dict()
    assert EvidencePolicy(mode=Mode.SEQUENTIAL).as_dict()["mode"] == "sequential"
    known = "44ec5870efabe48e843693bc704413a20d0075ac39c4483cb8e6d1c8ddbb065d"
    assert EvidencePolicy().digest() == known
