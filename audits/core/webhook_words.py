"""How a webhook stands, in English, as the API and the command say it; pages translate it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GONE, PAUSED, FAILING, FAILED = "GONE", "PAUSED", "FAILING", "FAILED"
ANSWERS, UNTOLD = "ANSWERS", "UNTOLD"
HEALTH: Mapping[str, str] = MappingProxyType(
    {
        GONE: "Gone (410), paused",
        PAUSED: "Paused",
        FAILING: "%(count)s tries failed in a row",
        FAILED: "The last try failed",
        ANSWERS: "It answers",
        UNTOLD: "Not told anything yet",
    }
)


def health_words(code: str, failures: int) -> str:
    """Return how a webhook stands; ``failures`` is how many tries failed in a row."""
    return HEALTH[code] % {"count": failures}
