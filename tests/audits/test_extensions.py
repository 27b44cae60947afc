"""An extension: once, reasoned, told of in the first month, and void until then."""

from __future__ import annotations

from datetime import date

import pytest
from django.core import mail

from audits.models import (
    CaseClock,
    ErasureRequest,
    ExtensionDecision,
    Intake,
    Letter,
    PersonalDetails,
)
from audits.services import extensions, letter_posting, pauses
from audits.services.extensions import ExtensionRefused
from audits.services.letter_posting import PostingRefused
from audits.services.rights import NotAllowed
from tests.audits.clock_cases import REASON, asked, at, member, waiting
from tests.audits.world import ADA, events, logged

pytestmark = pytest.mark.django_db
DUE, EXTENDED = date(2026, 3, 2), date(2026, 4, 30)


@pytest.fixture
def case(signing_key):
    return waiting()


@pytest.fixture
def officer():
    return member()


def due(case):
    case.refresh_from_db()
    return case.due_on


def decide(case, user, *, now=None, code="COMPLEXITY", text=REASON):
    return extensions.decide_extension(
        case_id=case.pk, code=code, text=text, user=user, now=now or at("02-10")
    )


def tell(case, now=None):
    return extensions.send_notice(case_id=case.pk, now=now or at("02-10"))


def test_L9_the_new_date_counts_only_once_the_notice_is_sent(case, officer):
    decision = decide(case, officer)
    assert (due(case), decision.new_due, mail.outbox) == (DUE, EXTENDED, [])
    assert tell(case)
    assert due(case) == EXTENDED
    (letter,) = mail.outbox
    assert letter.to == [ADA]
    body = str(letter.body)
    assert REASON in " ".join(body.split())
    assert "30 April 2026" in body
    assert "complaint" in body
    decision.refresh_from_db()
    assert decision.notice_sent_at == at("02-10")
    assert logged(case, "deadline_extended") == [
        {"previous": "2026-03-02", "due_on": "2026-04-30"}
    ]
    assert logged(case, "extension_decided") == [{"reason": "COMPLEXITY", "due_on": "2026-04-30"}]


def test_L9_three_months_run_from_receipt_not_from_the_first_due_date(case, officer):
    decide(case, officer)
    tell(case)
    assert due(case) == EXTENDED != date(2026, 5, 4)


def test_L9_a_case_is_extended_once(case, officer):
    decide(case, officer)
    tell(case)
    with pytest.raises(ExtensionRefused, match="was extended before; the law lets that be done"):
        decide(case, officer, now=at("02-11"))
    assert tell(case, at("02-12"))
    assert len(mail.outbox) == 1


def test_L9_extension_only_in_month_one(case, officer):
    with pytest.raises(ExtensionRefused, match=r"told by 2 March 2026 .* Answer it now"):
        decide(case, officer, now=at("03-03"))
    with pytest.raises(ExtensionRefused, match="Answer it now"):  # 3 March in Paris
        decide(case, officer, now=at("03-02", hour=23))
    assert decide(case, officer, now=at("03-02", hour=22))


@pytest.mark.parametrize("text", ["", "   too short   ", "x" * 19 + "  "])
def test_L9_a_reason_is_written_out(case, officer, text):
    with pytest.raises(ExtensionRefused, match="characters; write at least 20"):
        decide(case, officer, text=text)


def test_a_reason_outside_the_law_is_refused_by_name(case, officer):
    with pytest.raises(
        ExtensionRefused, match="code is 'HOLIDAY'; allowed are COMPLEXITY, NUMBER"
    ):
        decide(case, officer, code="HOLIDAY")


def test_only_who_handles_cases_extends(case):
    with pytest.raises(NotAllowed, match="You may not handle cases"):
        decide(case, member("Auditor"))
    assert not ExtensionDecision.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": "RECEIVED"}, "is for requests that were confirmed"),
        ({"status": "SEALED"}, "and are not answered"),
        ({"email": ""}, "has no address to send the notice to"),
    ],
)
def test_a_case_that_cannot_be_told_or_is_over_is_not_extended(case, officer, change, sentence):
    ErasureRequest.objects.filter(pk=case.pk).update(**change)
    with pytest.raises(ExtensionRefused, match=sentence):
        decide(case, officer)


def test_the_operators_own_case_has_nothing_to_extend(case, officer):
    CaseClock.objects.all().delete()
    with pytest.raises(ExtensionRefused, match="has no statutory deadline to extend"):
        decide(case, officer)


def test_brazil_knows_no_extension(settings, signing_key, officer):
    settings.EXPUNGE_REGIME, settings.EXPUNGE_COUNTRY = "BRAZIL", "BR"
    with pytest.raises(ExtensionRefused, match=r"LGPD \(Brazil\) knows no extension"):
        decide(waiting(), officer)


