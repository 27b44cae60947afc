"""What a case leaves open when it ends: nothing. And what outlives it does so rightly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audits import workflow
from audits.execution.erasing import _redrawn
from audits.execution.planning import plan_of
from audits.models import ErasureRequest, ExtensionDecision, LegalHold, Letter
from audits.queries.holds import holds_on
from audits.queries.retention import why_kept
from audits.services import (
    exceptions,
    extensions,
    holds,
    pauses,
    planning,
    requests,
    stopping,
)
from audits.services.letter_posting import PostingRefused, record_posting
from audits.workflow.steps import advance
from tests.audits.clock_cases import REASON
from tests.audits.excepting import accepted, after_its_day, kept
from tests.audits.kinds import BALANCE, approved, confirmed, member, now_of, restricted
from tests.audits.mail_server import no_mail_server
from tests.audits.test_mandates import CHECK
from tests.audits.world import ADA, BERT, NOW, logged, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


@pytest.fixture
def paused(officer, settings):
    """A case that waits for the person, and whose clock stands still meanwhile."""
    settings.EXPUNGE_IDENTITY_PAUSE = True
    case = confirmed("SEEN_IN_OUTPUT")
    ErasureRequest.objects.filter(pk=case.pk).update(
        due_on=timezone.now().date() + timedelta(days=20)
    )
    pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=timezone.now())
    return case


@pytest.mark.parametrize("end", ["closed", "taken back", "withdrawn"])
def test_L13_no_clock_stands_still_for_an_answer_that_nobody_waits_for(paused, officer, end):
    if end == "closed":
        workflow.close_unidentified(case_id=paused.pk, reason="NO_ANSWER", user=officer)
    elif end == "taken back":
        workflow.take_question_back(case_id=paused.pk, user=officer)
    else:
        requests.withdraw_request(case_id=paused.pk, now=timezone.now())
    assert not paused.clock_pauses.filter(until=None).exists()
    assert [one["reason"] for one in logged(paused, "clock_resumed")] == ["IDENTITY"]


def test_a_withdrawn_case_leaves_no_proposal_and_no_letter(officer):
    person(ADA, records=1)
    case = confirmed("ERASURE")
    extensions.decide_extension(
        case_id=case.pk, code="COMPLEXITY", text=REASON, user=officer, now=NOW
    )

    with no_mail_server():
        extensions.send_notice(case_id=case.pk, now=NOW)
        made = workflow.refuse(case_id=case.pk, code="ART_17_3_B", user=officer)
        requests.withdraw_request(case_id=case.pk, now=timezone.now())
    made.refresh_from_db()
    assert (made.state, made.return_note) == (
        "RETURNED",
        "The case ended before this was approved.",
    )
    assert Letter.objects.get(code="EXTENSION").state == "DROPPED"
    assert ExtensionDecision.objects.get().lapsed_at
    assert len(logged(case, "extension_lapsed")) == 1


def test_a_request_does_not_join_one_of_which_a_decision_is_proposed(officer):
    person(ADA, records=1)
    first = confirmed("ERASURE")
    made = workflow.refuse(case_id=first.pk, code="ART_17_3_B", user=officer)
    second = confirmed("ERASURE")
    assert (second.outcome, second.joined_to) == ("", None)
    approved(made)
    assert now_of(second).status == "VERIFIED"
    assert confirmed("ERASURE").joined_to == second


def test_L18_a_hold_finds_whoever_is_known_by_another_address_alone(officer):
    identifiers = (("EXTERNAL", "C-17"),)
    case = confirmed("ERASURE", told=requests.Told(identifiers=identifiers))
    holds.place_hold(
        kind="EXTERNAL",
        identifier="C-17",
        basis="A claim",
        review_on=NOW.date() + timedelta(days=9),
        user=member("Administrator"),
        now=NOW,
    )
    assert holds_on(case) == []  # not before it is sure whose number that is
    workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert holds_on(now_of(case)) == list(LegalHold.objects.all())


def test_L17_a_case_is_kept_until_a_place_that_keeps_something_is_erased_from(world):
    case = accepted(world, kept(place="Tax files on paper"))
    one = case.decisions.get().exceptions.get()
    assert why_kept(case) == ["EXCEPTION"]
    after_its_day(one)
    exceptions.end_due(now=timezone.now())
    assert why_kept(case) == ["EXCEPTION"]
    workflow.note_place_erased(exception_id=one.pk, user=member("Case officer"))
    assert why_kept(case) == []


def test_L19_a_printed_notice_is_void_once_the_day_that_it_names_has_come(officer, monkeypatch):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    ErasureRequest.objects.filter(pk=case.pk).update(email="")
    approved(workflow.decide_objection(case_id=case.pk, upheld=False, text=BALANCE, user=officer))
    advance(case.pk)
    start = timezone.now()

    def on(day: int) -> None:
        at = start + timedelta(days=day)
        monkeypatch.setattr("audits.workflow.steps.timezone.now", lambda: at)
        advance(case.pk)

    first = case.letters.get(code="LIFT_NOTICE")
    day = stopping.today(start + timedelta(days=7))
    with pytest.raises(PostingRefused, match="names a day by then past"):
        record_posting(
            letter_id=first.pk, posted_on=day, user=officer, now=start + timedelta(days=7)
        )
    on(7)
    first.refresh_from_db()
    second = case.letters.get(code="LIFT_NOTICE", number=2)
    assert (first.state, second.state) == ("DROPPED", "TO_POST")
    # Posted two days after it was written: the restriction ends a week after that.
    posted = stopping.today(start + timedelta(days=9))
    record_posting(
        letter_id=second.pk, posted_on=posted, user=officer, now=start + timedelta(days=12)
    )
    for at, left in ((15, 2), (16, 0)):
        on(at)
        assert restricted() == left
    told_at = now_of(case).stop.notice_at
    assert told_at
    assert stopping.today(told_at) == posted


def test_a_plan_that_lacks_records_restricted_since_is_drawn_again(world):
    world.train("base", world.snapshot(ADA))
    case = world.accepted()
    planning.restrict_records(case_id=case.pk, now=NOW)
    plan, runs = plan_of(case.pk)
    came = {world.dataset.space: world.owned(BERT)}
    planning.restrict_for(case_id=case.pk, records=came, now=NOW)
    keep = {"case_id": case.pk, "runs": runs, "now": NOW}
    assert not planning.keep_plan(plan=plan, **keep)
    assert planning.keep_plan(plan=plan_of(case.pk)[0], **keep)
    # And where they came while the plan was being kept, the last check before erasing finds them.
    ErasureRequest.objects.filter(pk=case.pk).update(plan=plan, plan_digest="0" * 64)
    assert _redrawn(now_of(case), NOW)
    assert [one["records"] for one in now_of(case).plan["spaces"]] == [12]
    assert not _redrawn(now_of(case), NOW)
