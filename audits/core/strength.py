"""What passes say together, among all questions that were put. No numerical library.

``passing`` finds the strength of a pass; it is kept with the evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from audits.core.multiplicity import e_bh, e_from_p

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")
LARGEST = 700.0  # the logarithm of what still is a number


@dataclass(frozen=True, kw_only=True)
class Strength:
    """What one pass says against a leak of the margin or more.

    Attributes:
        p: a p-value, of a pass at a planned look; None where bets were made.
        log_e: the logarithm of an e-value, of a pass by bets; None where looks were planned.
    """

    p: float | None = None
    log_e: float | None = None

    def among(self, questions: int, level: float) -> float:
        """Return the e-value to use among so many questions at a level.

        Raises:
            NotAnEvidence: the p-value is not in [0, 1].
        """
        if self.log_e is not None:
            return math.exp(min(self.log_e, LARGEST))
        return e_from_p(1.0 if self.p is None else self.p, hypotheses=questions, alpha=level)

    @classmethod
    def of_evidence(cls, payload: Mapping[str, Any]) -> Strength | None:
        """Return what was kept with an evidence; None where nothing was."""
        found = payload.get("strength")
        return cls(**found) if isinstance(found, dict) else None


def surviving(questions: Mapping[Key, Strength | None], level: float) -> tuple[Key, ...]:
    """Return the passes that e-Benjamini-Hochberg keeps among *all* questions that were put.

    Args:
        questions: every question, also those without a pass (None): they count as tried, with an
            e-value of zero. Leaving them out would choose the passes by their success, and the
            promise would be lost.
        level: the largest expected share of false passes among those that are kept.

    Raises:
        NotAnEvidence: a p-value or an e-value is out of its range.
    """
    total = len(questions)
    e_values = {key: one.among(total, level) if one else 0.0 for key, one in questions.items()}
    return e_bh(e_values, level)
