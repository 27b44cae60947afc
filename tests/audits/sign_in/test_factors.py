"""How staff sign in: a second factor, and locks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audits.queries.sign_in import KEPT
from audits.services import accounts, sign_in
from tests.audits.sign_in.clients import (
    FACTOR,
    PASSWORD,
    code_now,
    events,
    is_in,
    signed_in,
    typed,
    with_an_app,
    wrong,
)
from tests.audits.world import member

pytestmark = pytest.mark.django_db


def test_whoever_has_an_app_needs_its_code_after_the_password(ann):
    client = signed_in(ann)
    secret = with_an_app(client)
    codes = re.findall(
        r"<code>(\d+)</code>", client.get(f"{FACTOR}recovery-codes/").content.decode()
    )
    assert len(codes) == 10
    cache.clear()  # in which a code that was used counts as used

    thief = Client()
    assert typed(thief).headers["Location"] == f"{FACTOR}authenticate/"
    assert not is_in(thief)
    assert (
        b"not the code of this moment"
        in thief.post(f"{FACTOR}authenticate/", {"code": wrong(secret)}).content
    )

    for code, opens in ((code_now(secret), True), (codes[0], True), (codes[0], False)):
        client = Client()
        typed(client)
        answer = client.post(f"{FACTOR}authenticate/", {"code": code})
        assert is_in(client) is opens
        assert not opens or answer.headers["Location"] == "/log/"
    assert len(events("staff_factor_changed")) == 2  # the app, and its recovery codes


def test_the_secret_of_an_app_does_not_lie_readable_in_the_database(ann):
    secret = with_an_app(signed_in(ann))
    held = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in held
    for table in Session.objects.all():
        assert secret not in str({**table.get_decoded(), "mfa.totp.secret": ""})


def test_failures_lock_an_account_with_one_answer_and_an_administrator_opens_it(ann):
    wrong_name = typed(Client(), name="nobody").content
    first = typed(Client(), "wrong").content
    assert [typed(Client(), "wrong").status_code for _ in range(2)] == [200, 200]
    locked = typed(Client())  # the right one, too late
    assert locked.status_code == 200
    said = [re.sub(rb'value="[^"]*"', b"", one) for one in (wrong_name, first, locked.content)]
    assert len(set(said)) == 1
    assert "an administrator can unlock it" in first.decode().lower()

    (event,) = events("staff_locked")
    assert "ann" not in event
    assert accounts.unlock_account(name="ann", now=timezone.now())
    assert not accounts.unlock_account(name="ann", now=timezone.now())
    assert len(events("staff_unlocked")) == 1
    client = Client()
    assert typed(client).headers["Location"] == "/log/"
    assert is_in(client)


@pytest.mark.parametrize("spelled", [" ann", "ann ", "\N{FULLWIDTH LATIN SMALL LETTER A}nn"])
def test_a_name_spelled_otherwise_counts_and_is_locked_like_the_account_that_it_opens(
    ann, spelled
):
    assert typed(Client(), name=spelled).status_code == 302
    for _ in range(3):
        typed(Client(), "wrong", name=spelled)
    assert len(events("staff_locked")) == 1
    assert typed(Client(), name=spelled).status_code == 200


def test_a_name_with_a_zero_byte_is_refused_with_a_sentence(ann):
    assert typed(Client(), name="ann\0").status_code == 200


def test_a_lock_opens_by_itself_unless_it_should_wait_for_an_administrator(ann, settings):
    then = timezone.now() - timedelta(minutes=settings.EXPUNGE_LOCK_MINUTES + 1)
    for _ in range(3):
        sign_in.note_failure(ann, now=then)
    settings.EXPUNGE_LOCK_MINUTES, usual = 0, settings.EXPUNGE_LOCK_MINUTES
    assert typed(Client()).status_code == 200
    settings.EXPUNGE_LOCK_MINUTES = usual
    assert typed(Client()).status_code == 302


def test_wrong_codes_lock_an_account_too(ann):
    secret = with_an_app(signed_in(ann))
    client = Client()
    typed(client)
    for _ in range(3):
        client.post(f"{FACTOR}authenticate/", {"code": wrong(secret)})
    cache.clear()
    assert (
        b"too many attempts"
        in client.post(f"{FACTOR}authenticate/", {"code": code_now(secret)}).content
    )
    assert not is_in(client)


def test_a_lost_phone_is_taken_off_by_command_or_in_the_admin_and_ends_the_sessions(ann, capsys):
    client = signed_in(ann)
    with_an_app(client)
    call_command("staff", "reset-factors", "ann")
    assert not Authenticator.objects.filter(user=ann).exists()
    assert not is_in(client)
    with_an_app(signed_in(ann))
    boss = signed_in(member("boss", "Administrator"))
    chosen = {"action": "take_factors", "_selected_action": [ann.pk]}
    boss.post("/admin/auth/user/", chosen)
    assert not Authenticator.objects.filter(user=ann).exists()


def test_who_must_have_a_second_factor_comes_no_further_without_one(ann, settings):
    settings.EXPUNGE_SECOND_FACTOR = "DECIDING"
    client = signed_in(ann)
    assert client.get("/log/").headers["Location"] == FACTOR
    assert client.get("/admin/").headers["Location"] == FACTOR
    reader = signed_in(member("reader", "Auditor"))
    assert is_in(reader)
    settings.EXPUNGE_SECOND_FACTOR = "ALL"
    assert not is_in(reader)
    with_an_app(client)
    assert is_in(client)


def test_the_first_factor_ends_the_sessions_that_the_password_alone_opened(ann):
    mine, theirs = Client(), Client()
    typed(mine)
    typed(theirs)
    assert is_in(theirs)
    with_an_app(mine)
    assert not is_in(theirs)
    assert is_in(mine)


def test_where_a_factor_is_asked_for_a_session_must_have_used_it_not_just_the_account(
    ann, settings
):
    settings.EXPUNGE_SECOND_FACTOR = "DECIDING"
    client = signed_in(ann)
    secret = with_an_app(client)
    session = client.session
    session[KEPT] = {**session[KEPT], "factor": False}  # one that was not ended
    session.save()
    using = f"{FACTOR}reauthenticate/?next=%2Flog%2F"
    assert client.get("/log/").headers["Location"] == using
    for page in ("", "totp/deactivate/", "recovery-codes/generate/"):
        assert client.get(f"{FACTOR}{page}").headers["Location"].startswith(f"{FACTOR}reauth")
    client.post("/accounts/again/", {"password": PASSWORD})
    assert not is_in(client)
    cache.clear()
    client.post(using, {"code": code_now(secret)})
    assert is_in(client)


def test_the_first_page_names_the_missing_factor_to_those_who_decide(ann):
    client = signed_in(ann)
    assert b"Add a second factor" in client.get("/home/").content
    assert b"Add a second factor" not in signed_in(member("r", "Auditor")).get("/home/").content
    with_an_app(client)
    assert b"Add a second factor" not in client.get("/home/").content
