"""Reasons that the person will read."""

from __future__ import annotations

from lineage.core.worded import worded_of

SHORTEST_REASON = 20


class ReasonTooShort(ValueError):
    """A reason that the person will read says too little."""


def reason_of(name: str, text: str) -> str:
    """Return a reason that a person will read, without blanks around it.

    Raises:
        ReasonTooShort: it has fewer than ``SHORTEST_REASON`` characters.
    """
    text = text.strip()
    if len(text) < SHORTEST_REASON:
        raise ReasonTooShort(
            worded_of(
                name,
                "It has %(count)s characters; the person reads it, so write at least %(least)s.",
                count=len(text),
                least=SHORTEST_REASON,
            )
        )
    return text
