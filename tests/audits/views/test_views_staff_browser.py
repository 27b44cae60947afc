"""The pages of staff in headless Chromium: axe finds nothing, and nothing sticks out."""

from __future__ import annotations

import pytest

from tests.audits.views.staff_tour import every_page
from tests.audits.views.test_views_public_browser import NARROW, RULES, SEEN, Looked
from tests.functional.browser import QUIET, chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
# What has nothing to show in the seeded cases, and says so on a page.
LOST = (
    "report.json",
    "report.person.en.pdf",
    "report.pdf",
    "report.manifest.json",
    "bundle.zip",
    "dose.svg",
    "dose.csv",
    "pictures/timeline.svg",
    "/404",
)
NARROWLY = (
    *("/cases/", "/places/", "/holds/new/", "/letters/?publish", "/404", "/evidence/"),
    *("/home/", "/queues/", "/log/"),
)
STYLED = (b"expunge/home.css", b"expunge/case.css")  # with a style sheet of their own


def test_L6_axe_finds_nothing_on_any_page_of_staff():
    from playwright.sync_api import sync_playwright

    pages = {
        path: response
        for path, response in every_page()
        if not response.streaming and b"<main" in response.content
    }
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            looked = Looked(launched.new_page())
            found = {path: _faults(looked, path, answer) for path, answer in pages.items()}
        finally:
            launched.close()
    assert {path: faults for path, faults in found.items() if faults} == {}
    lost = {path for path, answer in pages.items() if answer.status_code == 404}
    shown = {path for path in lost if not path.startswith("/supplier/")}  # a file of its own
    assert [path for path in shown if not path.endswith(LOST)] == []
    assert [path for path in lost if b'aria-label="Main"' not in pages[path].content] == []
    assert len(pages) > 60


def _faults(looked: Looked, path: str, answer) -> list[str]:
    """Look at a page; it takes the place of the one before, as the head of most is the same."""
    if looked.answers and not any(sheet in answer.content for sheet in STYLED):
        looked.turn(answer)
    else:
        looked.open(path.lstrip("/"), answer)
    faults = looked._axe({"type": "tag", "values": RULES})
    looked.page.set_viewport_size({"width": NARROW, "height": 844})
    if path in NARROWLY:
        looked.page.emulate_media(color_scheme="dark")
        faults += looked._axe({"type": "rule", "values": SEEN})
        looked.page.emulate_media(color_scheme="light")
    wide = looked.page.evaluate("document.documentElement.scrollWidth")
    return [*faults, *([f"{wide} pixels wide at {NARROW}"] if wide > NARROW else [])]
