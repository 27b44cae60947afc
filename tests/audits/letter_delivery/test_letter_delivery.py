"""Letters that fail, go by post, or go to somebody who is not the person."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.core import mail

from audits.execution.letter_pdf import letter_pdf
from audits.models import ErasureRequest, Letter
from audits.queries import letter_routes
from audits.queries.letter_routes import needing_somebody
from audits.services import letter_delivery, letter_posting, letters
from audits.services.pacing import within_seconds
from tests.audits.letter_delivery.sending import EXTENSION, HOURS, send
from tests.audits.world import NOW, logged

pytestmark = [pytest.mark.django_db, pytest.mark.database]
HOME = "Ada\n1 Way\nBerlin"


def test_F12_a_letter_is_tried_five_times_at_growing_distances_then_staff_are_told(
    case, no_server
):
    assert not send(case)
    now, tries = NOW, [1]
    for wait in letter_delivery.BACK_OFF:
        assert letter_delivery.deliver_waiting(now=now + wait - timedelta(seconds=1)) == 0
        assert Letter.objects.get().attempts == tries[-1]
        now += wait
        letter_delivery.deliver_waiting(now=now)
        tries.append(Letter.objects.get().attempts)
    assert tries == [1, 2, 3, 4, 5]
    letter = needing_somebody().get()
    assert (letter.state, letter.error, letter.next_try_at) == ("FAILED", "OSError", None)
    assert logged(case, "letter_failed") == [
        {"letter": "ACKNOWLEDGEMENT", "code": "O_S_ERROR", "attempts": 5}
    ]
    case.refresh_from_db()
    assert case.status == "VERIFIED"
    no_server.undo()
    assert not send(case, now=now)
    assert letter_delivery.try_again(letter=letter, now=now)
    assert letter_delivery.deliver_waiting(now=now) == 1
    assert Letter.objects.get().state == "SENT"


def test_a_letter_that_leaves_twice_has_one_number_by_which_its_receiver_can_tell(
    case, monkeypatch, settings
):
    """Whoever sends it may die before saying so, and the sweep cannot know that it left."""
    with monkeypatch.context() as dying:
        dying.setattr(letter_delivery, "_sent", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(case)
    assert letter_delivery.deliver_waiting(now=NOW + HOURS) == 1
    letter = Letter.objects.get()
    first, second = (one.message()["Message-ID"] for one in mail.outbox)
    assert first == second
    assert first == f"<{letter.pk}@{urlsplit(settings.SITE_URL).hostname}>"  # of no machine


def test_a_mail_server_that_hangs_does_not_hold_up_the_rest_of_a_sweep(
    case, no_server, monkeypatch
):
    send(case)
    send(case, "EXTENSION", **EXTENSION)
    tried: list[str] = []
    seconds = iter([0.0, 20.0])  # the first waited that long for the server

    def one_that_hangs(*, letter, now):
        tried.append(letter.code)
        return False

    monkeypatch.setattr(letter_delivery, "deliver", one_that_hangs)
    monkeypatch.setattr(
        letter_delivery, "within_seconds", partial(within_seconds, clock=seconds.__next__)
    )
    letter_delivery.deliver_waiting(now=NOW + HOURS)
    assert tried == ["ACKNOWLEDGEMENT"]


def test_a_letter_from_before_the_clock_was_set_back_does_not_wait_for_that_hour(
    case, monkeypatch
):
    with monkeypatch.context() as dying:
        dying.setattr(letter_delivery, "_message", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(case, now=NOW + HOURS)
    assert letter_delivery.deliver_waiting(now=NOW) == 1


def test_a_letter_whose_writer_died_before_sending_it_is_found(case, monkeypatch):
    monkeypatch.setattr(letters, "deliver", lambda **_: False)
    assert not send(case)
    assert letter_delivery.deliver_waiting(now=NOW) == 0
    assert letter_delivery.deliver_waiting(now=NOW + 2 * letter_delivery.CLAIM) == 1


def test_what_waits_for_an_address_that_was_forgotten_is_dropped(case, no_server):
    send(case)
    ErasureRequest.objects.update(email="")
    assert letter_delivery.deliver_waiting(now=NOW + HOURS) == 0
    letter = Letter.objects.get()
    assert (letter.state, bytes(letter.content)) == ("DROPPED", b"")


def test_L20_a_notice_is_no_letter_to_the_person(case):
    with pytest.raises(ValueError, match="no letter to the person"):
        send(case, "RECIPIENT_NOTICE")


def test_L10_an_answer_by_post_counts_as_sent_on_the_day_it_was_posted(case, staff):
    letter_posting.choose_route(
        case_id=case.pk, way="POST", address=HOME, requested=True, user=staff, now=NOW
    )
    assert not send(case, "EXTENSION", **EXTENSION)
    letter = Letter.objects.get()
    assert (letter.state, mail.outbox) == ("TO_POST", [])
    pdf = letter_pdf(letter)
    assert pdf == letter_pdf(letter)
    assert pdf.startswith(b"%PDF-1.7")
    with pytest.raises(letter_posting.PostingRefused, match="the days from 2026-03-02"):
        letter_posting.record_posting(
            letter_id=letter.pk, posted_on=NOW.date() + timedelta(days=1), user=staff, now=NOW
        )
    letter_posting.record_posting(
        letter_id=letter.pk, posted_on=NOW.date(), user=staff, now=NOW + HOURS
    )
    assert send(case, "EXTENSION", **EXTENSION)
    assert logged(case, "letter_posted") == [{"letter": "EXTENSION", "posted_on": "2026-03-02"}]
    assert len(logged(case, "letter_sent")) == 1
    assert letter_routes.postal_address(case) == HOME


def test_L10_the_way_in_is_the_way_out_unless_the_person_asked_otherwise(case, staff):
    case.channel = "POST"
    assert not send(case)
    assert Letter.objects.get().state == "TO_POST"
    letter_posting.choose_route(
        case_id=case.pk, way="EMAIL", address="", requested=True, user=staff, now=NOW
    )
    assert letter_delivery.deliver_waiting(now=NOW) == 1
    with pytest.raises(letter_posting.PostingRefused, match="postal address"):
        letter_posting.choose_route(
            case_id=case.pk, way="POST", address=" ", requested=False, user=staff, now=NOW
        )


def test_L9_a_notice_of_extension_is_never_sent_after_the_first_period(case, staff, no_server):
    assert not send(case, "EXTENSION", **EXTENSION)
    letter = Letter.objects.get()
    late = NOW + timedelta(days=40)
    no_server.undo()
    assert letter_delivery.deliver_waiting(now=late) == 0
    letter.refresh_from_db()
    assert (letter.state, mail.outbox) == ("DROPPED", [])
    Letter.objects.update(state="TO_POST")
    with pytest.raises(letter_posting.PostingRefused, match="extends nothing"):
        letter_posting.record_posting(
            letter_id=letter.pk, posted_on=late.date(), user=staff, now=late
        )
