"""Members of staff at the real pages, over HTTP."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import httpx

from config.demo.visitor import hidden_fields

MESSAGE = re.compile(r"<[^>]+>")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A page: its status, its address, and its text without marks."""

    status: int
    path: str
    source: str

    @property
    def text(self) -> str:
        """What a reader sees, in one line."""
        return " ".join(html.unescape(MESSAGE.sub(" ", self.source)).split())

    def says(self, words: str) -> bool:
        """Return whether the page has these words."""
        return words.casefold() in self.text.casefold()


class Desk:
    """One member of staff, signed in."""

    def __init__(self, site: str, *, name: str, password: str) -> None:
        self._site = site
        self._client = httpx.Client(base_url=site, follow_redirects=True, timeout=60)
        self.post("/accounts/login/", {"username": name, "password": password}, at="/cases/")

    def get(self, path: str) -> Shown:
        """Open a page."""
        return _shown(self._client.get(path))

    def post(self, path: str, fields: dict[str, str], *, at: str = "") -> Shown:
        """Send the form of a page; ``at`` is the page that shows it, if another."""
        page = self.get(at or path)
        sent = {**hidden_fields(page.source), **fields}
        headers = {"Referer": self._site + (at or path), "Origin": self._site}
        return _shown(self._client.post(path, data=sent, headers=headers))


def _shown(response: httpx.Response) -> Shown:
    return Shown(status=response.status_code, path=response.url.path, source=response.text)
