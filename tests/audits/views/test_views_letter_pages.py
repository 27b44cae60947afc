"""Pages on letters: texts are edited and previewed, letters are read, retried and posted."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from audits import workflow
from audits.core.letter_rules import RULES
from audits.models import ErasureRequest, Letter, LetterTemplate
from audits.queries.clocks import today
from audits.services import rights
from tests.audits.mail_server import no_mail_server
from tests.audits.views import worlds

TEXT = "/letters/en/ANSWER_REFUSED/"


def client_in(role):
    rights.make_roles()
    user = User.objects.create_user(role, is_staff=True)
    rights.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(site):
    return client_in("Administrator")


@pytest.fixture
def officer(site):
    return client_in("Case officer")


def typed(client, **changed: str):
    """What the form of the page would post, changed."""
    form = client.get(TEXT).context["form"]
    fields = {"subject": form["subject"].value()}
    fields |= {field.html_name: field.value() for _, field in form.blocks()}
    return {**fields, **changed}


def confirmed():
    """A request of somebody of whom something is held, confirmed as the person does."""
    if not ErasureRequest.objects.exists():
        worlds.person()
    return workflow.confirm(token=worlds.received().confirm_token)


def text_of(response):
    return response.content.decode()


def test_the_list_names_every_letter_in_every_language(admin, officer):
    shown, without = text_of(admin.get("/letters/")), text_of(officer.get("/letters/"))
    for locale in ("en", "fr", "de"):
        assert [code for code in RULES if f"/letters/{locale}/{code}/" not in shown] == []
        assert [code for code in RULES if f"/letters/{locale}/{code}/" in without] == []


def test_a_text_is_previewed_with_a_made_up_case_and_nothing_is_kept(admin):
    asked = typed(admin, block_greeting="Hello <b>you</b>,", action="preview")
    shown = text_of(admin.post(TEXT, asked))
    assert "Hello &lt;b&gt;you&lt;/b&gt;," in shown
    assert "ER-2345-6789" in shown
    assert "Differs from the built-in text" in shown
    assert not LetterTemplate.objects.exists()


def test_F8_a_refusal_without_its_remedy_is_not_saved_and_what_was_typed_stays(admin):
    asked = typed(admin, block_remedy="", block_opening="My own words.", action="publish")
    answer = admin.post(TEXT, asked)
    assert answer.status_code == 400
    assert "Remedy: It is mandatory in the letter" in text_of(answer)
    assert 'href="#id_block_remedy"' in text_of(answer)
    assert 'id="id_block_remedy"' in text_of(answer)
    assert "My own words." in text_of(answer)
    assert not LetterTemplate.objects.exists()


def test_an_unknown_placeholder_is_named(admin):
    asked = typed(admin, block_opening="Dear {name},", action="publish")
    assert "{name}, which this letter does not know" in text_of(admin.post(TEXT, asked))


def test_a_text_is_published_and_the_builtin_one_is_used_again(admin):
    asked = typed(admin, subject="No: {reference}", active_from="", action="publish")
    question = text_of(admin.post(TEXT, asked))
    assert "Publish version 1 of this letter?" in question
    assert 'name="subject" value="No: {reference}"' in question
    assert not LetterTemplate.objects.exists()
    assert "No: {reference}" in text_of(admin.post(TEXT, {**asked, "action": "edit"}))
    asked["action"] = "confirmed"
    assert "Version 1 was published" in text_of(admin.post(TEXT, asked, follow=True))
    assert "No: {reference}" in text_of(admin.get(TEXT))
    assert "Use the built-in text again?" in text_of(admin.get(f"{TEXT}builtin/"))
    assert LetterTemplate.objects.count() == 1
    shown = text_of(admin.post(f"{TEXT}builtin/", follow=True))
    assert "The built-in text is used again" in shown
    assert [one.builtin for one in LetterTemplate.objects.order_by("version")] == [False, True]


def test_only_administrators_edit_texts(officer, reader, outsider):
    for client in (officer, reader, outsider):
        assert client.get(TEXT).status_code == 403
        assert client.post(f"{TEXT}builtin/").status_code == 403


def test_there_is_no_page_for_a_language_without_letters(admin):
    assert admin.get("/letters/xx/ANSWER_REFUSED/").status_code == 404


def test_who_confirms_gets_a_receipt_and_staff_can_read_it(officer, outsider):
    case = confirmed()
    assert mail.outbox[-1].subject == f"We have received your request {case.reference}"
    letter = Letter.objects.get(code="ACKNOWLEDGEMENT")
    assert f"/letters/{letter.pk}/" in text_of(officer.get(f"/cases/{case.pk}/"))
    shown = text_of(officer.get(f"/cases/{case.pk}/letters/{letter.pk}/"))
    assert "Thank you for confirming" in shown
    pdf = officer.get(f"/cases/{case.pk}/letters/{letter.pk}.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert outsider.get(f"/cases/{case.pk}/letters/{letter.pk}/").status_code == 403


def test_nobody_of_staff_sees_the_links_of_the_first_letter(officer):
    received = workflow.submit(email=worlds.EMAIL)
    letter = Letter.objects.get()
    shown = text_of(officer.get(f"/cases/{received.request.pk}/letters/{letter.pk}/"))
    assert "Please confirm within 48 hours" in " ".join(shown.split())
    assert received.confirm_token not in shown
    assert received.status_token not in shown


def test_a_second_request_of_a_person_gets_no_receipt_but_an_answer():
    worlds.person()
    worlds.verified()
    ErasureRequest.objects.update(status_digest="x")
    confirmed()
    assert not Letter.objects.filter(code="ACKNOWLEDGEMENT").exists()


def test_the_exact_text_is_shown_before_a_letter_is_sent(officer):
    case = worlds.verified()
    page = f"/cases/{case.pk}/letters/preview/"
    assert "Send the letter" in text_of(officer.get(page, {"code": "ACKNOWLEDGEMENT"}))
    told = {"code": "EXTENSION", "reason": "NUMBER", "new_due": "2030-06-04"}
    shown = text_of(officer.post(page, told))
    assert "by 4 June 2030 at the latest" in " ".join(shown.split())
    assert "Send the letter" not in shown
    lacking = officer.post(page, {"code": "EXTENSION", "reason": "NUMBER"})
    assert (lacking.status_code, mail.outbox) == (400, [])
    officer.post(f"/cases/{case.pk}/letters/send/ACKNOWLEDGEMENT/")
    assert len(mail.outbox) == 1


def test_F12_a_letter_that_failed_stands_on_the_list_and_is_tried_again(officer):
    with no_mail_server():
        case = confirmed()
    Letter.objects.update(state="FAILED", attempts=5)
    assert "Could not be sent" in text_of(officer.get("/cases/"))
    letter = Letter.objects.get()
    assert "in 5 tries" in text_of(officer.get(f"/cases/{case.pk}/"))
    officer.post(f"/cases/{case.pk}/letters/{letter.pk}/again/")
    assert (len(mail.outbox), Letter.objects.get().state) == (1, "SENT")


def test_L10_staff_choose_the_post_download_the_letter_and_record_the_day(officer, reader):
    case = worlds.verified()
    route = f"/cases/{case.pk}/answer-route/"
    assert reader.get(route).status_code == 403
    officer.post(route, {"way": "POST", "address": "Ada\n1 Way", "requested": "on"})
    assert "answered by post" in text_of(officer.get(f"/cases/{case.pk}/"))
    officer.post(f"/cases/{case.pk}/letters/send/ACKNOWLEDGEMENT/")
    letter = Letter.objects.get()
    assert (letter.state, mail.outbox) == ("TO_POST", [])
    assert officer.get(f"/cases/{case.pk}/letters/{letter.pk}.pdf").status_code == 200
    assert client_in("Auditor").get(f"/cases/{case.pk}/letters/{letter.pk}.pdf").status_code == 403
    posted = f"/cases/{case.pk}/letters/{letter.pk}/posted/"
    assert officer.post(posted, {"posted_on": "soon"}).status_code == 400
    day = today(timezone.now()).isoformat()
    assert "was recorded" in text_of(officer.post(posted, {"posted_on": day}, follow=True))
    assert Letter.objects.get().state == "POSTED"
