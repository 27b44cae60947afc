"""The words of the report: what each code means, in sentences that claim no more than was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.fields import SHA256
from audits.execution.report_speech import counted, decimal, say
from unlearning.services.runs import NEWTON

if TYPE_CHECKING:
    from collections.abc import Mapping

DONE = "done"
RESIDUAL = "done with residual"
INCONCLUSIVE = "inconclusive"
REFUSED = "refused"
NOT_POSSIBLE = "not possible"

CASES = {
    "ERASED": "The records were deleted, and every model version known to have learned from them "
    "was treated as listed here.",
    "NO_DATA_FOUND": "The search found no record of this person.",
    "REFUSED": "The request was refused for the coded reason given here. Nothing was deleted.",
    "WITHDRAWN": "The person took the request back before anything was done.",
    "NOT_IDENTIFIED": "The person could not be identified with what was stated.",
    "RESTRICTION_LIFTED": "The records were restricted, and the restriction ended after notice.",
    "RESTRICTION_ERASED": "The records were restricted until another request of the same person "
    "had them erased.",
    "REMOVED": "The records were taken out of training, and every model version known to have "
    "learned from them was treated as listed here.",
    "JOINED": "An earlier request of the same person was still open; this one continues there.",
}
# Of cases without a deleted record: what was asked for was done nevertheless.
NOTHING_LEFT_TO_DO = frozenset(
    {"NO_DATA_FOUND", "RESTRICTION_LIFTED", "RESTRICTION_ERASED", "REMOVED", "ERASED"}
)
VERDICTS = {
    "ERASED_BY_CONSTRUCTION": (
        DONE,
        "This rests on how the new version was made, or on the destruction of the old one.",
    ),
    "BOUNDED_IN_TRAINING": (
        RESIDUAL,
        "The version was not changed: its training bounded what one person could change.",
    ),
    "BOUNDED_REMOVAL": (
        RESIDUAL,
        "The removal is within a stated distance of retraining, by the budget of the model.",
    ),
    "PASS_STRICT": (
        RESIDUAL,
        "No leak above the margin was found, and no difference from retraining above it.",
    ),
    "PASS_LEAK": (
        RESIDUAL,
        "No leak above the margin was found; what is below it was not ruled out.",
    ),
    "FAIL": (NOT_POSSIBLE, "The attack still tells the records from others."),
    "DESTROYED": (NOT_POSSIBLE, "The model lost too much of its accuracy to be judged."),
    "NO_SIGNAL": (INCONCLUSIVE, "The attack saw nothing even before unlearning."),
    "INCONCLUSIVE": (INCONCLUSIVE, "The measurement was too weak to decide."),
    "INVALID": (INCONCLUSIVE, "The experiment was broken; it says nothing."),
}
PROMISES = {
    "EXACT": "what the same recipe gives with the records left out",
    "CERTIFIED": "a stated distance (epsilon, delta) from retraining",
    "APPROXIMATE": "no formal promise; judged by the attacks below alone",
}
EXACTLY = {
    "retrain": "Trained again without the records.",
    "replay": "Trained again without the records, from a state of before any of them was used.",
    "decrement": "The records were subtracted from the integer sums that the model is made of.",
}
UNTITLED = {
    "destroy": "Destruction of the version",
    "retrain_outside": "Retraining outside",
    "no_action": "No action: trained with differential privacy",
    NEWTON: "Newton step within a budget",
}
STEPS = {
    "request_received": "Received",
    "request_verified": "Identity confirmed",
    "subject_identified": "Search for records",
    "request_accepted": "Accepted",
    "request_refused": "Refused",
    "request_withdrawn": "Withdrawn",
    "request_held": "Put on hold",
    "request_resumed": "Resumed",
    "records_restricted": "Records restricted (Art. 18)",
    "plan_drawn": "Plan drawn",
    "case_failed": "Stopped by a failure",
    "case_erased": "Records deleted",
    "case_sealed": "Sealed",
    "case_opened": "Opened by staff",
    "forget_set_scored": "Training records scored",
    "forget_set_proposed": "Forget set proposed",
    "forget_set_returned": "Forget set sent back",
    "forget_set_approved": "Forget set approved",
    "case_dropped": "Dropped",
    "records_kept_apart": "Records kept apart",
    "records_left_to_others": "Kept for somebody else",
    "case_removed": "Old versions destroyed",
}
AUDIT_DATA = {
    "own_records": "the person's own records",
    "surrogate": "other records, lawfully held, in the place of the person's",
}
CAPTIONS = {
    "curves": "ROC curves on logarithmic axes.",
    "histograms": "What the attack says of each shadow model.",
    "power": "What an audit with so many models can show.",
}
MODES = {
    "looks": "at the planned looks, which share the error probability",
    "sequential": "at any number of models, with bounds that hold whenever somebody looks",
}
CONTRASTS = {
    "before": "Before unlearning",
    "leak": "After unlearning",
    "equivalence": "Against retrained models",
}


def code(text: str | None) -> dict[str, str] | str:
    """Return a cell that is set in a fixed-width face, so that digests can be compared."""
    return {"code": text} if text else say("not recorded")


def said(name: str) -> str:
    """Return the name of a field or a code as words."""
    text = name.replace("_", " ").lower()
    return say(text[:1].upper() + text[1:])


def plain(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a JSON value in one line."""
    match value:
        case None:
            return say("none")
        case bool():
            return say("yes") if value else say("no")
        case float():
            return decimal(f"{value:.6g}")
        case list() | tuple():
            return ", ".join(map(plain, value)) or say("none")
        case dict():
            return ", ".join(f"{name} {plain(item)}" for name, item in value.items()) or say(
                "none"
            )
        case _:
            return str(value)


def names(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return names of a document, a text or a list of texts each, in the language spoken."""
    return {
        name: say(value) if isinstance(value, str) else list(map(say, value))
        for name, value in of.items()
    }


def deleted(records: int, remaining: int) -> str:
    """Return how many records were deleted, and how many were found when reading back."""
    return counted(
        records,
        "%(n)s record deleted; %(left)s found when reading back.",
        "%(n)s records deleted; %(left)s found when reading back.",
        left=remaining,
    )


def rows_of(values: Mapping[str, Any]) -> list[list[Any]]:
    """Return the fields of a JSON object as rows of a table, digests in a fixed-width face."""
    return [
        [said(name), code(value) if SHA256.accepts(value) else plain(value)]
        for name, value in values.items()
    ]
