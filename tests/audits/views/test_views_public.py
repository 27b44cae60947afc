from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest
from audits.queries.identity import of_address
from audits.views.public_forms import STAMP_HOURS, new_stamp
from tests.audits.views import worlds
from tests.audits.views.visits import (
    KIND,
    RECEIVED,
    START,
    ask,
    filled,
    give_address,
    text_of,
)

STRICT = "default-src 'self'"


def test_the_root_of_the_site_leads_to_the_form(client):
    assert client.get("/").headers["Location"] == START


def test_a_request_is_answered_with_its_reference_and_its_date(client):
    page = ask(client, follow=True)
    case = ErasureRequest.objects.get()
    assert page.redirect_chain == [(RECEIVED, 302)]
    assert case.reference in text_of(page)
    assert case.due_on is not None
    assert case.due_on.strftime("%B %Y") in text_of(page)
    assert mail.outbox[0].to == [worlds.EMAIL]


def test_known_and_unknown_people_get_the_same_answer(client):
    worlds.person()
    answers = []
    for email in (worlds.EMAIL, "nobody@example.org"):
        page = ask(client, email, follow=True)
        case = ErasureRequest.objects.get(pk__in=of_address(email))
        words = text_of(page).replace(case.reference, "").replace(email, "")
        answers.append((page.redirect_chain, page.status_code, words))
    assert answers[0] == answers[1]


def test_received_without_a_request_leads_back_to_the_form(client):
    assert client.get("/erasure/received/").headers["Location"] == START
    assert client.get("/erasure/confirmed/").headers["Location"] == START


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "Enter your e-mail address."),
        ("nobody", "Enter an e-mail address in the form name@example.org."),
        ("a" * 250 + "@example.org", "Enter an e-mail address of at most 254 characters."),
    ],
)
def test_a_mistake_is_named_and_nothing_typed_is_lost(client, email, sentence):
    response = give_address(client, email)
    page = text_of(response)
    assert response.status_code == 400
    assert "<title>Error: " in page
    assert f'<a href="#id_email">{sentence}</a>' in page
    assert f'value="{email}"' in page
    assert 'aria-invalid="true"' in page
    assert not ErasureRequest.objects.exists()


def test_a_filled_trap_stops_a_machine_and_lets_a_person_try_again(client):
    response = give_address(client, website="http://spam.example")
    assert response.status_code == 400
    assert "press the button once more" in text_of(response)
    assert worlds.EMAIL in text_of(response)
    assert "spam.example" not in text_of(response)
    assert not ErasureRequest.objects.exists()


@pytest.mark.parametrize(
    "altered",
    [lambda _: "", lambda _: "altered", lambda stamp: stamp[:-1]],
    ids=["empty", "other", "cut"],
)
def test_a_stamp_that_is_not_ours_is_refused(client, altered):
    stamp = altered(new_stamp(timezone.now()))
    assert give_address(client, stamp=stamp).status_code == 400
    assert not ErasureRequest.objects.exists()


def test_a_form_that_was_sent_at_once_keeps_its_stamp_for_the_second_try(client, settings):
    settings.EXPUNGE_FORM_MIN_SECONDS = 2
    sent = filled()
    response = give_address(client, stamp=sent["stamp"])
    assert response.status_code == 400
    assert f'value="{sent["stamp"]}"' in text_of(response)
    earlier = new_stamp(timezone.now() - timedelta(seconds=3))
    assert give_address(client, stamp=earlier).status_code == 302


def test_a_page_that_was_open_for_days_gets_a_new_stamp(client, monkeypatch):
    sent = filled()
    later = timezone.now() + timedelta(hours=STAMP_HOURS + 1)
    monkeypatch.setattr("time.time", later.timestamp)
    response = give_address(client, stamp=sent["stamp"])
    assert "open for too long" in text_of(response)
    assert sent["stamp"] not in text_of(response)


def test_too_many_requests_from_one_network_are_slowed_down(client, settings):
    settings.EXPUNGE_FORM_PER_HOUR = 3
    statuses = [
        ask(client, f"p{at}@example.org", REMOTE_ADDR=f"192.0.2.{at}").status_code
        for at in range(4)
    ]
    assert statuses == [302, 302, 302, 429]
    elsewhere = ask(client, "p9@example.org", REMOTE_ADDR="198.51.100.1")
    assert elsewhere.status_code == 302


def test_one_mailbox_is_not_flooded_from_many_networks(client, settings):
    settings.EXPUNGE_FORM_PER_HOUR = 8
    statuses = [
        ask(client, "Ada@Example.org", REMOTE_ADDR=f"10.{at}.0.1").status_code for at in range(3)
    ]
    assert statuses == [302, 302, 429]


def test_behind_a_proxy_the_last_forwarded_address_counts(client, settings):
    settings.EXPUNGE_FORM_PER_HOUR = 4
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    def post(at, forwarded):
        headers = {"X-Forwarded-For": forwarded}
        return ask(client, f"p{at}@example.org", headers=headers).status_code

    assert [post(at, f"203.0.113.{at}, 192.0.2.1") for at in range(5)][-1] == 429
    assert post(9, "192.0.2.1, 2001:db8::1") == 302


