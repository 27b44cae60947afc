"""Certificates as values: a key of every field, and when one stands."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.certificate import (
    Certificate,
    Procedure,
    forget_bucket,
    leak_shown,
    training_bucket,
    why_not,
    why_too_hard,
)
from audits.core.certificate_words import certificate_words
from audits.core.certified import broken, recomputes, with_instance
from audits.core.contrast import recompute_all
from audits.core.difficulty import decile
from audits.core.estimates import InstanceTest
from audits.core.instance import InstanceDesign, models_needed
from audits.core.policy import EvidencePolicy
from tests.audits.certificate_worlds import POLICY

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PROCEDURE = Procedure(
    recipe="a" * 64,
    base="",
    method="scrub",
    hyperparameters={"epochs": 3},
    data="digits",
    classes=10,
    records="1024-2047",
    forget="2-10",
    policy="b" * 64,
    device="cpu, full precision",
    software="expunge 1",
)
NAMES = [field.name for field in fields(Procedure)]
HELD: dict[str, Any] = {"days": 90, "now": NOW + timedelta(days=1)}


def certificate(**other: object) -> Certificate:
    stated = Certificate(
        name="c1",
        procedure=PROCEDURE,
        outcome="PASS_LEAK",
        difficulty=7,
        kept={"kept": {"models_per_arm": 24}},
        policy={},
        evidence="c" * 64,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=90),
    )
    changes: dict[str, Any] = other
    return replace(stated, **changes)


def another(name: str, number: int) -> Procedure:
    value: Any = f"other {number}"
    if name == "hyperparameters":
        value = {"epochs": 4 + number}
    elif name in {"classes", "subjects"}:
        value = 11 + number
    return replace(PROCEDURE, **{name: value})


# --- the key ----------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(NAMES)), st.integers(0, 5))
def test_every_changed_field_changes_the_key_and_is_named(changed, number):
    other = PROCEDURE
    for name in changed:
        other = replace(other, **{name: getattr(another(name, number), name)})
    assert set(PROCEDURE.differing(other)) == changed
    assert (PROCEDURE.key() == other.key()) == (not changed)
    reason = why_not(certificate(), other, digest=certificate().digest(), **HELD)
    assert all(f"{name} is " in reason for name in changed)
    assert bool(reason) == bool(changed)


def test_the_order_of_hyperparameters_does_not_matter():
    one = replace(PROCEDURE, hyperparameters={"a": 1, "b": 2.0})
    other = replace(PROCEDURE, hyperparameters={"b": 2, "a": 1})
    assert one.key() == other.key()
    assert one.differing(other) == ()
    assert Procedure.from_dict(one.as_dict()) == one


@given(st.integers(1, 10**7))
def test_a_bucket_holds_what_it_says(records):
    low, high = map(int, training_bucket(records).split("-"))
    assert low <= records <= high < 2 * low
    assert forget_bucket(records) == (
        "1" if records == 1 else "2-10" if records < 11 else "11-100" if records < 101 else ">100"
    )


def test_an_empty_training_set_has_a_bucket_of_its_own():
    assert training_bucket(0) == "0"


# --- when it stands ---------------------------------------------------------------------------


def reason(stated: Certificate, **changed: object) -> str:
    held: dict[str, Any] = {"digest": stated.digest(), **HELD, **changed}
    return why_not(stated, PROCEDURE, **held)


def test_it_stands_until_the_day_it_expires():
    assert reason(certificate()) == ""
    assert reason(certificate(), now=NOW + timedelta(days=90)).endswith("expired on 2026-08-02.")
    assert reason(certificate(), days=0.5).endswith("expired on 2026-05-05.")
    assert reason(certificate(), days=900, now=NOW + timedelta(days=89)) == ""
    assert "expired" in reason(certificate(), days=900, now=NOW + timedelta(days=91))


def test_zero_days_turn_it_off():
    assert reason(certificate(), days=0).endswith("EXPUNGE_CERTIFICATE_DAYS is 0.")


def test_only_a_pass_certifies():
    assert "has the outcome FAIL" in reason(certificate(outcome="FAIL"))


@pytest.mark.parametrize(
    "change", [{"kept": {}}, {"difficulty": 8}, {"evidence": ""}, {"policy": {"alpha": 0.4}}]
)
def test_what_was_altered_does_not_stand(change):
    issued = certificate().digest()
    assert "does not have the digest" in reason(certificate(**change), digest=issued)


def test_a_certificate_covers_its_own_decile_and_easier_ones():
    covered = [not why_too_hard(certificate(), one) for one in range(1, 11)]
    assert covered == [True] * 7 + [False] * 3
    assert "are in decile 9" in why_too_hard(certificate(), 9)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({}, True),
        ({"contrasts": {"leak": {"subject": {"lower": -0.1}}}}, True),
        ({"instance_p": 0.01, "contrasts": {"leak": {"subject": {"lower": -0.1}}}}, False),
        ({"instance_p": 0.01, "contrasts": {"leak": {"subject": {"lower": 0.1}}}}, True),
        ({"instance_p": 0.01, "contrasts": {"leak": {"subject": {}}}}, True),
    ],
)
def test_a_fail_is_of_the_procedure_unless_the_deployed_model_alone_stood_out(payload, shown):
    assert leak_shown(payload) is shown


def test_a_leak_that_another_attack_alone_found_is_one_of_the_procedure():
    """A method that matches the scores of the records is seen in their neighbourhood only."""

    def leak(lower):
        return {"contrasts": {"leak": {"subject": {"lower": lower}}}}

    quiet = {**leak(-0.1), "instance_p": 0.3}
    assert not leak_shown({**quiet, "attacks": {"neighbourhood": leak(-0.2)}})
    assert leak_shown({**quiet, "attacks": {"rmia": leak(-0.2), "neighbourhood": leak(0.4)}})
    assert leak_shown({**quiet, "attacks": {"neighbourhood": {}}})


# --- difficulty -------------------------------------------------------------------------------


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.floats(0.1, 3))
def test_harder_records_are_never_in_an_easier_decile(scores, step):
    others = np.linspace(-5, 5, 200)
    easy, hard = np.array(scores), np.array(scores) - step
    assert 1 <= decile(easy, others) <= decile(hard, others) <= 10


def test_the_surest_are_easiest_and_no_number_is_hardest():
    others = np.arange(100.0)
    assert [decile(np.array([x]), others) for x in (99.0, 95.0, 55.0, 0.0)] == [1, 1, 5, 10]
    assert decile(np.array([np.nan]), others) == 10


# --- the instance test ------------------------------------------------------------------------


@given(st.floats(0.001, 0.49))
def test_so_many_models_can_fail_and_one_fewer_could_not(alpha):
    policy = EvidencePolicy(alpha_instance=alpha, looks=(6,), max_trainings=12)
    needed = models_needed(policy)
    assert 1 / (needed + 1) < alpha
    assert needed == 6 or 1 / needed >= alpha


def test_the_default_policy_takes_twenty():
    assert models_needed(EvidencePolicy()) == 20


def test_no_model_of_an_instance_test_learns_the_records_or_a_canary():
    design = InstanceDesign(seed=3, instances=20)
    assert (design.models, design.canaries) == (20, 0)
    assert not design.member.any()
    assert design.canary_member.shape == (20, 0)
    assert len({design.model_seed(model, "train") for model in range(20)}) == 20
    assert design.digest() != InstanceDesign(seed=3, instances=21).digest()


def test_a_broken_instance_test_is_named():
    seen, one = np.zeros((5, 2)), np.zeros(2)
    alike = np.full(5, 0.9)
    assert broken(seen, one, accuracies=alike, deployed_accuracy=0.9) == ()
    (said,) = broken(seen, one, accuracies=alike, deployed_accuracy=0.5)
    assert "test accuracy after unlearning is 0.5000" in said
    (said,) = broken(seen, one + np.nan, accuracies=alike, deployed_accuracy=0.9)
    assert said.startswith("2 of 12 scores")


def test_the_usual_rules_judge_a_certificate_with_the_test_of_a_run(passed):
    policy = EvidencePolicy.from_dict(POLICY)
    assert recomputes(passed)
    assert not recomputes(replace(passed, outcome="FAIL"))
    assert not recomputes(replace(passed, kept={}))
    never_seen = tuple(map(float, range(24)))
    for deployed, findings, outcome in (
        (5.0, (), "PASS_LEAK"),
        (99.0, (), "FAIL"),
        (5.0, ("Broken.",), "INVALID"),
    ):
        test = InstanceTest(never_seen=never_seen, deployed=deployed)
        kept = with_instance(passed, test, findings)
        assert recompute_all(kept, policy).outcome.value == outcome


def test_a_second_attempt_is_not_spared_by_a_certificate(passed):
    test = InstanceTest(never_seen=tuple(map(float, range(24))), deployed=5.0)
    kept = with_instance(passed, test, (), attempt=2)
    assert recompute_all(kept, EvidencePolicy.from_dict(POLICY)).outcome.value == "INCONCLUSIVE"


@pytest.fixture
def passed() -> Certificate:
    """A certificate from a pool that nobody trained and that passes."""
    from audits.core.contrast import keep
    from audits.core.design import TwinDesign
    from audits.core.shadow_rows import stack
    from tests.audits.certificate_worlds import PER_ARM, passing

    class Data:
        forget = range(6)

    design = TwinDesign(seed=1, looks=(PER_ARM,), canaries=0)
    rows = [passing(model, design, None, Data) for model in range(2 * PER_ARM)]
    kept = keep(stack(rows), seed=1, index=np.arange(6))
    kept = replace(kept, findings=(), instance=InstanceTest(never_seen=(1.0,), deployed=0.0))
    return certificate(
        kept={"kept": kept.as_dict()}, policy=EvidencePolicy.from_dict(POLICY).as_dict()
    )


# --- in words ---------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{}, {"certificate": None}, {"certificate": 3}])
def test_an_audit_without_certificates_says_nothing_of_them(payload):
    assert certificate_words(payload) == ()


def test_a_payload_tells_which_certificate_or_why_none():
    assert ("Why none", "Expired.") in certificate_words({"certificate": {"reason": "Expired."}})
    told = dict(certificate_words({"certificate": {"relied_on": "c1", "difficulty": 3}}))
    assert told["Certificate relied on"] == "c1"
    assert told["Difficulty of these records"] == "decile 3; 10 is the hardest"
    assert told["Digest of the certificate"] == "not recorded"
