"""The words of a picture: a title and a description that a screen reader says in its place."""

from __future__ import annotations

import re
from html import escape, unescape

_ROOT = re.compile(r"<svg\b[^>]*>")
_TITLE = re.compile(r"<title>.*?</title>\s*", re.DOTALL)
_DESCRIPTION = re.compile(r"<desc\b[^>]*>(.*?)</desc>", re.DOTALL)


class NotAPicture(ValueError):
    """The bytes are not an SVG file."""


def described(svg: str, *, title: str, description: str) -> str:
    """Return the picture with these words as its first elements and as its accessible name.

    Raises:
        NotAPicture: there is no ``svg`` element.
    """
    root = _ROOT.search(svg)
    if root is None:
        raise NotAPicture("The text holds no svg element.")
    named = f'{root[0][:-1]} role="img" aria-labelledby="title desc">'
    words = (
        f'\n <title id="title">{escape(title)}</title>\n'
        f' <desc id="desc">{escape(description)}</desc>'
    )
    rest = _TITLE.sub("", svg[root.end() :], count=1)
    return f"{svg[: root.start()]}{named}{words}{rest}"


def description_of(svg: bytes) -> str:
    """Return the description inside a picture, empty where there is none."""
    found = _DESCRIPTION.search(svg.decode(errors="replace"))
    return unescape(found[1]) if found else ""
