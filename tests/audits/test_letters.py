"""Letters to the person: sent once, tried again, and never in the way of an erasure."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from audits import workflow
from audits.core.letter_rules import RULES
from audits.models import ComplianceRecord, ErasureRequest, Letter, LogCheckpoint
from audits.services import letter_delivery, letters, requests
from audits.workflow import LetterNotSent
from tests.audits import world as worlds
from tests.audits.mail_server import no_mail_server
from tests.audits.world import ADA, NOW, events, logged

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(signing_key):
    return requests.receive_request(email=ADA, channel="FORM", now=NOW).request


def send(request, code="ANSWER_WITHDRAWN", *, now=NOW, **context: object):
    return letters.send_letter(request=request, code=code, now=now, context=context)


@pytest.fixture
def no_server():
    gone = smtplib.SMTPServerDisconnected
    with no_mail_server(gone, "gone, with the address ada@example.org") as broken:
        yield broken


def test_a_letter_is_sent_once_and_logged_by_its_digest(request_):
    assert [send(request_) for _ in range(2)] == [True, True]
    (letter,) = mail.outbox
    assert letter.to == [ADA]
    assert request_.reference in letter.subject
    stored = Letter.objects.get()
    assert (stored.sent_at, stored.error) == (NOW, "")
    assert logged(request_, "letter_sent") == [
        {"letter": "ANSWER_WITHDRAWN", "digest": stored.digest}
    ]


def test_a_mail_server_that_is_away_is_kept_on_the_letter_without_the_address(
    request_, no_server, caplog
):
    assert not send(request_)
    assert Letter.objects.get().error == "SMTPServerDisconnected"
    assert ADA not in caplog.text
    assert "letter_sent" not in events(request_)
    no_server.undo()
    assert not send(request_)
    assert send(request_, now=NOW + letter_delivery.BACK_OFF[0])
    assert (len(mail.outbox), Letter.objects.get().error) == (1, "")


def test_a_letter_in_the_hands_of_another_worker_is_left_to_it(request_, monkeypatch):
    """While one sends, another comes by."""
    real, seen = EmailMessage.send, []

    def slowly(message):
        seen.append(send(request_))
        return real(message)

    monkeypatch.setattr(EmailMessage, "send", slowly)
    assert send(request_)
    assert seen == [False]
    assert len(mail.outbox) == 1


def test_a_letter_whose_sender_died_is_sent_by_the_next(request_, monkeypatch):
    def die(_message):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", die)
        with pytest.raises(KeyboardInterrupt):
            send(request_)
    assert not send(request_)
    assert send(request_, now=NOW + letters.CLAIM + timedelta(seconds=1))
    assert len(mail.outbox) == 1


def test_L10_without_an_address_a_letter_is_written_to_be_posted(request_):
    request_.email = ""
    assert not send(request_)
    assert mail.outbox == []
    assert Letter.objects.get().state == "TO_POST"


def test_the_confirmation_letter_has_both_links_and_the_time_they_work(db, signing_key, rung):
    received = workflow.submit(email=ADA)
    body = str(mail.outbox[0].body)
    assert f"/erasure/confirm/{received.confirm_token}/" in body
    assert f"/erasure/status/{received.status_token}/" in body
    assert "48 hours" in body


def test_a_confirmation_that_was_not_sent_is_said_and_the_request_is_kept(
    signing_key, rung, no_server, settings
):
    with pytest.raises(LetterNotSent, match=f"try again .*or write to {settings.EXPUNGE_CONTACT}"):
        workflow.submit(email=ADA)
    assert ErasureRequest.objects.get().status == "RECEIVED"
    assert rung == []


def test_F12_an_answer_that_cannot_be_sent_does_not_undo_the_seal_and_is_tried_again(world):
    case = world.ask("nobody@example.org")
    with no_mail_server():
        case = world.finish(world.wake(case))
    assert (case.status, case.email) == ("SEALED", "nobody@example.org")
    assert Letter.objects.get(code="ANSWER_NO_DATA_FOUND").state == "WAITING"
    Letter.objects.update(next_try_at=NOW)
    assert world.wake(case).email == ""
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("code", sorted(code for code in RULES if RULES[code].to_person))
def test_every_letter_can_be_written_and_greets_with_the_reference(request_, code):
    links = {"confirm_url": "https://x/confirm", "status_url": "https://x/status"}
    runs = [worlds.queued_run(worlds.verified_case("bert@example.org"))]
    days = {"new_due": "2026-06-02", "lift_on": "2026-04-01", "until": "2026-03-04"}
    said = {"asked": "Which account is yours?", "reason": "COMPLEXITY"}
    assert send(request_, code, **links, **days, **said, runs=runs)
    (letter,) = mail.outbox
    assert request_.reference in letter.subject
    body = str(letter.body)
    assert len(body) > 200
    assert not re.search(r"\{[{%]", body)


def test_an_answer_carries_the_newest_checkpoint_of_the_log(world):
    case = world.finish(world.wake(world.ask("nobody@example.org")))
    assert ComplianceRecord.objects.filter(request=case).exists()
    checkpoint = LogCheckpoint.objects.get()
    body = str(mail.outbox[-1].body)
    assert all(line in body for line in checkpoint.note.splitlines() if line)
