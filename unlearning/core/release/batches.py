"""How many people's erasures a public release carries at least.

Whoever holds the models before and after the erasure of one record can tell which record it was;
several erasures in one release make that harder, though not impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearning.core.costs.checks import whole
from unlearning.core.release.ruling import Ruling

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_BATCH = 5


@dataclass(frozen=True, kw_only=True)
class ReadyErasure:
    """A case whose unlearned version is ready; ``due`` is in days since any fixed moment."""

    case: str
    person: str
    due: float


def may_release(
    ready: Sequence[ReadyErasure], now: float, *, min_batch: int = MIN_BATCH, lead: float = 1.0
) -> Ruling:
    """Return whether a public release goes out now.

    Args:
        ready: the erasures that it would carry.
        now: in days, as ``due``.
        min_batch: people whose erasures a release carries at least.
        lead: days before a case is due at which it is released, however few there are.

    Raises:
        NotPossible: ``min_batch`` is no whole number of at least 1.
    """
    whole("min_batch", min_batch)
    people = len({each.person for each in ready})
    if not people:
        return Ruling(allowed=False, reason="No erasure is ready, so there is nothing to release.")
    if people >= min_batch:
        reason = f"The release carries the erasures of {people} people; {min_batch} are enough."
        return Ruling(allowed=True, reason=reason)
    first = min(ready, key=lambda each: each.due)
    if now >= first.due - lead:
        reason = (
            f"Case {first.case} is due in {max(0.0, first.due - now):.1f} days, so the release "
            f"goes out with {people} of {min_batch} people; its readers must not have had the "
            "version before."
        )
        return Ruling(allowed=True, reason=reason)
    reason = (
        f"The release would carry the erasures of {people} people and waits for {min_batch}, or "
        f"for case {first.case} to have {lead:g} d left."
    )
    return Ruling(allowed=False, reason=reason)
