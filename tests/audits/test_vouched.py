"""Staff who sign in through a service that vouches for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from audits.models import LogLeaf
from audits.queries.sign_in import KEPT, vouched_at
from config.sign_in import oidc
from tests.audits.issuer import CLIENT, SECRET, serving
from tests.audits.sign_in.clients import code_now, with_an_app
from tests.audits.world import member

pytestmark = pytest.mark.django_db
ADDRESS = "ann@example.org"
AT = "/accounts/oidc/staff/login/"


@pytest.fixture(scope="module")
def served():
    with serving() as issuer:
        yield issuer


@pytest.fixture
def issuer(served, settings, tmp_path, signing_key):
    settings.STATIC_ROOT = tmp_path
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    settings.SOCIALACCOUNT_PROVIDERS = oidc(
        issuer=served.url, client=CLIENT, name="Example SSO", secret=SECRET
    )
    served.since, served.broken = 0.0, set()
    served.claims = {"sub": "7d1", "email": ADDRESS, "email_verified": True, "name": "Ann X"}
    return served


@pytest.fixture
def ann() -> User:
    user = member("ann", "Auditor")
    user.email = ADDRESS
    user.save()
    return user


def through(issuer, client: Client | None = None, *, at: str = AT, **sent: str):
    """Sign in through the issuer; return the client and what the last page answered."""
    client = client or Client()
    away = client.post(at, {"next": "/log/", **sent})
    assert away.status_code == 302
    back = urlsplit(issuer.approve(away.headers["Location"]))
    return client, client.get(f"{back.path}?{back.query}")


def is_in(client: Client) -> bool:
    return client.get("/log/").status_code == 200


def test_a_member_with_the_verified_address_is_signed_in_and_linked(issuer, ann):
    assert b"Sign in through Example SSO" in Client().get("/accounts/login/").content
    client, answer = through(issuer)
    assert answer.headers["Location"] == "/log/"
    assert is_in(client)
    (leaf,) = LogLeaf.objects.filter(type="staff_linked")
    assert b"ann" not in bytes(leaf.data)
    (linked,) = SocialAccount.objects.all()
    assert (linked.user, linked.extra_data) == (ann, {})


def test_whoever_is_linked_is_known_by_their_id_when_the_address_changes(issuer, ann):
    through(issuer)
    issuer.claims["email"] = "ann.new@example.org"
    client, _ = through(issuer)
    assert is_in(client)
    assert SocialAccount.objects.get().extra_data == {}


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "false"},
        {"email": "stranger@example.org"},
        {"email": ""},
        {"email": "", "groups": ["Administrator"]},
    ],
)
def test_nobody_else_gets_in_and_no_account_is_made(issuer, ann, claims):
    issuer.claims.update(claims)
    before = User.objects.count()
    client, answer = through(issuer)
    assert answer.status_code == 403
    assert ADDRESS not in answer.content.decode()
    assert not is_in(client)
    assert (User.objects.count(), SocialAccount.objects.count()) == (before, 0)


def test_an_address_that_went_to_another_person_does_not_open_the_account(issuer, ann):
    through(issuer)
    issuer.claims["sub"] = "somebody else"
    client, answer = through(issuer)
    assert answer.status_code == 403
    assert not is_in(client)


def test_the_same_id_at_another_service_opens_nothing_until_the_account_is_unlinked(
    issuer, ann, settings
):
    before, _ = through(issuer)
    issuer.claims |= {"email": "eve@example.org"}  # who has the id of ann there
    elsewhere = f"{issuer.url}/.well-known/openid-configuration"  # another name of this one
    settings.SOCIALACCOUNT_PROVIDERS = oidc(
        issuer=elsewhere, client=CLIENT, name="Another", secret=SECRET
    )
    client, answer = through(issuer)
    assert answer.status_code == 403
    issuer.claims |= {"sub": "new", "email": ADDRESS}
    assert through(issuer)[1].status_code == 403
    call_command("staff", "unlink", "ann")
    assert not is_in(before)
    call_command("staff", "unlink", "ann")  # nothing more to take
    client, _ = through(issuer)
    assert is_in(client)
    assert LogLeaf.objects.filter(type="staff_unlinked").count() == 1


def test_a_closed_account_stays_closed(issuer, ann):
    through(issuer)
    User.objects.update(is_active=False)
    client, answer = through(issuer)
    assert answer.status_code == 403
    assert not is_in(client)


def test_nobody_links_their_identity_to_the_account_of_another(issuer, ann):
    bea = Client()
    bea.force_login(member("bea", "Administrator"))
    _, answer = through(issuer, bea, process="connect")
    assert answer.status_code == 403
    assert not SocialAccount.objects.filter(user__username="bea").exists()


def test_a_code_without_what_it_was_asked_with_is_worth_nothing(issuer, ann):
    client = Client()
    back = urlsplit(issuer.approve(client.post(AT).headers["Location"]))
    thief = Client()
    thief.post(AT)
    stolen = thief.get(f"{back.path}?{back.query}")
    assert not is_in(thief)
    assert stolen.status_code in {200, 302, 401}


RELEASE = f"/holds/{UUID(int=7)}/release/"


@pytest.fixture
def keeper(ann: User) -> User:
    ann.groups.set([Group.objects.get(name="Administrator")])
    ann.set_unusable_password()
    ann.save()
    return ann


def once_more(issuer, client: Client):
    """Prove it again through the issuer, as the page leads there; return where that ends."""
    asked = client.post(RELEASE).headers["Location"]
    assert asked.startswith("/accounts/again/elsewhere/")
    shown = client.get(asked).content.decode()
    (at,) = re.findall(r'action="([^"]+)"', shown[shown.index("<h1>") :])
    (next_,) = re.findall(r'name="next" value="([^"]+)"', shown)
    _, back = through(issuer, client, at=at, next=next_)
    assert (issuer.asked["prompt"], issuer.asked["max_age"]) == ("login", "0")
    return client.get(back.headers["Location"])


def test_whoever_may_not_do_it_is_not_even_asked(issuer, ann):
    issuer.since = None
    client, _ = through(issuer)
    assert client.post(RELEASE).status_code == 403


def test_whoever_has_no_password_proves_it_again_through_the_service(issuer, keeper):
    issuer.since = 60 * 29
    client, _ = through(issuer)
    assert issuer.asked["max_age"] == str(12 * 3600)  # so that it says when
    assert client.post(RELEASE).status_code == 404
    issuer.since = 60 * 31
    client, _ = through(issuer)
    assert is_in(client)
    assert once_more(issuer, client).status_code == 403
    issuer.since = 0
    assert once_more(issuer, client).headers["Location"] == "/home/"
    assert client.post(RELEASE).status_code == 404


@pytest.mark.parametrize("since", [None, 3600.0])
def test_a_service_that_lets_somebody_in_unasked_proves_nothing(issuer, keeper, since):
    issuer.since = since
    client, _ = through(issuer)
    told = once_more(issuer, client)
    assert "without saying that you signed in there just now" in told.content.decode()
    assert told.status_code == 403
    assert client.post(RELEASE).headers["Location"].startswith("/accounts/again/")


def test_a_second_factor_at_sign_in_proves_it_whatever_the_service_says(issuer, keeper):
    client, _ = through(issuer)
    secret = with_an_app(client)
    issuer.since = None
    client, asked = through(issuer)
    cache.clear()  # in which a code that was used counts as used
    client.post(asked.headers["Location"], {"code": code_now(secret)})
    assert client.post(RELEASE).status_code == 404


@pytest.mark.parametrize("said", [None, True, "1770000000", float("nan"), -1, [], {}])
def test_a_time_that_is_none_is_not_taken_for_one(said):
    assert vouched_at({"auth_time": said}, datetime.now(UTC)) == 0


def test_a_clock_of_the_service_that_is_fast_proves_nothing_of_the_future():
    now = datetime(2026, 3, 4, tzinfo=UTC)
    assert vouched_at({"auth_time": now.timestamp() + 500}, now) == now.timestamp()


@pytest.mark.parametrize("broken", ["/.well-known/openid-configuration", "/token", "/userinfo"])
def test_a_service_that_is_away_is_told_from_a_fault_of_ours(issuer, ann, broken):
    client = Client(raise_request_exception=False)
    if broken.startswith("/.well"):
        issuer.broken = {broken}
        answer = client.post(AT)
    else:
        back = urlsplit(issuer.approve(client.post(AT).headers["Location"]))
        issuer.broken = {broken}
        answer = client.get(f"{back.path}?{back.query}")
    assert answer.status_code == (401 if broken == "/token" else 503)
    assert "You could not be signed in" in answer.content.decode()


def test_a_service_that_cannot_be_reached_is_no_fault_of_ours(issuer, ann, settings):
    client = Client(raise_request_exception=False)
    back = urlsplit(issuer.approve(client.post(AT).headers["Location"]))
    settings.SOCIALACCOUNT_PROVIDERS = oidc(
        issuer="http://127.0.0.1:9", client=CLIENT, name="Away", secret=SECRET
    )
    for answer in (client.post(AT), client.get(f"{back.path}?{back.query}")):
        assert answer.status_code == 503
        assert "You could not be signed in" in answer.content.decode()


def test_whoever_has_no_password_is_asked_before_their_factors_change(issuer, ann):
    client, _ = through(issuer)
    ann.set_unusable_password()
    ann.save()
    client.force_login(ann)
    pages = [f"/accounts/second-factor/{page}" for page in ("totp/activate/", "webauthn/add/")]
    assert [client.get(page).status_code for page in pages] == [200, 200]
    session = client.session
    session[KEPT] = {**session[KEPT], "proved": 0}
    session.save()
    for page in pages:
        for answer in (client.get(page), client.post(page, {})):
            assert answer.headers["Location"].startswith("/accounts/again/elsewhere/")


def test_roles_that_a_token_claims_are_not_taken(issuer, ann):
    issuer.claims |= {"groups": ["Administrator"], "roles": ["Administrator"]}
    through(issuer)
    assert list(ann.groups.values_list("name", flat=True)) == ["Auditor"]