def test_L9_a_notice_that_fails_leaves_the_date_and_is_tried_again(case, officer, no_server):
    decide(case, officer)
    assert not tell(case)
    assert due(case) == DUE
    no_server.undo()
    assert extensions.retry_notice(case_id=case.pk, user=officer, now=at("02-11"))
    assert due(case) == EXTENDED


def test_L9_an_extension_lapses_when_the_first_limit_passes_untold(case, officer, no_server):
    decide(case, officer)
    assert not tell(case)
    no_server.undo()
    assert extensions.settle_extensions(now=at("03-02")) == 0
    assert extensions.settle_extensions(now=at("03-03")) == 1
    assert not tell(case, at("03-03"))
    assert (due(case), mail.outbox) == (DUE, [])
    assert logged(case, "extension_lapsed") == [{"due_on": "2026-03-02"}]
    assert "deadline_extended" not in events(case)


def test_a_retry_after_the_limit_sends_nothing(case, officer, no_server):
    decide(case, officer)
    assert not tell(case)
    no_server.undo()
    assert not extensions.retry_notice(case_id=case.pk, user=officer, now=at("03-03"))
    assert mail.outbox == []
    assert ExtensionDecision.objects.get().lapsed_at == at("03-03")


def test_a_crash_after_the_letter_is_made_good_by_the_sweep(case, officer, monkeypatch):
    decide(case, officer)
    with monkeypatch.context() as broken:
        broken.setattr(extensions, "_apply", lambda **_: False)
        assert not tell(case)
    assert due(case) == DUE
    assert extensions.settle_extensions(now=at("03-05")) == 1  # told in time, noticed later
    assert due(case) == EXTENDED
    assert len(mail.outbox) == 1


def test_a_pause_moves_the_month_in_which_the_person_can_be_told(case, officer, settings):
    asked(case)
    settings.EXPUNGE_IDENTITY_PAUSE = True
    pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))
    pauses.end_pause(case_id=case.pk, user=officer, now=at("02-13"))
    decide(case, officer, now=at("03-09"))
    assert tell(case, at("03-09"))
    assert due(case) == date(2026, 5, 11)


def test_a_pause_that_ends_before_the_notice_does_not_extend(case, officer, settings):
    asked(case)
    settings.EXPUNGE_IDENTITY_PAUSE = True
    pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))
    decide(case, officer)
    pauses.end_pause(case_id=case.pk, user=officer, now=at("02-13"))
    assert due(case) == date(2026, 3, 10)


def test_L9_a_letter_that_went_out_after_the_first_limit_extends_nothing(case, officer):
    decide(case, officer)
    Letter.objects.create(
        request=case, code="EXTENSION", created_at=at("03-03"), sent_at=at("03-03"), digest=""
    )
    assert extensions.settle_extensions(now=at("03-04")) == 1
    assert due(case) == DUE
    assert ExtensionDecision.objects.get().lapsed_at == at("03-04")


# --- on paper ---------------------------------------------------------------------------------


@pytest.fixture
def by_post(case):
    """The case of somebody who has no e-mail address."""
    ErasureRequest.objects.filter(pk=case.pk).update(email="", channel="POST")
    PersonalDetails.objects.create(request=case, postal_address="Ada, 1 Road")
    case.refresh_from_db()
    return case


def posted(user, *, now, day=DUE):
    letter = Letter.objects.get(code="EXTENSION")
    Letter.objects.update(created_at=at("03-02"))
    letter_posting.record_posting(letter_id=letter.pk, posted_on=day, user=user, now=now)


def test_L9_who_has_no_e_mail_address_is_told_by_post(by_post, officer):
    decide(by_post, officer)
    assert not tell(by_post)
    posted(officer, now=at("03-02"))
    assert tell(by_post, at("03-02"))
    assert due(by_post) == EXTENDED


def test_L9_an_agent_is_told_for_who_has_no_address(case, officer):
    ErasureRequest.objects.filter(pk=case.pk).update(email="")
    PersonalDetails.objects.create(request=case, agent_contact="lee@example.com")
    Intake.objects.create(
        request=case, source="STAFF", entered_at=at("01-31"), by_agent=True, answer_to_agent=True
    )
    decide(case, officer)
    assert tell(case)
    assert mail.outbox[0].to == ["lee@example.com"]


@pytest.mark.parametrize("day", ["03-03", "03-12"])  # within a week, and after the lapse
def test_L9_a_notice_posted_in_time_counts_though_that_is_recorded_later(by_post, officer, day):
    decide(by_post, officer, now=at("03-02"))
    assert not tell(by_post, at("03-02"))
    assert extensions.settle_extensions(now=at(day, 1)) == (day == "03-12")
    with pytest.raises(PostingRefused, match="must be posted by 2026-03-02"):
        posted(officer, now=at(day), day=date(2026, 3, 3))
    posted(officer, now=at(day))
    assert extensions.settle_extensions(now=at(day)) == 1
    decision = ExtensionDecision.objects.get()
    assert (due(by_post), decision.lapsed_at) == (EXTENDED, None)
    assert extensions.settle_extensions(now=at("03-13")) == 0
