"""Cells of a table that a spreadsheet reads as they are written."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(text: str) -> str:
    """Return the text, with an apostrophe before what a spreadsheet would compute (OWASP)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
