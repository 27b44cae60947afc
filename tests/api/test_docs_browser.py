"""The page of the documentation works in a browser under the policy of every page, offline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.functional.browser import QUIET, chromium

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
SITE = "https://expunge.test"  # answered from memory
STATIC = Path(str(find_spec("ninja").origin)).parent / "static"  # type: ignore[union-attr]
PAGES = ("/api/v1/docs", "/api/v1/openapi.json")


def test_the_documentation_is_drawn_and_breaks_no_policy(client):
    from playwright.sync_api import sync_playwright

    answers = {SITE + path: client.get(path) for path in PAGES}
    assert all(answer.status_code == 200 for answer in answers.values())
    complaints, elsewhere = [], []

    def answer(route):
        url = route.request.url
        if found := answers.get(url):
            headers = dict(found.headers)
            return route.fulfill(status=200, headers=headers, body=found.content)
        if url.startswith(f"{SITE}/static/"):
            return route.fulfill(path=STATIC / url.removeprefix(f"{SITE}/static/"))
        elsewhere.append(url)
        return route.abort()

    def hear(said):
        if said.type == "error":
            complaints.append(said.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        page = browser.new_page()
        page.route("**/*", answer)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(SITE + PAGES[0])
        page.locator("#operations-versions-why_version").click()
        page.wait_for_selector("#operations-versions-why_version .opblock-body")
        told = page.locator("#operations-versions-why_version").inner_text()
        browser.close()
    assert "Scope: lineage:read" in told
    assert (complaints, elsewhere) == ([], [])
