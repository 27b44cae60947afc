"""A method's docstring read as the entry of an encyclopaedia, by its sections."""

from __future__ import annotations

import re

SECTIONS = (
    "Assumption",
    "Update",
    "Reference",
    "Cost",
    "Known failure",
    "When",
    "Not",
)
HEADING = re.compile(r"^\*\*([A-Z][a-z ]+)\.\*\*\s+", re.MULTILINE)


def opening(text: str) -> str:
    """Return what stands before the first section, in one line: what the method does."""
    return one_line(HEADING.split(text)[0])


def sections(text: str) -> dict[str, str]:
    """Return each section by its heading, without it, as it is written."""
    parts = HEADING.split(text)[1:]
    return {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def one_line(text: str) -> str:
    """Return a text with its line breaks, and double backquotes, undone."""
    return " ".join(text.replace("``", "`").split())
