"""Notices are written from the texts in use, in their addressee's language, and seen before."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import reverse
from django.utils import timezone

from audits.models import Notice, Publication, Recipient
from audits.queries.letter_texts import builtin_text
from audits.queries.notices import to_come
from audits.services import deployments, letter_templates, notices
from audits.services.notice_delivery import preview_notice
from lineage.services.deployments import DeploymentRefused
from tests.audits.bare_cases import ADA, NOW, empty_version, verified_case
from tests.audits.clock_cases import member

pytestmark = pytest.mark.django_db
TARGETS = {"lab@example.org": "fr", "hub@example.org": "de", "shop@example.org": "de"}
# A word of each letter in its language, and of which law.
SAID = {
    "lab@example.org": ("au titre du contrat suivant : DPA 7", "art. 19 du RGPD"),
    "hub@example.org": ("an den Betreiber von hub.example", "Art. 17 Abs. 2 DSGVO"),
    "shop@example.org": ("Betreiber von Modellen an folgendem Ort: shop", "außer Betrieb"),
}


@pytest.fixture
def version(db):
    return empty_version("faces")


@pytest.fixture
def case(signing_key, version):
    found = verified_case()
    found.plan = {"affected": [{"version": str(version.pk)}]}
    found.save()
    return found


def recipient(version, name="Lab", **fields: str):
    made = Recipient.objects.create(
        name=name, contact=f"{name.lower()}@example.org", since=NOW.date(), **fields
    )
    made.versions.set([version])
    return made


def deployed(version, **fields: str):
    return deployments.register(
        version=version, place="shop", kind="ENDPOINT", user=None, now=NOW, **fields
    )


@pytest.fixture
def everybody(version):
    lab = recipient(version, contract_ref="DPA 7", locale="fr")
    hub = Publication.objects.create(
        where="HUB",
        address="hub.example",
        contact="hub@example.org",
        locale="de",
        steps="We ask the hub to take the page down.",
        since=NOW.date(),
    )
    hub.versions.set([version])
    return [lab, hub, deployed(version, contact="shop@example.org", locale="de")]


def tell(case, occasion=Notice.Occasion.ERASED):
    notices.tell_of(request=case, occasion=occasion, now=NOW)


def flat(text):
    return " ".join(str(text).replace("\N{NO-BREAK SPACE}", " ").split())


def test_L16_L20_each_is_told_in_the_language_of_the_register(case, version, everybody):
    version.state, version.invalidated_by = "DESTROYED", case.pk
    version.save()
    tell(case)
    told = {one.to[0]: flat(f"{one.subject} {one.body}") for one in mail.outbox}
    assert told.keys() == SAID.keys()
    for address, text in told.items():
        assert [part for part in SAID[address] if part not in text] == []
        assert "* faces v1" in text
        assert re.search(r"/told/\S+", text)
        assert case.reference in text
        assert ADA not in text
    kept = {one.addressee.contact: one for one in case.notices.all()}
    assert {address: one.locale for address, one in kept.items()} == TARGETS
    assert all("/told/" not in one.text for one in kept.values())
    assert "(lien non affiché)" in kept["lab@example.org"].text


def test_who_has_no_language_is_told_in_that_of_the_installation(case, version, settings):
    recipient(version)
    settings.EXPUNGE_LANGUAGE = "fr"
    tell(case)
    assert mail.outbox[-1].subject.startswith("Veuillez effacer")
    settings.EXPUNGE_LANGUAGE = "la"
    with pytest.raises(SystemCheckError, match="EXPUNGE_LANGUAGE is 'la'; allowed are en, fr, de"):
        call_command("check")


def test_a_restriction_asks_for_no_erasure(case, version):
    recipient(version)
    tell(case, Notice.Occasion.RESTRICTED)
    assert "Please stop using data" in mail.outbox[-1].subject
    assert "Do not erase it" in flat(mail.outbox[-1].body)


def test_the_operators_own_text_is_used_and_its_version_kept(case, version):
    recipient(version)
    text = builtin_text("RECIPIENT_NOTICE", "en")
    own = type(text)(**{**vars(text), "subject": "Erase what we gave you ({reference})"})
    letter_templates.publish(text=own, active_from=None, user=member("Administrator"), now=NOW)
    tell(case)
    assert mail.outbox[-1].subject == f"Erase what we gave you ({case.reference})"
    assert Notice.objects.get().text_version == 1


def test_a_notice_that_cannot_be_written_waits_as_failed_and_says_why(case, version, settings):
    recipient(version)
    settings.EXPUNGE_CONTACT = ""
    tell(case)
    notice = Notice.objects.get()
    assert (notice.state, mail.outbox) == ("FAILED", [])
    assert notice.error.endswith("'questions': {contact} is empty.")
    settings.EXPUNGE_CONTACT = "a@example.org"
    assert notices.send_due(now=notice.next_at) == 1
    notice.refresh_from_db()
    assert (notice.state, notice.error) == ("SENT", "")


def test_what_will_be_sent_can_be_read_before_and_what_was_sent_afterwards(
    case, version, everybody, client
):
    client.force_login(member("Auditor"))
    assert [one.addressee for one in to_come(case, NOW)] == everybody
    assert not Notice.objects.exists()
    part = client.get(reverse("audits:case_part", args=[case.pk, "ahead"]))
    page = flat(part.content.decode())
    for one in everybody:
        address = reverse("audits:notice_text", args=[case.pk, one.pk])
        assert address in page
        text = flat(client.get(address).content.decode())
        assert "nothing was sent" in text
        assert "/told/ey" not in text
    before = preview_notice(to_come(case, NOW)[0], NOW)
    tell(case)
    lab = Notice.objects.get(recipient=everybody[0])
    assert lab.text == f"{before.subject}\n\n{before.body}"
    text = flat(
        client.get(reverse("audits:notice_text", args=[case.pk, everybody[0].pk])).content.decode()
    )
    assert lab.digest in text
    assert "built-in text" in text
    nobody = reverse("audits:notice_text", args=[case.pk, version.pk])
    assert client.get(nobody).status_code == 404


def test_a_version_destroyed_outside_a_case_has_a_reference_of_the_notice(version, signing_key):
    deployed(version, contact="shop@example.org")
    version.state = "DESTROYED"
    version.save()
    notices.note_deployments(now=NOW)
    notices.send_due(now=timezone.now())
    assert re.search(r"\(N-[0-9A-F]{8}\)", str(mail.outbox[-1].subject))


def test_a_deployment_takes_no_language_without_letters(version, signing_key):
    with pytest.raises(DeploymentRefused, match="locale is 'la'; allowed are en, fr, de"):
        deployed(version, locale="la")
