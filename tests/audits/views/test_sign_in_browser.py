"""The pages of an account in headless Chromium, with an authenticator that it pretends to have."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from audits.queries.sign_in import KEPT
from tests.audits.views.test_views_public_browser import NARROWEST, RULES, SITE, WIDE, Looked
from tests.audits.world import member
from tests.functional.browser import QUIET, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Route

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
ACCOUNT = f"{SITE}accounts/"
FACTOR = f"{ACCOUNT}second-factor/"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


class Visited(Looked):
    """Pages that the site answers while they are asked for."""

    client = Client()

    def _answer(self, route: Route) -> None:
        asked = route.request
        if asked.url.startswith(f"{SITE}static/") or not asked.url.startswith(SITE):
            return super()._answer(route)
        sent: dict[str, Any] = {
            "path": asked.url.removeprefix(SITE[:-1]),
            "HTTP_ACCEPT": asked.headers.get("accept", ""),
            "secure": True,
            "follow": True,
            "HTTP_HOST": "expunge.test",
        }
        if asked.method == "POST":
            sent |= {"data": asked.post_data or "", "content_type": asked.headers["content-type"]}
        answer = getattr(self.client, asked.method.lower())(**sent)
        return route.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=answer.content
        )

    def see(self, address: str = "") -> list[str]:
        """Return what axe finds on a page, and whether it is too wide for a telephone."""
        if address:
            self.page.goto(address)
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        found = self._axe({"type": "tag", "values": RULES})
        self.page.set_viewport_size({"width": NARROWEST, "height": 640})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        return [*found, *([f"{wide} pixels wide"] if wide > NARROWEST else [])]

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).click()


@pytest.fixture
def visited(settings, monkeypatch):
    from playwright.sync_api import sync_playwright

    settings.ALLOWED_HOSTS = ["expunge.test"]
    settings.CSRF_TRUSTED_ORIGINS = [SITE[:-1]]
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # all in this one thread
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, **_: call())
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            found = Visited(launched.new_page())
            devices = found.page.context.new_cdp_session(found.page)
            devices.send("WebAuthn.enable")
            devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
            yield found
        finally:
            launched.close()


def test_a_passkey_is_made_opens_the_account_and_proves_it_again(visited):
    ann = member("ann", "Administrator")
    visited.client.force_login(ann)
    faults = visited.see(FACTOR) + visited.see(f"{ACCOUNT}sessions/")
    faults += visited.see(f"{FACTOR}totp/activate/") + visited.see(f"{FACTOR}webauthn/add/")
    visited.page.get_by_label("Name").fill("laptop")
    visited.press("Add the passkey")
    assert len(re.findall(r"\b\d{8}\b", visited.page.inner_text("main"))) == 10
    faults += visited.see() + visited.see(f"{FACTOR}webauthn/")
    (key,) = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN)
    faults += visited.see(f"{FACTOR}webauthn/keys/{key.pk}/edit/")
    faults += visited.see(f"{FACTOR}webauthn/keys/{key.pk}/remove/")

    visited.client.logout()
    faults += visited.see(f"{ACCOUNT}login/")
    visited.press("Sign in with a passkey")
    assert visited.client.get("/log/", secure=True, HTTP_HOST="expunge.test").status_code == 200

    session = visited.client.session
    session[KEPT] = {
        **session[KEPT],
        "proved": session[KEPT]["proved"] - timedelta(1).total_seconds(),
    }
    session.save()
    faults += visited.see(f"{ACCOUNT}again/") + visited.see(f"{FACTOR}webauthn/reauthenticate/")
    visited.press("Use a passkey")
    assert visited.client.session[KEPT]["proved"] > session[KEPT]["proved"]

    assert faults == []
    assert visited.complaints == []
    assert visited.elsewhere == []