def test_a_network_above_its_limit_fills_no_cache_and_shuts_out_no_mailbox(
    client, settings, monkeypatch
):
    settings.EXPUNGE_FORM_PER_HOUR = 4
    kept: dict[str, int] = {}
    noting = SimpleNamespace(get=kept.get, set=lambda key, count, _: kept.update({key: count}))
    monkeypatch.setattr("audits.views.limiter.cache", noting)
    for at in range(4):
        assert ask(client, f"p{at}@example.org").status_code == 302
    before = len(kept)
    for at in range(4, 9):
        assert ask(client, f"p{at}@example.org").status_code == 429
    assert [ask(client, "ada@example.org").status_code for _ in range(2)] == [429, 429]
    assert len(kept) == before
    assert ask(client, "ada@example.org", REMOTE_ADDR="198.51.100.1").status_code == 302


def test_the_cache_never_holds_an_address(client, monkeypatch):
    kept = []
    noting = SimpleNamespace(get=lambda *_: 0, set=lambda *given: kept.append(given))
    monkeypatch.setattr("audits.views.limiter.cache", noting)
    ask(client)
    assert len(kept) == 2
    assert worlds.EMAIL not in repr(kept)
    assert "127.0.0" not in repr(kept)


def test_a_mail_server_that_is_down_is_said_and_the_address_is_kept(client, monkeypatch):
    def refuse(**_: str):
        raise workflow.LetterNotSent

    monkeypatch.setattr(workflow, "submit", refuse)
    response = ask(client)
    assert response.status_code == 503
    assert "We could not send the e-mail" in text_of(response)
    assert worlds.EMAIL in text_of(response)


def test_opening_the_link_confirms_nothing_and_pressing_the_button_does(client, links):
    ask(client)
    confirm, _ = links()
    assert client.get(confirm).status_code == 200
    assert ErasureRequest.objects.get().status == "RECEIVED"
    page = client.post(confirm, follow=True)
    assert page.redirect_chain == [("/erasure/confirmed/", 302)]
    assert ErasureRequest.objects.get().status == "VERIFIED"


def test_a_used_link_says_so(client, links):
    ask(client)
    confirm, _ = links()
    client.post(confirm)
    assert client.post(confirm).headers["Location"] == "/erasure/confirmed/"  # pressed twice
    response = Client().post(confirm)
    assert response.status_code == 410
    assert "was used already" in text_of(response)
    assert "the request is closed. Our answer says what was done" in text_of(response)
    assert START not in text_of(response).partition("<main")[2].partition("</main")[0]


def test_the_link_of_a_withdrawn_request_leads_to_a_new_one(client, links):
    ask(client)
    workflow.withdraw(case_id=ErasureRequest.objects.get().pk)
    page = text_of(client.get(links()[0]))
    assert "You have withdrawn this request" in page
    assert f'href="{START}">Go to the form' in page


def test_an_expired_link_says_so(client, links, monkeypatch):
    ask(client)
    confirm, _ = links()
    later = timezone.now() + timedelta(hours=49)
    monkeypatch.setattr("time.time", later.timestamp)
    assert "expired" in text_of(client.get(confirm))
    assert ErasureRequest.objects.get().status == "RECEIVED"


def test_an_altered_link_says_so(client, links):
    ask(client)
    confirm, _ = links()
    response = client.post(confirm.rstrip("/")[:-2] + "xx/")
    assert "not complete or was changed" in text_of(response)
    assert ErasureRequest.objects.get().status == "RECEIVED"


def test_a_forged_post_is_refused(links):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(KIND, filled()).status_code == 403
    ask(Client())
    confirm, status = links()
    assert strict.post(confirm).status_code == 403
    assert strict.post(f"{status}withdraw/").status_code == 403
    assert ErasureRequest.objects.get().status == "RECEIVED"


def test_public_pages_are_strict_and_private(client, links):
    ask(client)
    confirm, status = links()
    for path in (START, KIND, RECEIVED, confirm, status, "/accounts/login/", "/nothing/"):
        response = client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert STRICT in policy
        assert "unsafe" not in policy
        assert " style=" not in text_of(response)
        assert "<script>" not in text_of(response)
    for path in (START, KIND, confirm, status):
        assert "no-store" in client.get(path).headers["Cache-Control"]


def test_no_address_ever_stands_in_a_url(client, links):
    seen = []
    page = ask(client, follow=True)
    seen += [url for url, _ in page.redirect_chain]
    confirm, status = links()
    page = client.post(confirm, follow=True)
    seen += [confirm, status, *(url for url, _ in page.redirect_chain)]
    assert not [url for url in seen if "@" in url or "ada" in url.casefold()]


def test_a_form_page_keeps_the_referrer_policy_under_which_it_can_be_posted(client, links):
    ask(client)
    confirm, status = links()
    assert client.get(confirm).headers["Referrer-Policy"] == "same-origin"
    assert client.get(f"{status}withdraw/").headers["Referrer-Policy"] == "same-origin"
    assert client.get(status).headers["Referrer-Policy"] == "no-referrer"


def test_error_pages_say_what_to_do_next(client):
    assert "Go to the form" in text_of(client.get("/nothing/"))
    strict = Client(enforce_csrf_checks=True)
    assert "press the button once more" in text_of(strict.post(KIND, filled()))


def test_a_fault_of_ours_shows_a_page(client, monkeypatch):
    def break_down(**_: str):
        raise RuntimeError

    monkeypatch.setattr(workflow, "submit", break_down)
    client.raise_request_exception = False
    response = ask(client)
    assert response.status_code == 500
    assert "Something went wrong on our side" in text_of(response)
