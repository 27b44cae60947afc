"""Codes in plain words. One place, so that a page, a badge and a letter say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.grounds import REFUSALS
from audits.models import ErasureRequest
from unlearning.queries.catalogue import titles

if TYPE_CHECKING:
    from datetime import date

    from unlearning.models import UnlearningRun

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
GOOD, CARE, BAD, QUIET, BUSY = "good", "care", "bad", "quiet", "busy"
SOON_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A short label with a tone, and one sentence about what it means."""

    label: str
    tone: str
    meaning: str = ""


STATUS_TONES = {
    S.RECEIVED: QUIET,
    S.VERIFIED: CARE,
    S.DRAFT: CARE,
    S.PROPOSED: CARE,
    S.SEALED: GOOD,
    S.ERASED: GOOD,
    S.REFUSED: QUIET,
    S.WITHDRAWN: QUIET,
    S.ON_HOLD: CARE,
    S.FAILED: BAD,
    S.INFO_ASKED: QUIET,
    S.EXPIRED: QUIET,
}
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
GUARANTEES = {
    "EXACT": "Exact",
    "CERTIFIED": "Certified",
    "APPROXIMATE": "Approximate",
    "": "Not yet known",
}
SPECIAL_METHODS = {
    "destroy": "Destroy the version",
    "retrain_outside": "Retrained outside",
    "no_action": "Nothing, trained privately",
}
JOBS = {
    "SCORE": "Score the training records around the named ones",
    "PLAN": "Find every model that used the records",
    "PREVIEW": "Weigh the ways to unlearn, without doing anything",
    "UNLEARN": "Unlearn",
    "AUDIT": "Train shadow models for the audit",
    "JUDGE": "Attack the result and judge it",
    "ERASE": "Delete the records and the old versions",
    "REPORT": "Write the report",
    "TRAIN": "Train",
}
# Read by the person.
OUTCOMES: dict[str, str] = {
    Outcome.ERASED: "Your data has been erased.",
    Outcome.NO_DATA_FOUND: "We found no data about you under this address, so there was nothing "
    "to erase.",
    Outcome.REFUSED: "We did not erase your data.",
    Outcome.NOT_IDENTIFIED: "We could not identify you with what we had.",
    Outcome.RESTRICTION_LIFTED: "The restriction of your data has ended.",
    Outcome.EXPIRED: "Nobody confirmed this request in time. It was not acted on.",
    Outcome.WITHDRAWN: "You withdrew this request. Nothing was erased because of it.",
    Outcome.JOINED: "You had already sent us a request, which is being handled. This one is "
    "closed, and the earlier one goes on.",
}


def status_badge(request: ErasureRequest) -> Badge:
    """Return the state of a case; a closed one by its outcome."""
    if request.status == S.SEALED and request.outcome:
        tone = GOOD if request.outcome in (Outcome.ERASED, Outcome.REMOVED) else QUIET
        return Badge(label=f"Closed: {request.get_outcome_display().lower()}", tone=tone)
    tone = STATUS_TONES.get(S(request.status), BUSY)
    return Badge(label=request.get_status_display(), tone=tone)


def due_badge(request: ErasureRequest, today: date) -> Badge | None:
    """Return how pressing the answer is; None for a closed case, a distant date or no date."""
    if request.due_on is None or request.status == S.SEALED:
        return None
    days = (request.due_on - today).days
    if days > SOON_DAYS:
        return None
    if days < 0:
        return Badge(label=f"Overdue by {_days(-days)}", tone=BAD)
    return Badge(label=f"Due in {_days(days)}" if days else "Due today", tone=CARE)


def verdict_badge(outcome: str) -> Badge:
    """Return a verdict in words; an unknown one by its code."""
    return VERDICTS.get(outcome, Badge(label=outcome or "Not judged yet", tone=QUIET))


def guarantee_words(code: str) -> str:
    """Return what is claimed of an unlearned version."""
    return GUARANTEES.get(code, code)


def refusal_words(code: str) -> str:
    """Return the reason of a refusal."""
    return REFUSALS.get(code, code)


def method_title(name: str) -> str:
    """Return the title of a method, from the generated catalogue; never imports the method."""
    return SPECIAL_METHODS.get(name) or titles().get(name, name)


def job_title(kind: str, run: UnlearningRun | None) -> str:
    """Return what a job does, and to which version."""
    words = JOBS.get(kind, kind.capitalize())
    return f"{words}: {run.target}" if run else words


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
