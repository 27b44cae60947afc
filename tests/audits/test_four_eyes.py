"""Four eyes: nobody decides about themselves, and nobody stands in two places."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from audits import workflow
from audits.models import Decision, ErasureRequest
from audits.services import decisions, releases, requests
from audits.services.four_eyes import NotYourDecision
from audits.services.rights import give_role
from lineage.services import jobs
from tests.audits.world import (
    ADA,
    CONSENT,
    NOW,
    accept_now,
    empty_version,
    events,
    logged,
    officer,
    queued_run,
    reviewer,
    verified_case,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def case():
    return verified_case()


def propose(case, *, user=None):
    return workflow.accept(case_id=case.pk, ground=CONSENT, user=user or officer())


def chief(name="chief", email=""):
    return User.objects.create_superuser(name, email=email)


def reviewing_operator():
    """The reviewer, who may decide about models as well."""
    give_role(user=reviewer(), role="Model operator")
    return reviewer()


def test_L22_nobody_approves_their_own_proposal_nor_does_a_superuser(case):
    both = chief()
    decision = propose(case, user=both)
    with pytest.raises(NotYourDecision, match="You proposed this decision"):
        workflow.approve_decision(decision=decision, user=both)
    assert logged(case, "action_refused") == [
        {"action": "APPROVE_DECISION", "reason": "OWN_PROPOSAL"}
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(approved_by=both)


@pytest.mark.parametrize("address", [ADA, " ADA@EXAMPLE.ORG ", "Ada@Example.org."])
def test_L22_nobody_decides_on_their_own_request(case, address):
    ada = chief("ada", address.strip())
    User.objects.filter(pk=ada.pk).update(email=address)
    ada.refresh_from_db()
    with pytest.raises(NotYourDecision, match="your own request"):
        propose(case, user=ada)
    decision = propose(case)
    with pytest.raises(NotYourDecision, match="your own request"):
        workflow.approve_decision(decision=decision, user=ada)
    with pytest.raises(NotYourDecision, match="your own request"):
        workflow.return_decision(decision=decision, note="No.", user=ada)
    assert [one["action"] for one in logged(case, "action_refused")] == [
        "PROPOSE_ACCEPT",
        "APPROVE_DECISION",
        "RETURN_DECISION",
    ]
    case.refresh_from_db()
    assert case.status == "VERIFIED"


def test_L22_an_account_without_an_address_is_nobodys_own(case):
    ErasureRequest.objects.filter(pk=case.pk).update(email="")
    case.refresh_from_db()
    assert propose(case, user=chief()).state == "PROPOSED"


def test_L22_another_address_of_the_same_person_is_their_own_too(case):
    case.email = "ada.l@example.net"
    case.save(update_fields=["email"])
    with pytest.raises(NotYourDecision, match="your own request"):
        propose(case, user=chief("ada", ADA))


@pytest.mark.parametrize(
    ("press", "action"),
    [
        (lambda run, who: requests.resume_case(case_id=run, user=who, now=NOW), "RETRY"),
        (lambda run, who: decisions.decide_destroy(run_id=run, user=who, now=NOW), "DESTROY"),
        (lambda run, who: decisions.take_over(run_id=run, user=who, now=NOW), "TAKE_OVER"),
        (
            lambda run, who: decisions.decide_outside(
                run_id=run, replacement=empty_version("other"), user=who, now=NOW
            ),
            "USE_OUTSIDE",
        ),
        (lambda run, who: releases.release_held(run_id=run, user=who, now=NOW), "RELEASE"),
    ],
)
def test_L22_whoever_approved_a_case_does_not_carry_it_out(case, press, action):
    accept_now(case.pk)
    run = queued_run(case)
    who = reviewer()
    who.is_superuser = True
    who.save()
    with pytest.raises(NotYourDecision, match="does not carry it out") as refused:
        press(case.pk if action == "RETRY" else run.pk, who)
    assert refused.value.action == action


def test_L22_a_refused_retry_is_an_event(case):
    accept_now(case.pk)
    ErasureRequest.objects.filter(pk=case.pk).update(status="FAILED", failed_from="ACCEPTED")
    with pytest.raises(NotYourDecision):
        workflow.retry(case_id=case.pk, user=reviewing_operator())
    assert logged(case, "action_refused") == [{"action": "RETRY", "reason": "OWN_APPROVAL"}]
    workflow.retry(case_id=case.pk, user=officer())
    assert "request_resumed" in events(case)


def test_L22_whoever_approved_a_case_does_not_stop_its_work_nor_does_its_person(case):
    accept_now(case.pk)
    run = queued_run(case)
    job = jobs.create_job(key="audit", kind="AUDIT", queue="heavy", payload_id=run.pk, now=NOW)
    own = officer()
    own.email = ADA
    own.save()
    for who, reason in ((reviewing_operator(), "OWN_APPROVAL"), (own, "OWN_REQUEST")):
        with pytest.raises(NotYourDecision):
            workflow.cancel_job(case_id=case.pk, job_id=job.pk, user=who)
        assert logged(case, "action_refused")[-1] == {"action": "CANCEL_JOB", "reason": reason}
    job.refresh_from_db()
    assert job.status == "QUEUED"
    assert logged(case, "job_cancelled") == []


def test_L22_whoever_approved_one_case_of_a_run_does_not_stop_it_for_another(case):
    accept_now(case.pk)
    run, other = queued_run(case), verified_case("other@example.org")
    other.runs.add(run)
    job = jobs.create_job(key="audit", kind="AUDIT", queue="heavy", payload_id=run.pk, now=NOW)
    with pytest.raises(NotYourDecision, match=case.reference):
        workflow.cancel_job(case_id=other.pk, job_id=job.pk, user=reviewing_operator())


def test_L22_an_approval_counts_for_the_cases_that_follow_on(case):
    accept_now(case.pk)
    later = requests.receive_request(email="later@example.org", channel="FORM", now=NOW).request
    ErasureRequest.objects.filter(pk=later.pk).update(linked_to=case, status="FAILED")
    with pytest.raises(NotYourDecision):
        requests.resume_case(case_id=later.pk, user=reviewing_operator(), now=NOW)


def test_one_person_who_is_enough_may_carry_the_case_out(case, settings):
    settings.EXPUNGE_SECOND_PERSON = "NEVER"
    propose(case)
    ErasureRequest.objects.filter(pk=case.pk).update(status="FAILED", failed_from="ACCEPTED")
    assert requests.resume_case(case_id=case.pk, user=officer(), now=NOW)
