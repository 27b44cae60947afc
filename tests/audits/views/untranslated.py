"""Which sentences of the pages of staff nobody can translate: all others are put in brackets.

    python -m tests.audits.views.untranslated      is what translators run, page by page

Every sentence that passes a catalogue comes out as ⟦sentence⟧; two words in a row outside of such
brackets come from a template or a module that does not ask the catalogue, or are data.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.utils import translation

from tests.audits.views.staff_tour import every_page

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENT = {"code", "kbd", "pre", "script", "style", "textarea", "title", "svg", "noscript"}
VOID = {"meta", "link", "img", "input", "br", "hr", "source", "wbr", "col"}
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-label", "data-confirm")
WORDS = re.compile(r"[A-Za-z']{2,},? [A-Za-z']{2,}")
INNER = re.compile(r"⟦[^⟦⟧]*⟧")


class Page(HTMLParser):
    """The texts of a page, but for code, for what says its own language, and for what is marked
    with ``data-verbatim``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [given[name] or "" for name in SPOKEN if name in given]
        if tag in VOID:
            return
        self._open.append(tag)
        if self._silent or tag in SILENT or "data-verbatim" in given or _exempt(tag, given):
            self._silent += 1

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            closed = self._open.pop()
            self._silent = max(0, self._silent - 1)
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        self.texts.append("" if self._silent else data)


def _exempt(tag: str, given: dict[str, str | None]) -> bool:
    coded = {"digest", "brand"} & set((given.get("class") or "").split())
    return bool(coded) or (tag != "html" and "lang" in given)


@contextmanager
def in_brackets() -> Iterator[None]:
    """Let every catalogue answer a sentence in brackets."""

    def one(said: str) -> str:
        return f"⟦{said}⟧" if said else ""

    def many(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    def of_context(_: str, said: str) -> str:
        return one(said)

    found: Any = vars(translation)["_trans"]
    with (
        patch.object(found, "gettext", one),
        patch.object(found, "ngettext", many),
        patch.object(found, "pgettext", of_context),
    ):
        yield


def left_in(html: str) -> list[str]:
    """Return the texts of a page that hold two words outside of brackets."""
    page = Page()
    page.feed(html)
    # One sentence may hold a link or emphasis, so a bracket closes in a later text.
    outside = INNER.sub("|", "\n".join(" ".join(text.split()) for text in page.texts))
    while INNER.search(outside):
        outside = INNER.sub("|", outside)
    return [text for text in outside.split("\n") if WORDS.search(text)]


def found() -> dict[str, list[str]]:
    """Return what is left on each page of staff. Needs a database."""
    with in_brackets():
        pages = {
            path: answer.content.decode()
            for path, answer in every_page()
            if not answer.streaming and b"<main" in answer.content
        }
    return {path: left for path, html in pages.items() if (left := left_in(html))}
