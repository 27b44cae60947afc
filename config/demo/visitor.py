"""A visitor with a browser's patience: opens the real form over HTTP, posts it, follows links."""

from __future__ import annotations

import re
import time
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
NAME, VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')


class LinkNotFound(Exception):
    """The confirmation letter did not arrive."""


class Visitor:
    """One person at the public pages of a running site."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open

    def ask(self, email: str) -> None:
        """Ask for an erasure: the page with the address, then the one that shows the answers."""
        page = self._get("/erasure/erase/")
        # The form refuses what no person could have typed so quickly.
        time.sleep(settings.EXPUNGE_FORM_MIN_SECONDS + 0.5)
        answers = self._post("/erasure/email/", {**hidden_fields(page), "email": email})
        self._post("/erasure/check/", hidden_fields(answers))

    def confirm(self, link: str) -> None:
        """Open the link of the letter and press its button."""
        path = link.removeprefix(self._site)
        self._post(path, hidden_fields(self._get(path)))

    def _get(self, path: str) -> str:
        with self._open(self._site + path, timeout=30) as response:
            return str(response.read().decode())

    def _post(self, path: str, fields: dict[str, str]) -> str:
        request = Request(  # noqa: S310  (our own address)
            self._site + path,
            data=urlencode(fields).encode(),
            headers={"Referer": self._site + path, "Origin": self._site},
        )
        with self._open(request, timeout=30) as response:
            return str(response.read().decode())


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the forms on a page."""
    fields = {}
    for tag in HIDDEN.findall(page):
        name, value = NAME.search(tag), VALUE.search(tag)
        if name:
            fields[name.group(1)] = value.group(1) if value else ""
    return fields


def confirmation_link(folder: Path, *, since: float, email: str) -> str:
    """Return the confirmation link of the newest letter to an address.

    Raises:
        LinkNotFound: no such letter was written since then.
    """
    letters = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    for letter in letters:
        text = letter.read_text().replace("=\n", "")
        if letter.stat().st_mtime < since or f"To: {email}" not in text:
            continue
        link = re.search(r"http\S+/erasure/confirm/\S+/", text)
        if link:
            return link.group(0)
    raise LinkNotFound(f"No confirmation letter to {email} is in {folder}.")
