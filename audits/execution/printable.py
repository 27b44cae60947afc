"""Text that the fonts of reports and plots can show; everything else is spelled out.

A character without a glyph stops the making of a PDF/A, and an invisible one (a mark that turns
the writing direction, a soft hyphen) could make a reader see another text than the one signed.
"""

from __future__ import annotations

from typing import Any

# Checked glyph by glyph in the tests: Latin, Greek, Cyrillic, punctuation, arrows, operators.
_SHOWN = (
    (0x20, 0x7E),
    (0xA1, 0x24F),
    (0x384, 0x4FF),
    (0x2010, 0x2027),
    (0x20AC, 0x20AC),
    (0x2190, 0x22FF),
)


def printable(text: str) -> str:
    """Return the text with every other character as its code point, such as ``[U+6A21]``."""
    return "".join(letter if _is_shown(letter) else f"[U+{ord(letter):04X}]" for letter in text)


def printable_lines(text: str) -> str:
    """Return a text of several lines, made printable line by line."""
    return "\n".join(printable(line) for line in text.split("\n"))


def printable_values(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value with all text in it made printable, line by line."""
    match value:
        case str():
            return printable_lines(value)
        case list() | tuple():
            return [printable_values(item) for item in value]
        case dict():
            return {name: printable_values(item) for name, item in value.items()}
        case _:
            return value


def _is_shown(letter: str) -> bool:
    point = ord(letter)
    return letter.isprintable() and any(low <= point <= high for low, high in _SHOWN)
