"""Letters that fail, go by post, are kept sealed, or go to somebody who is not the person."""

from __future__ import annotations

import io
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pikepdf
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from audits.core.letter_rules import TemplateRejected
from audits.execution.letter_pdf import letter_pdf
from audits.models import ErasureRequest, Letter, LetterTemplate
from audits.models.case_secrets import NotReadable
from audits.queries import letter_routes
from audits.queries.letter_routes import needing_somebody
from audits.queries.letter_texts import builtin_text, current_text
from audits.services import letter_delivery, letter_posting, letter_templates, letters, requests
from audits.services.letter_contents import open_letter
from audits.services.pacing import within_seconds
from audits.services.rights import NotAllowed
from lineage import keys
from tests.audits.world import ADA, NOW, events, logged

pytestmark = [pytest.mark.django_db, pytest.mark.database]
EXTENSION = {"reason": "COMPLEXITY", "new_due": "2026-06-02"}
HOURS = timedelta(hours=1)
HOME = "Ada\n1 Way\nBerlin"


@pytest.fixture
def case(signing_key):
    received = requests.receive_request(email=ADA, channel="FORM", now=NOW)
    return requests.confirm_request(token=received.confirm_token, now=NOW)


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("somebody", is_staff=True)


@pytest.fixture
def no_server(monkeypatch):
    def refuse(_message):
        raise OSError("no route")

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", refuse)
        yield broken


def send(case, code="ACKNOWLEDGEMENT", *, now=NOW, **context: object):
    return letters.send_letter(request=case, code=code, now=now, context=context)


def opened(letter):
    return open_letter(letter.request_id, letter.pk, bytes(letter.content))


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


def test_the_text_of_a_sent_letter_is_kept_until_the_key_of_the_case_is_destroyed(case):
    assert send(case)
    letter = Letter.objects.get()
    assert opened(letter).body == mail.outbox[-1].body
    assert b"ER-" not in bytes(letter.content)
    keys.destroy(f"case:{case.pk}")
    with pytest.raises(NotReadable, match="key of this case was destroyed"):
        opened(letter)


def test_a_sealed_text_opens_for_its_own_letter_only(case):
    send(case)
    send(case, "EXTENSION", **EXTENSION)
    first, second = Letter.objects.order_by("code")
    with pytest.raises(NotReadable, match="altered"):
        open_letter(case.pk, first.pk, bytes(second.content))


def test_links_for_the_person_are_sent_and_not_kept(case):
    link = "https://x/answer/secret-token"
    assert send(case, "INFO_NEEDED", asked="Your account number", answer_url=link)
    assert link in mail.outbox[-1].body
    assert "secret-token" not in opened(Letter.objects.get()).body
    assert "(link not shown)" in opened(Letter.objects.get()).body


def test_more_information_can_be_asked_for_again_but_the_same_only_once(case):
    for asked in ("Your account", "Your account", "Your address"):
        assert send(case, "INFO_NEEDED", asked=asked, answer_url=f"https://x/{asked[-4:]}")
    assert list(Letter.objects.values_list("number", flat=True)) == [1, 2]
    assert len(mail.outbox) == 2


def test_what_a_person_wrote_is_not_read_as_a_placeholder_or_header(case):
    assert send(case, "INFO_NEEDED", asked="{controller}\r\nBcc: eve@example.org")
    message = mail.outbox[-1].message()
    assert "{controller}" in mail.outbox[-1].body
    assert message["Bcc"] is None


def test_L11_a_refusal_without_an_authority_is_not_sent_and_stands_on_the_list(case, settings):
    settings.EXPUNGE_AUTHORITY = ""
    case.refusal_code = "ART_17_3_E"
    assert not send(case, "ANSWER_REFUSED")
    assert not send(case, "ANSWER_REFUSED")
    assert needing_somebody().get().error.endswith("'complaint': {authority} is empty.")
    assert events(case).count("letter_failed") == 1
    settings.EXPUNGE_AUTHORITY = "CNIL"
    assert send(case, "ANSWER_REFUSED")
    assert "CNIL" in mail.outbox[-1].body


@pytest.mark.parametrize(("locale", "words"), [("fr-CA", "Nous avons"), ("de", "Wir haben")])
def test_L6_a_letter_is_in_the_language_of_the_case(case, locale, words):
    case.locale = locale
    assert send(case)
    assert mail.outbox[-1].subject.startswith(words)
    assert Letter.objects.get().locale == locale[:2]


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


def test_a_letter_as_pdf_says_its_language_and_structure(case):
    case.locale = "de"
    send(case)
    with pikepdf.open(io.BytesIO(letter_pdf(Letter.objects.get()))) as pdf:
        assert str(pdf.Root.Lang).startswith("de")
        assert bool(pdf.Root.MarkInfo.Marked)
        assert "pdfuaid:part" in pdf.open_metadata()


def test_a_published_text_is_used_and_what_was_sent_names_its_version(case, staff):
    text = builtin_text("ACKNOWLEDGEMENT", "en")
    changed = type(text)(**{**vars(text), "subject": "Received: {reference}"})
    kept = letter_templates.publish(text=changed, active_from=None, user=staff, now=NOW)
    assert send(case)
    assert mail.outbox[-1].subject == f"Received: {case.reference}"
    assert Letter.objects.get().version == kept.version == 1
    later = NOW + HOURS
    letter_templates.publish(text=text, active_from=later + HOURS, user=staff, now=later)
    assert current_text("ACKNOWLEDGEMENT", "en", later).version == 1
    letter_templates.restore_builtin(code="ACKNOWLEDGEMENT", locale="en", user=staff, now=later)
    assert current_text("ACKNOWLEDGEMENT", "en", later) == text
    assert [one.version for one in LetterTemplate.objects.order_by("version")] == [1, 2, 3]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LetterTemplate.objects.update(subject="x")


def test_only_an_administrator_publishes_and_only_what_keeps_the_rules(staff, signing_key):
    text = builtin_text("ANSWER_REFUSED", "de")
    lacking = type(text)(**{**vars(text), "blocks": {**text.blocks, "remedy": ""}})
    with pytest.raises(TemplateRejected, match="'remedy' is mandatory"):
        letter_templates.publish(text=lacking, active_from=None, user=staff, now=NOW)
    other = User.objects.create_user("other", is_staff=True)
    with pytest.raises(NotAllowed, match="takes the role Administrator"):
        letter_templates.publish(text=text, active_from=None, user=other, now=NOW)
    assert not LetterTemplate.objects.exists()


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


def test_what_is_kept_elsewhere_or_in_backups_is_told_with_its_end(case):
    told = {
        "places_erased": 2,
        "places": [{"name": "crm", "why": "MASKED"}],
        "exceptions": [{"what": "invoices", "reason": "ART_17_3_B", "until": "2030-12-31"}],
        "backups": [{"name": "weekly", "expires_on": NOW.date()}],
    }
    case.erased_at = NOW
    assert send(case, "ANSWER_ERASED", **told)
    words = " ".join(mail.outbox[-1].body.split())
    assert "* crm: rows remain in which nothing names you any more" in words
    assert "* invoices: A law obliges us" in words
    assert "(Art. 17(3)(b)), until 31 December 2030" in words
    assert "* weekly, by 2 March 2026" in words
    assert "but for what is named below" in words
    assert "destroyed the keys" not in words
    assert "and read back that it is gone: 2." in words
