"""The drawing in headless Chromium: nothing is refused by the policy, and the table follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.functional.browser import QUIET, chromium
from tests.functional.watching import NARROW
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not on PATH"),
]
SITE = "https://expunge.test"  # answered from memory
STATIC = Path(__file__).resolve().parents[2] / "static"


@pytest.fixture
def answers(now, settings, tmp_path):
    """What the site answers: a graph, the same with its data set opened, and both as JSON."""
    settings.STATIC_ROOT = tmp_path
    faces = filled("faces", 3, now)
    taken = [snapshot(faces, now, range(at + 1)) for at in range(3)]
    model = trained("m", now, *(data(one) for one in taken))
    trained("blind", now, base(model), capture_level="NONE")
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    found = {}
    for query in (f"version={model.pk}", f"version={model.pk}&open=family:{faces.pk}"):
        for path in (f"/models/graph/?{query}", f"/models/graph/graph.json?{query}"):
            answer = client.get(path)
            assert answer.status_code == 200
            found[SITE + path] = (dict(answer.headers), answer.content)
    return found


@pytest.fixture
def page(answers):
    from playwright.sync_api import sync_playwright

    def answer(route):
        url = route.request.url
        if url in answers:
            headers, body = answers[url]
            return route.fulfill(status=200, headers=headers, body=body)
        return route.fulfill(path=STATIC / url.removeprefix(f"{SITE}/static/"))

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        opened = browser.new_page(viewport=NARROW.size)
        opened.route("**/*", answer)
        yield opened
        browser.close()


def test_the_drawing_opens_groups_follows_the_table_and_breaks_no_policy(page, answers):
    from axe_playwright_python.sync_playwright import Axe

    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(next(iter(answers)))
    page.wait_for_selector("#drawn[data-ready='3']")
    assert page.locator(".canvas canvas").count() > 0
    assert not page.locator(".paper").is_visible()
    page.get_by_role("link", name="Open its snapshots").click()
    page.wait_for_selector("#drawn[data-ready='5']")
    assert "open=family:" in page.url
    page.get_by_role("link", name="blind v1", exact=True).focus()
    assert page.locator("tr.current").inner_text().startswith("blind v1")
    assert page.locator(".told").inner_text() == "blind v1: not captured"
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW.width
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    assert complaints == []
