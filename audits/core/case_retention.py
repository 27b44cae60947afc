"""For how long a closed case can say whose it was, by how it ended (GDPR Art. 5(1)(e))."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Every outcome, and what its case is kept for. One that is missing here closes no case.
KEPT_FOR: Mapping[str, str] = MappingProxyType(
    {
        "ERASED": "claims of the person, and the questions of an authority",
        "NO_DATA_FOUND": "the question whether the search was thorough",
        "REFUSED": "a complaint or a claim against the refusal (Art. 77, 79)",
        "WITHDRAWN": "the question whether the person withdrew it",
        "JOINED": "as long as the case that it was joined to",
        "REMOVED": "the question who took which records out, and why",
        "EXPIRED": "nothing: nobody confirmed it",
        "NOT_IDENTIFIED": "a complaint against the closing (Art. 11(2), 12(6))",
        "RESTRICTION_LIFTED": "the question whether the person was told before (Art. 18(3))",
        "RESTRICTION_ERASED": "the question which request erased what was restricted",
    }
)
AT_ONCE = frozenset({"EXPIRED"})
# Fewer would end while letters are still tried again, posted, or come back.
LEAST_DAYS = 30
MOST_DAYS = 36_525


def days_of(outcome: str, *, default: int, by_outcome: Mapping[str, int]) -> int:
    """Return for how many days after its closing a case is kept.

    Raises:
        KeyError: nobody said for how long a case with such an outcome is kept.
    """
    if outcome not in KEPT_FOR:
        raise KeyError(
            f"outcome is {outcome!r}; it is not known for how long such a case is kept. Known are "
            f"{', '.join(KEPT_FOR)}."
        )
    return 0 if outcome in AT_ONCE else by_outcome.get(outcome, default)


def problems(by_outcome: Mapping[str, object]) -> Iterator[str]:
    """Yield a sentence for each entry that is not a number of days of a known outcome."""
    allowed = [outcome for outcome in KEPT_FOR if outcome not in AT_ONCE]
    for outcome, days in by_outcome.items():
        if outcome not in allowed:
            yield (
                f"EXPUNGE_CASE_DAYS_BY_OUTCOME names {outcome!r}; allowed are "
                f"{', '.join(allowed)}."
            )
        elif type(days) is not int or not LEAST_DAYS <= days <= MOST_DAYS:
            yield (
                f"EXPUNGE_CASE_DAYS_BY_OUTCOME has {days!r} for {outcome}; a whole number of days "
                f"from {LEAST_DAYS} to {MOST_DAYS} is needed."
            )
