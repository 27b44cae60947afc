"""Whoever does what is final proves again who they are."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audits.services import holds
from tests.audits.role_table import PAGES, addresses
from tests.audits.sign_in.clients import (
    FACTOR,
    PASSWORD,
    SIGN_IN,
    events,
    is_in,
    kept,
    signed_in,
    typed,
    with_an_app,
)
from tests.audits.world import member

pytestmark = pytest.mark.django_db


PROVING = {
    *("accept", "refuse", "approve_decision", "erase_excepted", "unidentified", "objection"),
    *("restrict", "lift", "duplicate", "duplicates", "drop_conflict", "approve_forget_set"),
    *("drop_case", "take_over", "destroy", "outside", "release", "approve_exception"),
    *("destroy_model", "claim_anonymity", "release_hold", "backup_destroyed", "approve_policy"),
    *("new_place", "edit_place"),  # where erasures delete
}
FINAL = re.compile("approve|destroy|refuse|accept|erase|drop_c")
HARMLESS = {"proof_destroyed"}  # it notes what was done to a paper


def test_everything_final_asks_again_after_a_while_and_nothing_else_does():
    client = signed_in(User.objects.create_superuser("root", password=PASSWORD))
    kept(client, proved=timedelta(hours=1))
    client.raise_request_exception = False

    def asks(address: str) -> bool:
        answer = client.post(address)
        return answer.headers.get("Location", "").startswith("/accounts/again/")

    found = {name for name, address in addresses() if name in PAGES and asks(address)}
    assert found == PROVING
    assert {name for name in PAGES if FINAL.search(name)} - HARMLESS <= PROVING


def test_what_was_posted_is_carried_out_once_somebody_has_proved_who_they_are(ann, rung):
    now = timezone.now()
    hold = holds.place_hold(
        basis="A claim.",
        review_on=now.date() + timedelta(days=9),
        user=ann,
        now=now,
        kind="EMAIL",
        identifier="ada@example.org",
    )
    client = signed_in(ann)
    kept(client, proved=timedelta(hours=1))
    browser, network = "Browser of ann", "192.0.2.7"
    said = client.post(
        f"/holds/{hold.pk}/release/", headers={"user-agent": browser}, REMOTE_ADDR=network
    )
    asked = said.headers["Location"]
    waits = client.session[STATE_SESSION_KEY]["request"]
    assert f"/holds/{hold.pk}/release/" in waits
    assert not [one for one in (browser, network, client.session.session_key) if one in waits]
    assert client.post(asked, {"password": "wrong"}).status_code == 200
    hold.refresh_from_db()
    assert hold.released_at is None
    next_ = f"/holds/{hold.pk}/release/"
    done = client.post(asked, {"password": PASSWORD, "next": next_})
    assert done.headers["Location"] == "/holds/"
    hold.refresh_from_db()
    assert hold.released_at


def test_a_lock_that_others_closed_does_not_stop_who_is_signed_in_from_proving_it(ann):
    client = signed_in(ann)
    for _ in range(3):
        typed(Client(), "wrong")
    assert len(events("staff_locked")) == 1
    kept(client, proved=timedelta(hours=1))
    client.post("/accounts/again/", {"password": PASSWORD, "next": "/log/"})
    assert client.post(f"/holds/{UUID(int=7)}/release/").status_code == 404


def _wrong_password(client: Client):
    return client.post("/accounts/again/", {"password": "wrong"})


def _wrong_old_password(client: Client):
    fresh = "eight brown herons stand"
    changed = {"old_password": "wrong", "new_password1": fresh, "new_password2": fresh}
    return client.post("/admin/password_change/", changed)


def _wrong_code(client: Client):
    return client.post(f"{FACTOR}reauthenticate/", {"code": "nonsense"})


@pytest.mark.parametrize("guess", [_wrong_password, _wrong_old_password, _wrong_code])
def test_wrong_proofs_of_who_is_signed_in_end_that_session_and_lock_nothing(ann, guess):
    client, other = signed_in(ann), signed_in(ann)
    with_an_app(client)
    client, other = signed_in(ann), signed_in(ann)
    guess(client)
    client.post("/accounts/again/", {"password": PASSWORD})  # a right one: counted anew
    assert [guess(client).status_code for _ in range(2)] == [200, 200]
    assert is_in(client)
    assert b"signed out after too many" in client.get(guess(client).headers["Location"]).content
    assert not is_in(client)
    assert is_in(other)
    assert events("staff_locked") == []


def test_an_account_is_changed_in_the_admin_only_by_whoever_proves_it(ann):
    client = signed_in(ann)
    kept(client, proved=timedelta(hours=1))
    bea = member("bea", "Auditor")
    for at in ("", "add/", f"{bea.pk}/change/", f"{bea.pk}/password/"):
        answer = client.post(f"/admin/auth/user/{at}", {})
        assert answer.headers["Location"].startswith("/accounts/again/"), at


def test_there_is_no_sign_up_no_reset_and_no_mail():
    gone = (
        "signup/",
        "password/reset/",
        "email/",
        "confirm-email/",
        "login/code/",
        "staff/login/",
    )
    assert {name: Client().get(f"/accounts/{name}").status_code for name in gone} == dict.fromkeys(
        gone, 404
    )
    assert Client().get("/admin/login/?next=/admin/").headers["Location"].startswith(SIGN_IN)


def test_the_pages_of_an_account_hold_no_script_of_their_own(ann):
    client = signed_in(ann)
    with_an_app(client)
    for path in ("", "webauthn/", "webauthn/add/", "recovery-codes/", "recovery-codes/generate/"):
        page = client.get(f"{FACTOR}{path}")
        assert page.status_code == 200
        scripts = re.findall(r"<script([^>]*)>", page.content.decode())
        assert [
            one for one in scripts if "src=" not in one and "application/json" not in one
        ] == []
        assert "style=" not in page.content.decode()
        assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert reverse("mfa_index") in client.get("/log/").content.decode()
