"""Cells of a table that a spreadsheet reads as they are written."""

from __future__ import annotations

# The wide forms are those of Chinese, Japanese and Korean spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def plain_cell(text: str) -> str:
    """Return the text, with an apostrophe before what a spreadsheet would compute (OWASP).

    Blanks before it are looked past, as spreadsheets drop them.
    """
    formula = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if formula else text
