"""A page of the real site in Chromium, and whatever there is to complain of about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        Page,
        Request,
        Response,
        ViewportSize,
    )

HERE = ("data:", "blob:", "about:")
BROKEN = 500
REFUSED = 400
# What the policy forbids is told to the page alone.
LISTEN = """addEventListener("securitypolicyviolation", event =>
  console.error(`the policy forbids ${event.violatedDirective}: ${event.blockedURI}`));"""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """How wide the screen is, in CSS pixels, and whether its owner likes it dark."""

    width: int
    dark: bool

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}"

    @property
    def scheme(self) -> Literal["dark", "light"]:
        return "dark" if self.dark else "light"

    @property
    def size(self) -> ViewportSize:
        return {"width": self.width, "height": 900 if self.width > NARROW.width else 844}


NARROW = Screen(width=390, dark=True)
WIDE = Screen(width=1280, dark=False)
SCREENS = (WIDE, Screen(width=1280, dark=True), Screen(width=390, dark=False), NARROW)


class Watched:
    """Somebody with a browser of their own; every fault of every page is noted.

    Faults are errors on the console, scripts that throw, what the Content-Security-Policy
    forbids, requests that fail or leave the site, and pages wider than the screen.
    """

    def __init__(self, launched: Browser, site: str, screen: Screen = WIDE) -> None:
        context = launched.new_context(viewport=screen.size, color_scheme=screen.scheme)
        context.set_default_timeout(60_000)
        self.site, self.screen, self.page = site, screen, context.new_page()
        self.complaints: list[str] = []
        self.page.add_init_script(LISTEN)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def close(self) -> None:
        self.page.context.close()

    def goto(self, path: str) -> Page:
        """Open a page of the site and look at it."""
        self.page.goto(path if path.startswith("http") else f"{self.site}{path}")
        self.look()
        return self.page

    def press(self, name: str) -> None:
        """Press a button of the page, and look at the page that follows."""
        self.page.get_by_role("main").get_by_role("button", name=name).first.click()
        self.page.wait_for_load_state()
        self.look()

    def follow(self, name: str) -> None:
        """Follow a link of the page."""
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()
        self.page.wait_for_load_state()
        self.look()

    def sign_in(self, name: str, password: str) -> None:
        """Sign in, and come to the page of home."""
        self.page.goto(f"{self.site}/home/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.get_by_role("main").get_by_role("button").first.click()
        self.page.wait_for_url(f"{self.site}/home/")
        self.look()

    def look(self) -> None:
        """Fail with whatever there is to complain of by now."""
        assert self.faults() == [], f"{self.page.url} at {self.screen.name}: {self.faults()}"

    def faults(self) -> list[str]:
        """Return what was noted, and how wide the page is where it is wider than the screen."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        size = self.page.viewport_size
        too_wide = size is not None and wide > size["width"]
        return [*self.complaints, *([f"{wide} pixels wide"] if too_wide else [])]

    def says(self, words: str) -> bool:
        """Return whether the page has these words."""
        return words.casefold() in self.page.get_by_role("main").inner_text().casefold()

    def _note(self, fault: str) -> None:
        self.complaints.append(fault)

    def _said(self, said: ConsoleMessage) -> None:
        # A page that is not answered with 200 is noted by what was answered.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self._note(f"console: {said.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site}/", *HERE)):
            self._note(f"external request: {request.url}")

    def _failed(self, request: Request) -> None:
        # Whoever goes on to another page ends what the last one was asking for.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self._note(f"failed request: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        least = BROKEN if response.request.is_navigation_request() else REFUSED
        if response.status >= least:
            self._note(f"answered with {response.status}: {response.url}")
