"""Ordinals as people type them: ``3,7,10-19``."""

from __future__ import annotations

import re

from pyroaring import BitMap

from lineage.core.bitmaps import HIGHEST_ORDINAL
from lineage.core.worded import worded

_PART = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")


class OrdinalsUnreadable(ValueError):
    """The text is not a list of ordinals."""


def parse(text: str) -> BitMap:
    """Return the ordinals of a list of numbers and ranges.

    Raises:
        OrdinalsUnreadable: naming the part that is wrong.
    """
    found = BitMap()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= HIGHEST_ORDINAL:
            raise OrdinalsUnreadable(
                worded(
                    "The ordinals contain %(part)s; allowed are numbers and ranges to "
                    "%(highest)s, such as 3,7,10-19.",
                    part=repr(part.strip()[:30]),
                    highest=HIGHEST_ORDINAL,
                )
            )
        found |= BitMap(range(first, last + 1))
    return found
