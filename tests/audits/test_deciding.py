"""Decisions: on grounds of the law, proposed by one and approved by another."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from audits import workflow
from audits.core.assessment import Assessed, Ground, by_code
from audits.core.grounds import EXCEPTIONS, REFUSALS, UNFOUNDED
from audits.models import Decision, ErasureRequest, LogLeaf
from audits.queries.decisions import earlier_requests
from audits.services import deciding, requests
from audits.services.four_eyes import NotYourDecision
from audits.services.rights import NotAllowed
from audits.services.transitions import MoveNotAllowed
from config.checks import two_people_decide
from tests.audits.world import (
    ADA,
    NOW,
    accept_now,
    events,
    logged,
    member,
    officer,
    reviewer,
    verified_case,
)

pytestmark = pytest.mark.django_db

WRITTEN = Ground(
    code="ART_17_1_B",
    purpose="Newsletter",
    assessment="Consent was withdrawn on the form.",
    other_ground="None: the newsletter was sent on consent alone.",
)
EVIDENCE = "Forty letters with the same words in nine days, each answered in full."


@pytest.fixture
def case():
    return verified_case()


def propose(case, *, user=None, assessed=None):
    return workflow.accept(
        case_id=case.pk, ground="ART_17_1_B", user=user or officer(), assessed=assessed
    )


def refuse(case, code, evidence=""):
    assessed = Assessed(evidence=evidence)
    return workflow.refuse(case_id=case.pk, code=code, user=officer(), assessed=assessed)


def test_a_proposal_waits_where_the_case_is_and_approval_moves_it(case):
    decision = propose(case)
    case.refresh_from_db()
    assert (case.status, decision.state) == ("VERIFIED", "PROPOSED")
    workflow.approve_decision(decision=decision, user=reviewer())
    case.refresh_from_db()
    assert (case.status, case.ground, case.accepted_by) == (
        "ACCEPTED",
        "ART_17_1_B",
        reviewer(),
    )
    told = ["decision_proposed", "decision_approved", "request_accepted", "ground_found"]
    assert events(case)[-4:] == told


def test_the_log_names_both_by_pseudonym(case):
    accept_now(case.pk)
    leaves = LogLeaf.objects.filter(case_id=case.pk, type__startswith="decision_")
    actors = [json.loads(bytes(leaf.data))["actor"] for leaf in leaves.order_by("index")]
    assert actors == [requests.actor_of(officer()), requests.actor_of(reviewer())]


def test_a_returned_proposal_says_why_and_another_can_be_made(case):
    decision = propose(case)
    workflow.return_decision(decision=decision, note="Name the purpose.", user=reviewer())
    decision.refresh_from_db()
    assert (decision.state, decision.return_note) == ("RETURNED", "Name the purpose.")
    with pytest.raises(MoveNotAllowed, match="waits no more; it is sent back"):
        workflow.approve_decision(decision=decision, user=reviewer())
    assert propose(case).state == "PROPOSED"
    assert "decision_returned" in events(case)


def test_one_proposal_at_a_time(case):
    propose(case)
    with pytest.raises(MoveNotAllowed, match="a decision is proposed already"):
        refuse(case, "ART_17_3_B")


def test_a_case_that_has_gone_on_takes_no_decision(case):
    accept_now(case.pk)
    with pytest.raises(MoveNotAllowed, match="is ACCEPTED; it can become ACCEPTED only from"):
        propose(case)
    ErasureRequest.objects.filter(pk=case.pk).update(status="VERIFIED", outcome="NO_DATA_FOUND")
    with pytest.raises(MoveNotAllowed, match=r"closes by itself \(No data found\)"):
        propose(case)


@pytest.mark.parametrize(("user", "right"), [(reviewer, "HANDLE"), (officer, "REVIEW")])
def test_proposing_and_approving_take_different_roles(case, user, right):
    if right == "HANDLE":
        with pytest.raises(NotAllowed, match="role Case officer"):
            propose(case, user=user())
    else:
        decision = propose(case, user=User.objects.create_superuser("chief"))
        with pytest.raises(NotAllowed, match="role Reviewer"):
            workflow.approve_decision(decision=decision, user=user())


# --- rows of the specification ------------------------------------------------------------------


def test_L11_a_refusal_needs_one_of_the_coded_reasons(case):
    with pytest.raises(ValueError, match="code is 'MOOD'; allowed are ART_17_3_A, "):
        refuse(case, "MOOD")
    decision = refuse(case, "ART_17_3_B")
    workflow.approve_decision(decision=decision, user=reviewer())
    assert logged(case, "request_refused") == [{"code": "ART_17_3_B"}]


@pytest.mark.parametrize("mode", ["ALWAYS", "REFUSALS", "NEVER"])
def test_L12_unfounded_takes_evidence_and_a_second_person_whatever_the_settings(
    case, settings, mode
):
    settings.EXPUNGE_SECOND_PERSON = mode
    with pytest.raises(ValueError, match=r"has 9 characters; it needs 40 or more"):
        refuse(case, UNFOUNDED, evidence=" They rant. "[:10])
    decision = refuse(case, UNFOUNDED, evidence=EVIDENCE)
    case.refresh_from_db()
    assert (case.status, decision.state) == ("VERIFIED", "PROPOSED")
    both = officer()
    both.is_superuser = True
    both.save()
    with pytest.raises(NotYourDecision, match="You proposed this"):
        workflow.approve_decision(decision=decision, user=both)


def test_L12_the_earlier_requests_of_the_person_are_found(case):
    ErasureRequest.objects.filter(pk=case.pk).update(status="SEALED", email="")
    later = requests.receive_request(email=ADA.upper(), channel="FORM", now=NOW)
    again = requests.confirm_request(token=later.confirm_token, now=NOW)
    other = requests.receive_request(email="eve@example.org", channel="FORM", now=NOW).request
    assert list(earlier_requests(again)) == [case]
    assert not earlier_requests(other).exists()


def test_L12_the_database_keeps_no_unfounded_refusal_without_evidence(case):
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            request=case, kind="REFUSE", refusal_code=UNFOUNDED, proposed_at=NOW
        )


def test_L14_each_purpose_has_its_coded_ground_and_who_decided(case):
    profile = replace(WRITTEN, code="ART_17_1_D", purpose="Profile", other_ground="")
    decision = propose(case, assessed=Assessed(grounds=(WRITTEN, profile)))
    workflow.approve_decision(decision=decision, user=reviewer())
    found = decision.grounds.order_by("pk").values_list("code", "purpose")
    assert list(found) == [("ART_17_1_B", "Newsletter"), ("ART_17_1_D", "Profile")]
    told = [one["ground"] for one in logged(case, "ground_found")]
    assert told == ["ART_17_1_B", "ART_17_1_D"]
    decision.refresh_from_db()
    assert (decision.proposed_by, decision.approved_by) == (officer(), reviewer())


@pytest.mark.parametrize("code", ["ART_17_1_B", "ART_17_1_C"])
def test_L14_consent_and_objection_ask_for_another_ground(case, code):
    bare = replace(WRITTEN, code=code, other_ground=" ")
    with pytest.raises(ValueError, match="say whether there is another legal ground"):
        propose(case, assessed=Assessed(grounds=(bare,)))
    unlawful = replace(bare, code="ART_17_1_D")
    assert propose(case, assessed=Assessed(grounds=(unlawful,))).state == "PROPOSED"


def test_L14_an_acceptance_by_code_alone_says_so_itself(case):
    (found,) = propose(case).grounds.all()
    assert "nobody wrote an assessment" in found.assessment


@pytest.mark.parametrize("ground", ["", "MOOD"])
def test_L14_a_ground_outside_the_law_is_refused_by_name(case, ground):
    with pytest.raises(ValueError, match=f"ground is '{ground}'; allowed are ART_17_1_A, "):
        workflow.accept(case_id=case.pk, ground=ground, user=officer())


@pytest.mark.parametrize(
    ("mode", "accepted", "refused"),
    [
        ("ALWAYS", "PROPOSED", "PROPOSED"),
        ("REFUSALS", "APPROVED", "PROPOSED"),
        ("NEVER", "APPROVED", "APPROVED"),
    ],
)
def test_the_setting_says_what_one_person_decides(case, settings, mode, accepted, refused):
    settings.EXPUNGE_SECOND_PERSON = mode
    assert propose(case).state == accepted
    other = verified_case("bert@example.org")
    assert refuse(other, "ART_17_3_E").state == refused
    case.refresh_from_db()
    assert case.status == ("ACCEPTED" if accepted == "APPROVED" else "VERIFIED")
    assert bool(two_people_decide()) == (mode != "ALWAYS")


def test_M12_the_reasons_to_refuse_are_those_of_the_law_and_difficulty_is_none():
    assert set(REFUSALS) == {*EXCEPTIONS, "ART_12_5_B", "ART_21_1"}
    assert set(EXCEPTIONS) == {f"ART_17_3_{letter}" for letter in "ABCDE"}


def test_M15_a_legal_view_is_a_note_that_nobody_suggests_and_that_changes_nothing(case):
    assert by_code("ART_17_1_B").position == ""
    noted = Assessed(grounds=(WRITTEN,), position="We hold that weights are no personal data.")
    decision = propose(case, assessed=noted)
    workflow.approve_decision(decision=decision, user=reviewer())
    case.refresh_from_db()
    assert decision.legal_position_note.startswith("We hold")
    assert case.status == "ACCEPTED"
    assert deciding.one_is_enough(decision) is False


def test_a_member_of_intake_neither_proposes_nor_approves(case):
    with pytest.raises(NotAllowed):
        propose(case, user=member("ines", "Intake"))
