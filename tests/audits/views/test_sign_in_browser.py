"""The pages of an account in headless Chromium, with an authenticator that it pretends to have."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from audits.queries.sign_in import KEPT
from tests.audits.views.test_views_public_browser import NARROWEST, RULES, SITE, WIDE, Looked
from tests.audits.world import member
from tests.functional.browser import QUIET, chromium

if TYPE_CHECKING:
    from collections.abc import Callable

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

    client: Client
    calls: SimpleQueue[Any]

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
        call = getattr(self.client, asked.method.lower())
        answer = self.at_the_site(lambda: call(**sent))
        return route.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=answer.content
        )

    def see(self, address: str = "") -> list[str]:
        """Return what axe finds on a page, and whether it is too wide for a telephone."""
        if address:
            self.page.goto(address)
        self.page.wait_for_load_state("networkidle")  # its style sheets are here
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        found = self._axe({"type": "tag", "values": RULES})
        self.page.set_viewport_size({"width": NARROWEST, "height": 640})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        return [*found, *([f"{wide} pixels wide"] if wide > NARROWEST else [])]

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).click()

    def at_the_site(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Call something where the database is; see ``browsing``."""
        answer: Future[Any] = Future()
        self.calls.put((call, answer))
        return answer.result()


def browsing(client: Client) -> list[str]:
    """Let a browser look in a thread of its own while the site answers in this one.

    Django gives another connection to whoever has an event loop, and a browser has one.
    """
    calls: SimpleQueue[Any] = SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(_browse, client, calls)
        done.add_done_callback(lambda _: calls.put(None))
        for call, answer in iter(calls.get, None):
            try:
                answer.set_result(call())
            except Exception as error:  # noqa: BLE001  (for whoever asked)
                answer.set_exception(error)
        return done.result()


def _browse(client: Client, calls: SimpleQueue[Any]) -> list[str]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            visited = Visited(launched.new_page())
            visited.client, visited.calls = client, calls
            devices = visited.page.context.new_cdp_session(visited.page)
            devices.send("WebAuthn.enable")
            devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
            faults = _made(visited) + _used(visited)
            return faults + visited.complaints + visited.elsewhere
        finally:
            launched.close()


def _made(visited: Visited) -> list[str]:
    faults = visited.see(FACTOR) + visited.see(f"{ACCOUNT}sessions/")
    faults += visited.see(f"{FACTOR}totp/activate/") + visited.see(f"{FACTOR}webauthn/add/")
    visited.page.get_by_label("Name").fill("laptop")
    visited.press("Add the passkey")
    assert len(re.findall(r"\b\d{8}\b", visited.page.inner_text("main"))) == 10
    faults += visited.see() + visited.see(f"{FACTOR}webauthn/")
    rename = visited.page.get_by_role("link", name="Rename").get_attribute("href") or ""
    faults += visited.see(SITE[:-1] + rename)
    return faults + visited.see(SITE[:-1] + rename.replace("edit", "remove"))


def _used(visited: Visited) -> list[str]:
    client = visited.client
    visited.at_the_site(client.logout)
    faults = visited.see(f"{ACCOUNT}login/")
    visited.press("Sign in with a passkey")
    at: dict[str, Any] = {"secure": True, "HTTP_HOST": "expunge.test"}
    assert visited.at_the_site(lambda: client.get("/log/", **at)).status_code == 200

    visited.at_the_site(lambda: _forget(client))
    faults += visited.see(f"{ACCOUNT}again/?next=/log/")
    visited.page.get_by_role("link", name="With a passkey").click()
    faults += visited.see()
    visited.press("Use a passkey")
    assert visited.at_the_site(lambda: client.session[KEPT])["proved"] > 0
    return faults


def _forget(client: Client) -> None:
    """Let it be long ago that somebody proved who they are."""
    session = client.session
    session[KEPT] = {**session[KEPT], "proved": 0}
    session.save()


def test_a_passkey_is_made_opens_the_account_and_proves_it_again(settings, monkeypatch):
    settings.ALLOWED_HOSTS = ["expunge.test"]
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, **_: call())
    client = Client()
    client.force_login(member("ann", "Administrator"))
    assert browsing(client) == []
