"""How staff sign in: a second factor, locks, sessions that end, and proof before what is final."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from datetime import timedelta
from uuid import UUID

import pytest
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audits.models import LogLeaf, StaffSession
from audits.queries.sign_in import KEPT
from audits.services import accounts, holds, sign_in
from tests.audits.test_role_matrix import PAGES, addresses
from tests.audits.world import member

pytestmark = pytest.mark.django_db
PASSWORD = "seven grey herons stand"
SIGN_IN, FACTOR = "/accounts/login/", "/accounts/second-factor/"


@pytest.fixture(autouse=True)
def site(settings, tmp_path, signing_key, monkeypatch):
    settings.STATIC_ROOT = tmp_path
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EXPUNGE_LOCK_AFTER = 3
    cache.clear()
    # The transaction of a test never ends; that of a view does, before its answer is sent.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, **_: call())


@pytest.fixture
def ann() -> User:
    user = member("ann", "Administrator", "Model operator")
    user.set_password(PASSWORD)
    user.save()
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(client: Client, password: str = PASSWORD, name: str = "ann"):
    return client.post(f"{SIGN_IN}?next=/log/", {"username": name, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/log/").status_code == 200


def code_now(secret: str, steps: int = 0) -> str:
    """RFC 6238, written down again."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def wrong(secret: str) -> str:
    near = {code_now(secret, step) for step in range(-2, 3)}
    return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def with_an_app(client: Client) -> str:
    """Set an app up on the pages; return its secret."""
    page = client.get(f"{FACTOR}totp/activate/").content.decode()
    secret: str = re.findall(r"<code>([A-Z2-7]{32})</code>", page)[0]
    assert client.post(f"{FACTOR}totp/activate/", {"code": wrong(secret)}).status_code == 200
    done = client.post(f"{FACTOR}totp/activate/", {"code": code_now(secret)})
    assert done.headers["Location"] == f"{FACTOR}recovery-codes/"
    return secret


def kept(client: Client, **changed: timedelta) -> None:
    """Let parts of a session have happened so long ago."""
    session = client.session
    ago = {name: session[KEPT][name] - gone.total_seconds() for name, gone in changed.items()}
    session[KEPT] = {**session[KEPT], **ago}
    session.save()


def events(*types: str) -> list[str]:
    found = LogLeaf.objects.filter(type__in=types).order_by("index")
    return [bytes(leaf.data).decode() for leaf in found]


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


def test_a_session_ends_unused_or_after_so_many_hours(ann, settings):
    for part, limit in (
        ("seen", timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES)),
        ("began", timedelta(hours=settings.EXPUNGE_SESSION_HOURS)),
    ):
        client = signed_in(ann)
        kept(client, **{part: limit - timedelta(seconds=30)})
        assert is_in(client)
        client = signed_in(ann)
        kept(client, **{part: limit + timedelta(seconds=1)})
        assert not is_in(client)


def test_sessions_that_are_over_are_deleted_with_what_waits_in_them(ann, settings):
    used, idle, expired = (signed_in(ann) for _ in range(3))
    now, idling = timezone.now(), timedelta(minutes=settings.EXPUNGE_SESSION_IDLE_MINUTES + 2)
    keys = [one.session.session_key for one in (used, idle, expired)]
    StaffSession.objects.filter(session=keys[1]).update(seen_at=now - idling)
    Session.objects.filter(pk=keys[2]).update(expire_date=now)
    assert sign_in.forget_sessions(now=now) == 2
    assert list(Session.objects.values_list("pk", flat=True)) == keys[:1]
    assert is_in(used)


def test_members_see_their_sessions_and_end_others(ann, django_assert_max_num_queries):
    here, there, third, stranger = (signed_in(ann) for _ in range(4))
    bea = signed_in(member("bea", "Auditor"))
    with django_assert_max_num_queries(12):
        page = here.get("/accounts/sessions/").content.decode()
    ends = re.findall(r"/accounts/sessions/(\d+)/end/", page)
    assert len(ends) == 3
    bea.post(f"/accounts/sessions/{ends[0]}/end/")
    assert all(map(is_in, (here, there, third, stranger)))
    here.post(f"/accounts/sessions/{ends[0]}/end/")
    assert sorted(map(is_in, (there, third, stranger))) == [False, True, True]
    here.post("/accounts/sessions/others/end/")
    assert not any(map(is_in, (there, third, stranger)))
    assert is_in(here)
    assert is_in(bea)


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one_on_the_list(ann):
    here, there = signed_in(ann), signed_in(ann)
    fresh = "eight brown herons stand"
    changed = {"old_password": PASSWORD, "new_password1": fresh, "new_password2": fresh}
    assert here.post("/admin/password_change/", changed).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert b"This one" in here.get("/accounts/sessions/").content


PROVING = {
    *("accept", "refuse", "approve_decision", "erase_excepted", "unidentified", "objection"),
    *("restrict", "lift", "duplicate", "duplicates", "drop_conflict", "approve_forget_set"),
    *("drop_case", "take_over", "destroy", "outside", "release", "approve_exception"),
    *("destroy_model", "claim_anonymity", "release_hold", "backup_destroyed", "approve_policy"),
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
