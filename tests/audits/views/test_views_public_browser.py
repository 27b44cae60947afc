"""The public pages in headless Chromium: axe finds nothing, and nothing sticks out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.audits.views.public_tour import every_page
from tests.functional.browser import QUIET, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
SITE = "https://expunge.test/"  # a secure context, answered from memory
STATIC = Path(__file__).resolve().parents[3] / "static"
WIDE, NARROW, NARROWEST = 1280, 390, 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What a colour scheme or a width can change; the rest was looked at once.
SEEN = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]
WRITTEN = "en"  # the other languages differ in words, which have the same colours
TURN = """text => {
  const read = new DOMParser().parseFromString(text, "text/html");
  document.title = read.title;
  document.body.replaceWith(document.adoptNode(read.body));
}"""


class Looked:
    """A page as it was answered, in a browser that has no network."""

    def __init__(self, page: Page) -> None:
        from axe_playwright_python.sync_playwright import Axe

        self.page = page
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        page.add_init_script(Axe().axe_script)
        page.route("**/*", self._answer)
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # The browser notes every page that is not answered with 200.
        if (
            kind in ("error", "warning")
            and "status of 4" not in text
            and "status of 5" not in text
        ):
            self.complaints.append(text)

    def _answer(self, route: Route) -> None:
        url = route.request.url
        if url in self.answers:
            status, headers, body = self.answers[url]
            return route.fulfill(status=status, headers=headers, body=body)
        if url.startswith(f"{SITE}static/"):
            return route.fulfill(path=STATIC / url.removeprefix(f"{SITE}static/"))
        self.elsewhere.append(url)
        return route.abort()

    def open(self, name: str, response) -> None:
        url = f"{SITE}{name.replace(' ', '-')}"
        self.answers[url] = (response.status_code, dict(response.headers), response.content)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        self.page.goto(url)

    def turn(self, response) -> None:
        """Let a page take the place of the one before, whose head is the same."""
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        self.page.evaluate(TURN, response.content.decode())

    def faults(self, language: str = WRITTEN) -> list[str]:
        """Look at the page in full, then at what a dark scheme and a narrow screen change.

        Words change names, labels and how much room there is, so the first look at a translation
        leaves out colours, and the second is at the width alone.
        """
        if language == WRITTEN:
            found = self._axe({"type": "tag", "values": RULES})
            self.page.emulate_media(color_scheme="dark")
            self.page.set_viewport_size({"width": NARROW, "height": 844})
            found += self._axe({"type": "rule", "values": SEEN})
        else:
            found = self._axe({"type": "tag", "values": RULES}, without=["color-contrast"])
        self.page.set_viewport_size({"width": NARROWEST, "height": 640})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        return [*found, *([f"{wide} pixels wide at {NARROWEST}"] if wide > NARROWEST else [])]

    def _axe(self, only, without=()) -> list[str]:
        left_out = {rule: {"enabled": False} for rule in without}
        options = {
            "resultTypes": ["violations"],
            "runOnly": only,
            "rules": left_out,
            "preload": False,
        }
        result = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{fault['id']}: {node['html']}"
            for fault in result["violations"]
            for node in fault["nodes"]
        ]


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_L6_axe_finds_nothing_on_any_public_page(language, settings):
    from playwright.sync_api import sync_playwright

    pages = list(every_page(language, settings))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            looked = Looked(launched.new_page())
            faults: dict[str, list[str]] = {}
            for name, response in pages:
                if language == WRITTEN or not faults:
                    looked.open(name, response)
                else:
                    looked.turn(response)
                faults[name] = looked.faults(language)
        finally:
            launched.close()
    assert {name: found for name, found in faults.items() if found} == {}
    assert looked.complaints == []
    assert looked.elsewhere == []
    assert {response.headers["Content-Language"] for _, response in pages} == {language}
