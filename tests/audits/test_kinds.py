"""Withdrawal of consent, objection, restriction, data seen in an output: each to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest, Letter, LogLeaf, PersonalDetails, ProcessingStop
from audits.queries import clocks
from audits.services import closing, requests, stopping
from audits.services.four_eyes import NotYourDecision
from audits.services.reasons import ReasonTooShort
from audits.services.rights import NotAllowed
from audits.services.transitions import MoveNotAllowed
from audits.workflow.steps import advance
from tests.audits.kinds import BALANCE, approved, confirmed, member, now_of, received, restricted
from tests.audits.world import ADA, NOW, events, logged, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


def later(monkeypatch, days):
    """Let the clock stand some days ahead of what it says."""
    at = timezone.now() + timedelta(days=days)
    monkeypatch.setattr("audits.workflow.steps.timezone.now", lambda: at)


def letters(case):
    return list(case.letters.order_by("created_at").values_list("code", flat=True))


# --- consent (Art. 7(3)) ----------------------------------------------------------------------


def test_L2_a_withdrawal_of_consent_is_one_step_with_its_ground_and_stops_use_at_once():
    person(ADA, records=2)
    got = received("CONSENT")
    assert restricted() == 0
    case = requests.confirm_request(token=got.confirm_token, now=NOW)
    assert (case.status, case.ground) == ("VERIFIED", "ART_17_1_B")
    assert restricted() == 2
    assert events(case)[-1] == "records_restricted"


def test_a_withdrawal_of_consent_goes_on_as_an_erasure_and_keeps_its_restriction(officer):
    person(ADA, records=2)
    case = confirmed("CONSENT")
    approved(workflow.accept(case_id=case.pk, ground="ART_17_1_B", user=officer))
    advance(case.pk)
    assert now_of(case).status == "RESTRICTED"
    assert restricted() == 2


def test_an_unconfirmed_withdrawal_restricts_nothing_and_touches_no_other_case():
    person(ADA, records=2)
    first = confirmed("ERASURE")
    received("OBJECTION")
    assert restricted() == 0
    assert now_of(first).status == "VERIFIED"


def test_a_withdrawn_withdrawal_ends_its_restriction_at_once(officer):
    person(ADA, records=2)
    case = confirmed("CONSENT")
    workflow.withdraw(case_id=case.pk)
    assert restricted() == 0
    assert events(case)[-1] == "restriction_lifted"


# --- objection (Art. 21) ----------------------------------------------------------------------


def test_L21_an_objection_stops_processing_at_confirmation_until_the_balance_is_decided(officer):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    assert restricted() == 2
    assert case.stop.objection == "INTERESTS"
    with pytest.raises(MoveNotAllowed, match=r"decide its balance \(Art. 21\(1\)\) first"):
        workflow.refuse(case_id=case.pk, code="ART_21_1", user=officer)
    assert now_of(case).status == "VERIFIED"


def test_an_objection_upheld_goes_on_as_an_erasure_on_its_ground(officer):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    approved(workflow.decide_objection(case_id=case.pk, upheld=True, text=BALANCE, user=officer))
    assert now_of(case).ground == "ART_17_1_C"
    advance(case.pk)
    assert now_of(case).status == "RESTRICTED"
    (balanced,) = logged(case, "objection_balanced")
    assert balanced["result"] == "UPHELD"


def test_L11_an_objection_overruled_is_answered_at_once_and_set_free_only_after_notice(
    officer, monkeypatch
):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    proposed = workflow.decide_objection(case_id=case.pk, upheld=False, text=BALANCE, user=officer)
    advance(case.pk)
    assert (now_of(case).status, restricted()) == ("VERIFIED", 2)
    approved(proposed)
    advance(case.pk)
    assert (now_of(case).status, restricted()) == ("REFUSED", 2)
    assert BALANCE in str(mail.outbox[-1].body)
    year_after = NOW.date() + timedelta(days=365)
    assert not clocks.overdue(year_after).exists()
    Letter.objects.filter(code="ANSWER_REFUSED").update(sent_at=None)
    assert list(clocks.overdue(year_after)) == [case]
    Letter.objects.filter(code="ANSWER_REFUSED").update(sent_at=timezone.now())
    later(monkeypatch, 6)
    advance(case.pk)
    assert restricted() == 2
    later(monkeypatch, 8)
    advance(case.pk)
    assert (now_of(case).status, restricted()) == ("SEALED", 0)
    assert sorted(letters(case)) == ["ANSWER_REFUSED", "LIFT_NOTICE"]  # written at one moment
    kinds = events(case)
    assert kinds.index("lift_notice_given") < kinds.index("restriction_lifted")
    assert kinds.index("restriction_lifted") < kinds.index("case_sealed")


def test_L21_against_direct_marketing_nothing_is_balanced_and_nothing_refused(officer):
    person(ADA, records=2)
    case = confirmed("OBJECTION", marketing=True)
    with pytest.raises(MoveNotAllowed, match=r"nothing is balanced \(Art. 21\(3\)\)"):
        workflow.decide_objection(case_id=case.pk, upheld=False, text=BALANCE, user=officer)
    with pytest.raises(MoveNotAllowed, match="no interest of ours can override"):
        workflow.refuse(case_id=case.pk, code="ART_17_3_E", user=officer)
    approved(workflow.accept(case_id=case.pk, ground="ART_17_1_C", user=officer))
    assert now_of(case).status == "ACCEPTED"


def test_a_joined_objection_to_marketing_binds_the_earlier_case(officer):
    person(ADA, records=2)
    first = confirmed("OBJECTION")
    second = confirmed("OBJECTION", marketing=True)
    assert (second.outcome, second.joined_to) == ("JOINED", first)
    with pytest.raises(MoveNotAllowed, match="direct marketing"):
        workflow.refuse(case_id=first.pk, code="ART_17_3_E", user=officer)


def test_a_balance_of_a_few_words_is_no_balance(officer):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    with pytest.raises(ReasonTooShort, match="balance has 3 characters"):
        workflow.decide_objection(case_id=case.pk, upheld=False, text=" no. ", user=officer)


def test_who_may_only_enter_requests_decides_no_objection(officer):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    with pytest.raises(NotAllowed):
        workflow.decide_objection(
            case_id=case.pk, upheld=True, text=BALANCE, user=member("Intake")
        )
    assert logged(case, "action_refused") == [{"action": "DECIDE_OBJECTION", "reason": "NO_RIGHT"}]


def test_an_objection_cannot_be_overruled_where_nobody_objected(officer):
    person(ADA, records=2)
    case = confirmed("ERASURE")
    with pytest.raises(MoveNotAllowed, match="holds no objection"):
        workflow.refuse(case_id=case.pk, code="ART_21_1", user=officer)


# --- restriction (Art. 18) --------------------------------------------------------------------


def accepted_restriction(officer):
    person(ADA, records=2)
    case = confirmed("RESTRICTION")
    approved(workflow.accept(case_id=case.pk, ground="ART_18_1_C", user=officer))
    advance(case.pk)
    return now_of(case)


def test_L19_a_restriction_stays_open_and_is_never_planned(officer):
    case = accepted_restriction(officer)
    advance(case.pk)
    assert (now_of(case).status, restricted()) == ("RESTRICTED", 2)
    assert letters(case) == ["RESTRICTED"]
    assert "plan_drawn" not in events(case)


def test_L19_lifting_tells_the_person_first_and_seals_the_case(officer, monkeypatch):
    case = accepted_restriction(officer)
    day = stopping.today(timezone.now()) + timedelta(days=14)
    workflow.plan_lift(
        case_id=case.pk, reason="The accuracy was checked.", lift_on=day, user=officer
    )
    advance(case.pk)
    assert (now_of(case).status, restricted()) == ("RESTRICTED", 2)
    assert letters(case) == ["RESTRICTED", "LIFT_NOTICE"]
    later(monkeypatch, 15)
    advance(case.pk)
    case = now_of(case)
    assert (case.status, case.outcome, restricted()) == ("SEALED", "RESTRICTION_LIFTED", 0)
    assert letters(case)[-1] == "ANSWER_RESTRICTION_LIFTED"


def test_L19_nothing_is_lifted_without_notice_nor_in_the_instant_of_a_late_one(
    officer, monkeypatch
):
    case = accepted_restriction(officer)
    ErasureRequest.objects.filter(pk=case.pk).update(email="")
    day = stopping.today(timezone.now()) + timedelta(days=1)
    workflow.plan_lift(
        case_id=case.pk, reason="The accuracy was checked.", lift_on=day, user=officer
    )
    later(monkeypatch, 30)
    advance(case.pk)
    assert restricted() == 2
    workflow.note_notice(case_id=case.pk, user=officer)
    for days, left in ((0, 2), (6, 2), (1, 0)):
        later(monkeypatch, days)
        advance(case.pk)
        assert restricted() == left


def test_an_accepted_restriction_is_answered_by_the_letter_that_says_so(officer):
    case = accepted_restriction(officer)
    year_after = case.due_on + timedelta(days=365)
    assert not clocks.overdue(year_after).exists()
    Letter.objects.filter(code="RESTRICTED").update(sent_at=None)
    assert list(clocks.overdue(year_after)) == [case]


@pytest.mark.parametrize("days", [0, -1])
def test_a_restriction_ends_on_a_day_to_come(officer, days):
    case = accepted_restriction(officer)
    day = stopping.today(timezone.now()) + timedelta(days=days)
    with pytest.raises(ValueError, match="allowed are days after"):
        workflow.plan_lift(case_id=case.pk, reason=BALANCE, lift_on=day, user=officer)
    assert ProcessingStop.objects.get(request=case).lift_on is None


def test_nobody_lifts_the_restriction_of_their_own_data(officer):
    case = accepted_restriction(officer)
    officer.email = ADA
    day = stopping.today(timezone.now()) + timedelta(days=14)
    with pytest.raises(NotYourDecision, match="your own request"):
        workflow.plan_lift(case_id=case.pk, reason=BALANCE, lift_on=day, user=officer)
    assert ProcessingStop.objects.get(request=case).lift_on is None
    assert logged(case, "action_refused") == [{"action": "PLAN_LIFT", "reason": "OWN_REQUEST"}]


def test_a_restriction_takes_a_ground_of_its_own_article(officer):
    person(ADA, records=2)
    case = confirmed("RESTRICTION")
    with pytest.raises(ValueError, match="allowed are ART_18_1_A"):
        workflow.accept(case_id=case.pk, ground="ART_17_1_B", user=officer)


def test_who_wants_data_kept_is_not_joined_to_an_erasure_nor_the_reverse():
    person(ADA, records=2)
    cases = [confirmed(kind) for kind in ("RESTRICTION", "ERASURE", "RESTRICTION")]
    assert [case.joined_to for case in cases] == [None, None, cases[0]]


# --- seen in an output ------------------------------------------------------------------------


def test_M4_what_was_seen_is_kept_with_the_case_and_deleted_once_answered(officer):
    person(ADA, records=2)
    told = requests.Told(description="My street, word for word.", model_name="chat-3")
    case = confirmed("SEEN_IN_OUTPUT", told=told)
    assert PersonalDetails.objects.get(request=case).model_name == "chat-3"
    approved(workflow.refuse(case_id=case.pk, code="ART_17_3_A", user=officer))
    advance(case.pk)
    assert now_of(case).status == "SEALED"
    closing.forget_address(case_id=case.pk)
    assert not PersonalDetails.objects.filter(request=case).exists()
    assert b"street" not in b"".join(bytes(leaf) for leaf in leaves(case))


def leaves(case):
    return LogLeaf.objects.filter(case_id=case.pk).values_list("data", flat=True)


def test_M4_who_is_not_found_is_asked_for_more_instead_of_sent_away(signing_key):
    case = confirmed("SEEN_IN_OUTPUT")
    assert (case.status, case.outcome) == ("INFO_ASKED", "")
    advance(case.pk)
    assert letters(case) == ["INFO_NEEDED"]


@pytest.mark.parametrize("kind", ["OPERATOR", "MOOD"])
def test_a_kind_that_no_person_asks_for_is_refused_by_name(kind):
    with pytest.raises(ValueError, match=f"kind is '{kind}'; allowed are ERASURE, CONSENT"):
        workflow.submit(email=ADA, kind=kind)
