"""What a letter says in which words, and how it is kept sealed."""

from __future__ import annotations

import io

import pikepdf
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, transaction

from audits.core.letter_checks import TemplateRejected
from audits.execution.letter_pdf import letter_pdf
from audits.models import Letter, LetterTemplate
from audits.models.case_secrets import NotReadable
from audits.queries.letter_routes import needing_somebody
from audits.queries.letter_texts import builtin_text, current_text
from audits.services import letter_templates
from audits.services.letter_contents import open_letter
from audits.services.rights import NotAllowed
from lineage import keys
from tests.audits.letter_delivery.sending import EXTENSION, HOURS, send
from tests.audits.world import NOW, events

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def opened(letter):
    return open_letter(letter.request_id, letter.pk, bytes(letter.content))


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
