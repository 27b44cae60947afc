"""Photograph pages on every screen, and note what is wrong with each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.sync_api import Error

from tests.functional.watching import SCREENS, Watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

NOT_THERE = 404
TALLEST = 30_000  # a picture of a longer page is cut there, in CSS pixels


@dataclass(frozen=True, kw_only=True)
class Address:
    """A page: what it is called in the pictures, and where it is."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A page, its pictures by screen, what is wrong with it, and how long it took to answer."""

    name: str
    path: str
    pictures: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    milliseconds: int = 0
    kilobytes: int = 0


class Camera:
    """Somebody who opens pages and photographs each on every screen."""

    def __init__(self, launched: Browser, site: str, folder: Path) -> None:
        self.watched = Watched(launched, site)
        self.folder = folder
        self.taken: list[Taken] = []

    def visit(self, address: Address, say: Callable[[str], None]) -> None:
        """Open a page and photograph it; a page that is not there is noted, not photographed."""
        page, site = self.watched.page, self.watched.site
        page.set_viewport_size(SCREENS[0].size)
        page.emulate_media(color_scheme="light")
        path = address.path.removeprefix(site)
        try:
            answered = page.goto(site + path)
        except Error:  # what is only posted to, and files
            answered = None
        if answered is None or answered.status == NOT_THERE:
            self.watched.complaints.clear()  # or they would be told of the next page
            self.taken.append(Taken(name=address.name, path=path, faults=["nothing to show"]))
            return
        timing = answered.request.timing
        self.shoot(
            address.name,
            milliseconds=round(timing["responseStart"] - timing["requestStart"]),
            kilobytes=len(answered.body()) // 1024,
        )
        say(address.name)

    def shoot(self, name: str, *, milliseconds: int = 0, kilobytes: int = 0) -> None:
        """Photograph the page that is open."""
        page, pictures, faults = self.watched.page, {}, []
        number = len(self.taken)
        for screen in SCREENS:
            page.set_viewport_size(screen.size)
            page.emulate_media(color_scheme=screen.scheme)
            if page.locator("canvas").count():  # drawn once, for the screen on which it was opened
                page.reload(wait_until="networkidle")
            file = f"{number:03d}-{_slug(name)}-{screen.name}.png"
            high = int(page.evaluate("document.documentElement.scrollHeight"))
            clip = {"x": 0, "y": 0, "width": screen.width, "height": min(high, TALLEST)}
            page.screenshot(path=self.folder / file, full_page=True, clip=clip)  # type: ignore[arg-type]
            pictures[screen.name] = file
            faults += [f"{screen.name}: {fault}" for fault in self.watched.faults()]
            self.watched.complaints.clear()
        path = page.url.removeprefix(self.watched.site)
        self.taken.append(
            Taken(
                name=name,
                path=path,
                pictures=pictures,
                faults=faults,
                milliseconds=milliseconds,
                kilobytes=kilobytes,
            )
        )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
