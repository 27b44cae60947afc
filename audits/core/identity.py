"""Codes of how a person is identified: checks, doubts, why nobody could be (Art. 11, 12(6))."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from lineage.core.worded import not_among

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENT_WITHOUT_MANDATE = "AGENT_WITHOUT_MANDATE"
NO_MANDATE = "NO_MANDATE"
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "ACCOUNT": "Signed in to an account of ours",
        "CALL_BACK": "Called back on a number that we had",
        "QUESTIONS": "Answered questions about facts that only they know",
        "LETTER_CODE": "Named a code that we posted to a known address",
        "DOCUMENT": "Showed a document",
        "IN_PERSON": "Known to the member of staff in person",
    }
)
LEVELS: Mapping[str, str] = MappingProxyType(
    {"LOW": "Low", "SUBSTANTIAL": "Substantial", "HIGH": "High"}
)
DOUBTS: Mapping[str, str] = MappingProxyType(
    {
        "NO_RECORD_FOUND": "Nothing is held under what was stated",
        "ADDRESS_NOT_KNOWN": "The address is not one that we know",
        "CLAIMS_DIFFER": "What was stated does not fit together",
        "SEVERAL_PEOPLE": "What was stated fits several people",
        AGENT_WITHOUT_MANDATE: "An agent asks and no mandate was seen",
    }
)
NOT_IDENTIFIED: Mapping[str, str] = MappingProxyType(
    {
        "NO_ANSWER": "We asked for more and got no answer",
        "NOT_ENOUGH": "What was stated does not single out one person",
        "CHECK_FAILED": "The check of identity failed",
        NO_MANDATE: "The agent was asked for the mandate and showed none in time",
    }
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """How staff made sure who asks: codes of ``METHODS``, ``LEVELS`` and, if any, ``DOUBTS``."""

    method: str
    level: str
    doubt: str = ""

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        one_of("level", self.level, LEVELS)
        if self.doubt:
            one_of("doubt", self.doubt, DOUBTS)


def one_of(name: str, value: str, allowed: Mapping[str, str]) -> None:
    """Refuse a code that is not one of these, with a sentence. Raises ValueError."""
    if value not in allowed:
        raise ValueError(not_among(name, value, allowed))
