"""What a journey must fail of: each fault, on a page made to have it, is noted."""

from __future__ import annotations

import pytest

from tests.functional.browser import QUIET, chromium
from tests.functional.watching import NARROW, Watched
from tests.screenshots.camera import Taken
from tests.screenshots.sheet import write_sheet

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
SITE = "https://expunge.test"
POLICY = {"Content-Security-Policy": "default-src 'self'; script-src 'self'"}
PAGES = {
    "/fine/": "<main><h1>Fine</h1></main>",
    "/script/": "<main><script>alert(1)</script></main>",
    "/elsewhere/": "<main><img src='https://other.test/x.png' alt=''></main>",
    "/missing/": "<main><img src='/none.png' alt=''></main>",
    "/wide/": "<main><table width='900'><tr><td>wide</table></main>",
}
SAID = {
    "/script/": "the policy forbids script-src-elem: inline",
    "/elsewhere/": "the policy forbids img-src: https://other.test/x.png",
    "/missing/": "answered with 404",
    "/wide/": "pixels wide",
}


def _answer(route):
    path = route.request.url.removeprefix(SITE)
    body = PAGES.get(path)
    head = "<!doctype html><meta name=viewport content='width=device-width'>"
    route.fulfill(
        status=200 if body else 404,
        content_type="text/html",
        headers=POLICY,
        body=head + (body or ""),
    )


def test_each_fault_of_a_page_is_noted_and_a_page_without_any_is_let_pass():
    from playwright.sync_api import sync_playwright

    found = {}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            watched = Watched(launched, SITE, NARROW)
            watched.page.route("**/*", _answer)
            for path in PAGES:
                watched.page.goto(f"{SITE}{path}", wait_until="networkidle")
                found[path] = watched.faults()
                watched.complaints.clear()
        finally:
            launched.close()
    assert found["/fine/"] == []
    for path, words in SAID.items():
        assert any(words in fault for fault in found[path]), found


def test_the_sheet_shows_every_picture_and_names_what_had_nothing_to_show(tmp_path):
    shown = Taken(name="home <1>", path="/home/", pictures={"390-dark": "a.png"}, faults=["bad"])
    page = write_sheet(tmp_path, [shown, Taken(name="take over", path="/x/")]).read_text()
    assert 'src="a.png"' in page
    assert "home &lt;1&gt;" in page
    assert '<p class="bad">bad</p>' in page
    assert "Nothing to show: take over." in page
