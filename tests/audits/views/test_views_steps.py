"""One question a page: the way through them, back, and out of the middle."""

from __future__ import annotations

import json

import pytest
from django.core import mail, signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audits.models import ErasureRequest
from audits.views.draft import COOKIE, MOST_BYTES
from audits.views.work import zero_bits
from tests.audits.views import worlds
from tests.audits.views.visits import (
    CHECK,
    EMAIL_PAGE,
    KIND,
    MORE,
    RECEIVED,
    START,
    ask,
    filled,
    give_address,
    text_of,
)

SEEN = {"description": "It named my street.", "model_name": "chat"}


def steps_to_withdraw(client) -> int:
    """Pages with a button between the start and the reference."""
    response, steps = client.get("/erasure/consent/"), 0
    while response.headers["Location"] != RECEIVED:
        steps += 1
        response = client.post(response.headers["Location"], filled())
    return steps


def test_L2_consent_is_withdrawn_in_one_step_without_account_or_reason(client):
    assert "/erasure/consent/" in text_of(client.get(START))
    assert steps_to_withdraw(client) == 1
    case = ErasureRequest.objects.get()
    assert (case.kind, case.ground) == ("CONSENT", "ART_17_1_B")
    assert case.reference in text_of(client.get(RECEIVED))


def test_each_page_asks_one_thing_and_the_last_shows_every_answer(client):
    assert "<fieldset" not in text_of(client.get(START))
    assert text_of(client.get(KIND)).count('type="radio"') == 5
    assert client.post(KIND, {"kind": "SEEN_IN_OUTPUT"}).headers["Location"] == MORE
    assert client.post(MORE, SEEN).headers["Location"] == EMAIL_PAGE
    assert 'autocomplete="email"' in text_of(client.get(EMAIL_PAGE))
    page = text_of(client.post(EMAIL_PAGE, filled(), follow=True))
    for said in (*SEEN.values(), worlds.EMAIL, "I saw my data"):
        assert said in page
    for place in (KIND, MORE, EMAIL_PAGE):
        assert f'href="{place}"' in page
    assert not ErasureRequest.objects.exists()
    client.post(CHECK, filled())
    case = ErasureRequest.objects.get()
    assert (case.kind, case.details.description) == ("SEEN_IN_OUTPUT", SEEN["description"])


@pytest.mark.parametrize(("said", "objection"), [("MARKETING", "MARKETING"), ("OBJECTION", "")])
def test_an_objection_says_against_what(client, said, objection):
    assert client.post(KIND, {"kind": "OBJECTION"}).headers["Location"] == MORE
    assert "Select one." in text_of(client.post(MORE))
    client.post(MORE, {"kind": said})
    client.post(EMAIL_PAGE, filled())
    client.post(CHECK, filled())
    case = ErasureRequest.objects.get()
    assert case.kind == "OBJECTION"
    assert (case.stop.objection == "MARKETING") == bool(objection)


def test_a_changed_answer_leads_back_to_the_check_and_keeps_the_others(client):
    give_address(client)
    assert client.post(KIND, {"kind": "RESTRICTION"}).headers["Location"] == CHECK
    page = text_of(client.get(CHECK))
    assert "Keep my data, but stop using it" in page
    assert worlds.EMAIL in page
    client.post(KIND, {"kind": "SEEN_IN_OUTPUT"})
    assert client.post(MORE, SEEN).headers["Location"] == CHECK


@pytest.mark.parametrize("place", [MORE, EMAIL_PAGE, CHECK])
def test_a_lost_draft_starts_over_with_a_sentence(client, place):
    for response in (client.get(place, follow=True), client.post(place, filled(), follow=True)):
        assert response.redirect_chain[-1][0].startswith(START)
        assert "We no longer have what you entered" in text_of(response)


def test_a_draft_is_the_browser_s_alone_and_goes_when_it_is_sent(client):
    give_address(client)
    kept = client.cookies[COOKIE]
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Lax", START)
    assert not client.session.items()
    assert not ErasureRequest.objects.exists()
    client.post(CHECK, filled())
    assert client.cookies[COOKIE].value == ""


def test_a_draft_that_somebody_made_up_is_not_read(client):
    client.cookies[COOKIE] = signing.dumps({"kind": "ERASURE", "email": "x@example.org"}, salt="x")
    assert "lost" in client.get(CHECK).headers["Location"]


def test_what_does_not_fit_into_a_cookie_is_said(client):
    client.post(KIND, {"kind": "SEEN_IN_OUTPUT"})
    hard_to_pack = "".join(chr(0x4E00 + at * 7919 % 20000) for at in range(2000))
    response = client.post(MORE, {"description": hard_to_pack})
    assert "This is too long" in text_of(response)
    assert len(client.cookies[COOKIE].value) <= MOST_BYTES


def test_no_kind_of_that_name(client):
    assert client.get("/erasure/nothing/").status_code == 404


def test_known_and_unknown_people_cost_the_same_questions_to_the_database(client):
    worlds.person()
    asked = []
    for email in ("warm@example.org", worlds.EMAIL, "nobody@example.org"):
        give_address(client, email)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.post(CHECK, filled())
        asked.append([query["sql"].partition(" ")[0] for query in caught.captured_queries])
    assert asked[1] == asked[2]
    assert len(mail.outbox) == 3


# --- a calculation ------------------------------------------------------------------------------


def solved(stamp, email, bits):
    return next(str(n) for n in range(10**6) if zero_bits(f"{stamp}:{email}:{n}") >= bits)


@pytest.mark.parametrize("wish", ["erase", "consent"])
def test_a_calculation_is_asked_for_only_where_the_operator_wants_one(client, settings, wish):
    assert "data-work" not in text_of(give_address(client, "", wish=wish))
    settings.EXPUNGE_PROOF_OF_WORK = 6
    response = ask(client, wish=wish)
    page = text_of(response)
    assert response.status_code == 400
    assert "did not finish the calculation" in page
    assert "needs JavaScript" in page
    assert settings.EXPUNGE_CONTACT in page
    sent = filled()
    wrong = {**sent, "proof": solved(sent["stamp"], "eve@example.org", 6)}
    right = {**sent, "proof": solved(sent["stamp"], worlds.EMAIL, 6)}
    place = CHECK if wish == "erase" else EMAIL_PAGE
    if zero_bits(f"{sent['stamp']}:{worlds.EMAIL}:{wrong['proof']}") < 6:
        assert client.post(place, wrong).status_code == 400
    assert client.post(place, right).headers["Location"] == RECEIVED


def test_zero_bits_are_counted_from_the_front():
    # SHA-256 of "hello:world:27" would prove nothing; these are checked against their digits.
    import hashlib

    for text in map(json.dumps, range(40)):
        digits = f"{int(hashlib.sha256(text.encode()).hexdigest(), 16):0256b}"
        assert zero_bits(text) == len(digits) - len(digits.lstrip("0"))
