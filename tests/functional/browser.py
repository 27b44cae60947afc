"""The pages, driven by headless Chromium where there is one, and by plain HTTP elsewhere."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from config.demo.visitor import Visitor, hidden_fields
from tests.functional import journeys
from tests.functional.watching import NARROW, WIDE, Watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser as Launched

    from tests.functional.installation import Installation

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Of the engineer and the auditor, whom the site does not make by itself.
PASSWORD = "a journey of a minute"
GROUND = {
    "ground-0-code": "ART_17_1_D",
    "ground-0-purpose": "Training",
    "ground-0-assessment": "There was no basis for it.",
}


def chromium() -> str | None:
    """Return the path of Chromium, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """What both ways of visiting can do."""

    @staticmethod
    @contextmanager
    def of(place: Installation) -> Iterator[ChromiumVisits | PlainVisits]:
        """Yield a browser for the site, Chromium if there is one."""
        path = chromium()
        if path is None:
            yield PlainVisits(place)
            return
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=path, args=QUIET)
            try:
                yield ChromiumVisits(place, launched)
            finally:
                launched.close()


class ChromiumVisits:
    """Five people with a browser each: wide and light, or narrow and dark, in turns."""

    def __init__(self, place: Installation, launched: Launched) -> None:
        self.place = place
        screens = {"person": NARROW, "officer": WIDE, "reviewer": NARROW, "auditor": WIDE}
        screens["engineer"] = NARROW
        self.people = {
            who: Watched(launched, place.site, screen) for who, screen in screens.items()
        }

    def ask_for_erasure(self, email: str) -> str:
        """Ask and confirm; return the link of the status page."""
        person = self.people["person"]
        return journeys.person_asks(person, email, self.place.letter).status

    def decide(self, case: dict[str, Any]) -> None:
        """Propose, approve as somebody else, and stay on the page of the case."""
        officer, reviewer = self.people["officer"], self.people["reviewer"]
        officer.sign_in(*self.place.login)
        reviewer.sign_in(*self.place.reviewer)
        journeys.officer_decides(officer, reviewer, case["reference"])
        journeys.officer_watches(officer)

    def see_the_end(self, status: str, case: dict[str, Any], folder: Path) -> None:
        """Let each of the four look at what was done."""
        journeys.officer_ends(self.people["officer"], folder)
        assert self.people["officer"].says("erased by construction")
        person = self.people["person"]
        asked = journeys.Asked(reference=case["reference"], status=status)
        journeys.person_reads(person, asked, folder)
        journeys.person_withdraws(person, "other8@example.org", self.place.letter)
        for who in ("engineer", "auditor"):
            self.people[who].sign_in(who, PASSWORD)
        journeys.engineer_looks(self.people["engineer"])
        auditor = self.people["auditor"]
        said = journeys.auditor_checks(auditor, case["reference"], case["key"], folder)
        assert "VERIFIED." in said, said


class PlainVisits:
    """The same without a browser."""

    def __init__(self, place: Installation) -> None:
        self.place, self.visitor = place, Visitor(place.site)

    def ask_for_erasure(self, email: str) -> str:
        """Ask and confirm; return the link of the status page."""
        self.visitor.ask(email)
        self.visitor.confirm(self.place.letter(email, r"http\S+/erasure/confirm/\S+/"))
        return self.place.letter(email, r"http\S+/erasure/status/\S+/")

    def sign_in(self, name: str, password: str) -> None:
        page = self.visitor._get("/accounts/login/?next=/cases/")
        fields = {**hidden_fields(page), "username": name, "password": password}
        self.visitor._post("/accounts/login/?next=/cases/", fields)

    def decide(self, case: dict[str, Any]) -> None:
        """Propose, and approve as somebody else."""
        self.sign_in(*self.place.login)
        path = f"/cases/{case['id']}/accept/"
        self.visitor._post(path, {**hidden_fields(self.visitor._get(path)), **GROUND})
        second = PlainVisits(self.place)
        second.sign_in(*self.place.reviewer)
        page = second.visitor._get(f"/cases/{case['id']}/")
        (path,) = re.findall(r'href="(/cases/[^"]+/approve/)"', page)
        second.visitor._post(path, hidden_fields(second.visitor._get(path)))

    def see_the_end(self, status: str, case: dict[str, Any], folder: Path) -> None:
        """Look at what was done."""
        assert "erased" in self.visitor._get(status.removeprefix(self.place.site)).lower()
        assert "retrain" in self.visitor._get(f"/cases/{case['id']}/").lower()
