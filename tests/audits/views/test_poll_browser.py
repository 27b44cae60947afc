"""A page that renews itself keeps what somebody types in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.browser import QUIET, chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
SCRIPT = Path(__file__).parents[3] / "static/expunge/poll.js"
SITE = "https://expunge.test"
PAGE = """<!doctype html><title>Case</title><p id="live"></p>
<p id="stale" hidden>This page is out of date.</p><textarea></textarea>
<div data-poll="/progress/" data-every="0.05" data-state="working"></div>
<script src="/poll.js"></script>"""
ANSWERS = {
    "/case/": ("text/html", PAGE),
    "/progress/": ("text/html", '<div data-state="STATE" data-phase="At work"></div>'),
    "/poll.js": ("text/javascript", SCRIPT.read_text()),
}


def test_a_page_is_not_loaded_again_over_what_is_typed():
    from playwright.sync_api import sync_playwright

    asked, state = [], "working"

    def answer(route):
        asked.append(route.request.url.removeprefix(SITE))
        kind, body = ANSWERS[asked[-1]]
        route.fulfill(content_type=kind, body=body.replace("STATE", state))

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            page = launched.new_page()
            page.route("**/*", answer)
            page.goto(f"{SITE}/case/")
            page.locator("textarea").fill("because the person said so")
            state = "FAILED:0:0:0"
            page.locator("#stale").wait_for(state="visible")
            for _ in range(3):
                with page.expect_response("**/progress/"):
                    pass
            assert page.locator("textarea").input_value() == "because the person said so"
            assert page.locator("#live").text_content() == "This page is out of date."
            assert asked.count("/case/") == 1
            with page.expect_request("**/case/"):  # nothing is lost any more
                page.locator("textarea").fill("")
        finally:
            launched.close()
