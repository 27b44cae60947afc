"""What was measured of a run, and what was concluded, as one of its cases may see it.

A run that serves several cases may be judged for each of them by itself, from one pool of shadow
models. What is about one case is shown in no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import Evidence, Verdict

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun


def evidence_of(run: UnlearningRun, case: ErasureRequest | None = None) -> QuerySet[Evidence]:
    """Return the evidence on a run, oldest first: all of it, or what is about a case."""
    found = run.evidence.select_related("plot", "run", "verdict")
    return found.filter(_about(case)).order_by("created_at", "kind", "request")


def verdict_of(run: UnlearningRun, case: ErasureRequest | None = None) -> Verdict | None:
    """Return the last verdict on a run; of several at once, one that did not clear it."""
    found = run.verdicts.select_related("evidence").filter(_about(case, "evidence__"))
    last = found.order_by("-evidence__look", "-created_at").first()
    if last is None:
        return None
    together = found.filter(evidence__look=last.evidence.look, created_at=last.created_at)
    return next((one for one in together if not one.clears), last)


def looks_taken(run: UnlearningRun) -> int:
    """Return how many looks at shadow models were judged."""
    return run.evidence.filter(kind=Evidence.Kind.U_LIRA).values("look").distinct().count()


def _about(case: ErasureRequest | None, path: str = "") -> Q:
    if case is None:
        return Q()
    return Q(**{f"{path}request": None}) | Q(**{f"{path}request": case})
