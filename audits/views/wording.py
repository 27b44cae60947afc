"""Codes in plain words. One place, so that a page, a badge and a letter say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from audits.core.badges import BAD, BUSY, CARE, GOOD, QUIET, VERDICTS, Badge, verdict_badge
from audits.core.grounds import REFUSALS
from audits.models import ErasureRequest
from audits.queries.method_titles import method_title
from audits.queries.page_words import said_within

if TYPE_CHECKING:
    from datetime import date

    from unlearning.models import UnlearningRun

# Kept below, where the tags of templates find them too.
__all__ = ["BAD", "BUSY", "CARE", "GOOD", "QUIET", "VERDICTS", "Badge"]
__all__ += ["method_title", "verdict_badge"]

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
SOON_DAYS = 7


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
GUARANTEES = {
    "EXACT": "Exact",
    "CERTIFIED": "Certified",
    "APPROXIMATE": "Approximate",
    "": "Not yet known",
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
    "TUNE": "Search hyperparameters",
    "TILES": "Build membership tiles",
    "SEARCH": "Search places outside lineage",
}
# How a request came, as a fact beside the moment.
CAME_BY = {
    "POST": "by post",
    "PHONE": "by telephone",
    "IN_PERSON": "in person",
    "EMAIL": "by e-mail",
    "API": "by another system",
}
# Read by the person.
OUTCOMES: dict[str, str] = {
    Outcome.ERASED: "Your data has been erased.",
    Outcome.NO_DATA_FOUND: "We found no data about you under this address, so there was nothing "
    "to erase.",
    Outcome.REFUSED: "We did not erase your data.",
    Outcome.NOT_IDENTIFIED: "We could not identify you with what we had.",
    Outcome.RESTRICTION_LIFTED: "The restriction of your data has ended.",
    Outcome.RESTRICTION_ERASED: "The data that we had restricted was erased on your request.",
    Outcome.EXPIRED: "Nobody confirmed this request in time. It was not acted on.",
    Outcome.WITHDRAWN: "You withdrew this request. Nothing was erased because of it.",
    Outcome.JOINED: "You had already sent us a request, which is being handled. This one is "
    "closed, and the earlier one goes on.",
}


def status_badge(request: ErasureRequest) -> Badge:
    """Return the state of a case; a closed one by its outcome."""
    if request.status == S.SEALED and request.outcome:
        tone = GOOD if request.outcome in (Outcome.ERASED, Outcome.REMOVED) else QUIET
        outcome = said_within(request.get_outcome_display())
        return Badge(label=gettext("Closed: %(outcome)s") % {"outcome": outcome}, tone=tone)
    tone = STATUS_TONES.get(S(request.status), BUSY)
    return Badge(label=request.get_status_display(), tone=tone)


def due_badge(request: ErasureRequest, today: date, *, waits: bool) -> Badge | None:
    """Return how pressing the answer is; None where nobody waits for one, or not soon."""
    if request.due_on is None or not waits:
        return None
    days = (request.due_on - today).days
    if days > SOON_DAYS:
        return None
    if days < 0:
        late = ngettext("Overdue by %(n)d day", "Overdue by %(n)d days", -days) % {"n": -days}
        return Badge(label=late, tone=BAD)
    soon = ngettext("Due in %(n)d day", "Due in %(n)d days", days) % {"n": days}
    return Badge(label=soon if days else gettext("Due today"), tone=CARE)


def guarantee_words(code: str) -> str:
    """Return what is claimed of an unlearned version."""
    return GUARANTEES.get(code, code)


def refusal_words(code: str) -> str:
    """Return the reason of a refusal."""
    return REFUSALS.get(code, code)


def job_title(kind: str, run: UnlearningRun | None) -> str:
    """Return what a job does, and to which version."""
    words = gettext(JOBS.get(kind, kind.capitalize()))
    if not run:
        return words
    return gettext("%(work)s: %(version)s") % {"work": words, "version": run.target}
