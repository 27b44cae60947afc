"""A language with one word: ``{name}`` stands for a value. Nothing in it is ever carried out.

Operators write letters in it. It has no expressions, attributes, conditions or loops, and what is
filled in is never read again, so a value with a brace in it stays what it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"\{([a-z_]+)\}")


class BraceAlone(ValueError):
    """A brace in a text does not belong to a placeholder; the sentence shows where."""


def placeholders_in(text: str) -> list[str]:
    """Return the names in braces, in their order, each as often as it stands there.

    Raises:
        BraceAlone: a brace is left over, as in ``{{``, ``{a.b}`` or ``{a!r}``.
    """
    rest = _NAME.sub(lambda found: " " * len(found[0]), text)
    left = re.search(r"[{}]", rest)
    if left:
        around = text[max(0, left.start() - 15) : left.start() + 25].strip()
        raise BraceAlone(
            worded(
                'A brace stands alone in "%(around)s". Braces are allowed around the name of'
                " a placeholder only, as in {reference}.",
                around=around,
            )
        )
    return _NAME.findall(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every placeholder replaced by its value, once.

    Raises:
        KeyError: a placeholder has no value.
    """
    return _NAME.sub(lambda found: values[found[1]], text)
