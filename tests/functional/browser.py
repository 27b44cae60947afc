"""The pages, driven by headless Chromium where there is one, and by plain HTTP elsewhere."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.demo.visitor import Visitor, hidden_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, ViewportSize

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
GROUND = {
    "ground-0-code": "ART_17_1_D",
    "ground-0-purpose": "Training",
    "ground-0-assessment": "There was no basis for it.",
}
NARROW: ViewportSize = {"width": 390, "height": 844}


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
            yield PlainVisits(place.site)
            return
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=path, args=QUIET)
            try:
                yield ChromiumVisits(place.site, launched.new_page(viewport=NARROW))
            finally:
                launched.close()


class ChromiumVisits:
    """A person with a narrow screen."""

    def __init__(self, site: str, page: Page) -> None:
        self.site = site
        self.page = page
        self.complaints: list[str] = []
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def ask_for_erasure(self, email: str) -> None:
        self.page.goto(f"{self.site}/erasure/")
        self.check_page()
        main = self.page.get_by_role("main")
        main.get_by_role("link", name="Start").click()
        main.get_by_label("Erase my data").check()
        main.get_by_role("button").click()
        self.page.wait_for_url("**/erasure/email/")
        main.get_by_role("button").click()
        self.page.wait_for_load_state()
        assert self.page.title().startswith("Error:")
        self.complaints.clear()  # the browser notes the 400 of the form sent empty
        self.page.fill("input[name=email]", email)
        main.get_by_role("button").click()
        self.page.wait_for_url("**/erasure/check/")
        self.check_page()
        main.get_by_role("button").click()
        self.page.wait_for_url("**/erasure/received/**")
        self.check_page()

    def confirm(self, link: str) -> None:
        self.page.goto(link)
        self.check_page()
        self.page.get_by_role("main").get_by_role("button").click()
        self.page.wait_for_load_state()
        self.check_page()

    def sign_in(self, name: str, password: str) -> None:
        self.page.goto(f"{self.site}/cases/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.get_by_role("main").get_by_role("button").click()
        self.page.wait_for_url(f"{self.site}/cases/")  # not that of the form, which names it too
        self.check_page()

    def accept(self, case_id: str) -> None:
        self.page.goto(f"{self.site}/cases/{case_id}/accept/")
        self.check_page()
        self.page.select_option("[name=ground-0-code]", GROUND["ground-0-code"])
        for name in ("ground-0-purpose", "ground-0-assessment"):
            self.page.fill(f"[name={name}]", GROUND[name])
        self.page.get_by_role("main").get_by_role("button").last.click()
        self.page.wait_for_url(f"**/cases/{case_id}/")
        self.check_page()

    def approve(self, case_id: str, name: str, password: str) -> None:
        """Approve, as somebody else, what was proposed."""
        self.page.locator("summary", has_text="Menu").click()
        self.page.get_by_role("button", name="Sign out").click()
        self.page.wait_for_url(f"{self.site}/erasure/")
        self.sign_in(name, password)
        self.page.goto(f"{self.site}/cases/{case_id}/")
        self.check_page()
        self.page.locator("a[href$='/approve/']").first.click()
        self.check_page()
        self.page.get_by_role("main").get_by_role("button").last.click()
        self.page.wait_for_url(f"**/cases/{case_id}/")
        self.check_page()

    def see_the_end(self, status_link: str, case_id: str) -> None:
        self.page.goto(f"{self.site}/cases/{case_id}/")
        self.check_page()
        assert "ERASED_BY_CONSTRUCTION" in self.page.content().upper().replace(" ", "_")
        self.page.locator("main a[href*='/evidence/']").first.click()
        self.page.wait_for_url("**/evidence/**")
        self.check_page()
        self.page.goto(status_link)
        self.check_page()
        assert "erased" in self.page.inner_text("main").lower()

    def check_page(self) -> None:
        """Nothing sticks out at 390 pixels, and the browser has nothing to complain of."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{self.page.url} is {wide} pixels wide"
        assert self.complaints == [], f"{self.page.url}: {self.complaints}"


class PlainVisits:
    """The same without a browser."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.visitor = Visitor(site)

    def ask_for_erasure(self, email: str) -> None:
        self.visitor.ask(email)

    def confirm(self, link: str) -> None:
        self.visitor.confirm(link)

    def sign_in(self, name: str, password: str) -> None:
        page = self.visitor._get("/accounts/login/?next=/cases/")
        fields = {**hidden_fields(page), "username": name, "password": password}
        self.visitor._post("/accounts/login/?next=/cases/", fields)

    def accept(self, case_id: str) -> None:
        path = f"/cases/{case_id}/accept/"
        fields = {**hidden_fields(self.visitor._get(path)), **GROUND}
        self.visitor._post(path, fields)

    def approve(self, case_id: str, name: str, password: str) -> None:
        """Approve, as somebody else, what was proposed."""
        second = PlainVisits(self.site)
        second.sign_in(name, password)
        page = second.visitor._get(f"/cases/{case_id}/")
        (path,) = re.findall(r'href="(/cases/[^"]+/approve/)"', page)
        second.visitor._post(path, hidden_fields(second.visitor._get(path)))

    def see_the_end(self, status_link: str, case_id: str) -> None:
        assert "erased" in self.visitor._get(status_link.removeprefix(self.site)).lower()
        assert "retrain" in self.visitor._get(f"/cases/{case_id}/").lower()
