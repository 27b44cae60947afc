from __future__ import annotations

import pytest
from django.core import mail
from django.utils import timezone

from audits import workflow
from audits.core.grounds import REFUSALS
from audits.models import ErasureRequest
from audits.queries import case_file
from audits.services import letters, log
from tests.audits.views import worlds

FORBIDDEN = ("guarantee", "gdpr compliant", "&#x27;", "&amp;", "{{", "{%")


def written(case, code):
    case.email = worlds.EMAIL
    case.save(update_fields=["email"])
    context = {"runs": case_file.ordered_runs(case), "record": case.record}
    assert letters.send_letter(request=case, code=code, now=timezone.now(), context=context)
    return str(mail.outbox[-1].body)


def check_manner(text, case):
    assert case.reference in text
    assert not [word for word in FORBIDDEN if word in text.casefold()]
    assert worlds.EMAIL not in text
    assert "expunge.local/log" in text  # a checkpoint, so that somebody else holds one


def test_the_first_letter_holds_both_links_and_the_hours(settings):
    settings.EXPUNGE_CONTROLLER = "Meier & Söhne's"
    log.checkpoint(now=timezone.now())
    received = workflow.submit(email=worlds.EMAIL)
    text = str(mail.outbox[-1].body)
    assert f"/erasure/confirm/{received.confirm_token}/" in text
    assert f"/erasure/status/{received.status_token}/" in text
    assert "within 48 hours" in text
    assert "Meier & Söhne's" in text
    check_manner(text, received.request)


def test_the_answer_to_an_erasure_names_each_model_and_what_remains():
    case = worlds.erased()
    text = written(case, "ANSWER_ERASED")
    assert "* faces v1 was changed so as to unlearn your data" in text
    assert "What remains" in text
    assert "lodge a complaint" in " ".join(text.split())
    assert case.record.sha256 in text
    check_manner(text, case)


def test_nobody_is_told_where_to_try_another_address():
    case = worlds.no_data_found()
    text = written(case, "ANSWER_NO_DATA_FOUND")
    assert "found none" in text
    assert "/erasure/" in text
    check_manner(text, case)


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_says_why_in_words_and_names_both_remedies(code):
    case = worlds.refused()
    case.refusal_code = code
    case.save()
    text = written(case, "ANSWER_REFUSED")
    assert "(Art. " in text
    assert code not in text
    words = " ".join(text.split())
    assert "lodge a complaint" in words
    assert "judicial remedy" in words
    check_manner(text, case)


def test_a_withdrawal_says_that_nothing_was_erased():
    case = worlds.received().request
    workflow.withdraw(case_id=case.pk)
    case.refresh_from_db()
    text = written(worlds.sealed(case), "ANSWER_WITHDRAWN")
    assert "nothing was erased because of it" in " ".join(text.split())
    check_manner(text, case)


def test_a_second_request_names_the_first():
    worlds.person()
    first = worlds.verified()
    ErasureRequest.objects.update(status_digest="x")
    second = worlds.verified()
    text = written(worlds.sealed(second), "ANSWER_JOINED")
    assert first.reference in text
    check_manner(text, second)
