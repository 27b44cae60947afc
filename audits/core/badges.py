"""Verdicts in plain words, with a tone."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, CARE, BAD, QUIET, BUSY = "good", "care", "bad", "quiet", "busy"


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A short label with a tone, and one sentence about what it means."""

    label: str
    tone: str
    meaning: str = ""


VERDICTS = {
    "PASS_STRICT": Badge(
        label="Passed, like retrained",
        tone=GOOD,
        meaning="No leak beyond the margin, and no difference from retrained models beyond it.",
    ),
    "PASS_LEAK": Badge(
        label="Passed, no leak",
        tone=GOOD,
        meaning="The attack saw the records before unlearning and finds no leak beyond the "
        "margin after it.",
    ),
    "ERASED_BY_CONSTRUCTION": Badge(
        label="Erased by construction",
        tone=GOOD,
        meaning="The version was made again without the records. Lineage shows that none of its "
        "inputs held them.",
    ),
    "BOUNDED_IN_TRAINING": Badge(
        label="Accepted as it is",
        tone=CARE,
        meaning="The version was not changed. Its training bounded what one person could change, "
        "and the policy accepts that bound.",
    ),
    "BOUNDED_REMOVAL": Badge(
        label="Removed within a bound",
        tone=GOOD,
        meaning="The removal is within the stated distance (epsilon, delta) of retraining, by the "
        "budget that the model keeps.",
    ),
    "FAIL": Badge(
        label="Leak found",
        tone=BAD,
        meaning="The attack still tells that the model learned from these records.",
    ),
    "DESTROYED": Badge(
        label="Accuracy lost",
        tone=BAD,
        meaning="The model lost more accuracy than allowed. A ruined model leaks nothing and "
        "proves nothing.",
    ),
    "INVALID": Badge(
        label="Invalid experiment",
        tone=BAD,
        meaning="The experiment itself was broken, so it says nothing about the model.",
    ),
    "NO_SIGNAL": Badge(
        label="No signal",
        tone=CARE,
        meaning="The attack did not see the records even before unlearning, so it cannot show "
        "that they are gone.",
    ),
    "INCONCLUSIVE": Badge(
        label="Inconclusive",
        tone=CARE,
        meaning="The bounds are too wide for a conclusion either way.",
    ),
}


def verdict_badge(outcome: str) -> Badge:
    """Return a verdict in words; an unknown one by its code."""
    return VERDICTS.get(outcome, Badge(label=outcome or "Not judged yet", tone=QUIET))
