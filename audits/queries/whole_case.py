"""A case with all that belongs to it, for its page, in a number of queries that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Prefetch

from audits.models import (
    BudgetWait,
    ClockPause,
    Decision,
    ErasureRequest,
    LocationException,
    LocationResult,
    VersionException,
)
from audits.queries.clocks import unanswered
from audits.queries.evidence import RUN
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

# What belongs to a case one to one: ``beside`` finds it here.
ONE = (
    *("clock", "extension", "intake__entered_by", "details", "stop", "answer_route", "told_who"),
    *("retention__longer_by", "record", "pictures"),
    *("operator_case__space", "operator_case__version"),
    *("operator_case__proposed_by", "operator_case__approved_by"),
)
NAMED = ("subject", "joined_to", "linked_to", "accepted_by")


def whole_case(case_id: UUID) -> ErasureRequest | None:
    """Return a case with every row that is about it alone; None where there is none.

    What it holds is as it was at this moment: nothing may be decided by it.
    """
    by = Decision.objects.select_related("proposed_by", "approved_by", "returned_by")
    many: list[Any] = [
        *_moving(),
        Prefetch("decisions", by),
        "decisions__grounds",
        Prefetch("decisions__exceptions", LocationException.objects.select_related("dataset")),
        Prefetch("location_results", LocationResult.objects.select_related("location").order_by()),
        *("letters", "identity_checks", "linked_cases"),
    ]
    return _found(_case().prefetch_related(*many), case_id)


def moving_case(case_id: UUID) -> ErasureRequest | None:
    """Return a case with what changes while work goes on."""
    return _found(_case().prefetch_related(*_moving()), case_id)


def _case() -> QuerySet[ErasureRequest]:
    waits = Exists(unanswered().order_by().filter(pk=OuterRef("pk")))
    budgeted = Exists(BudgetWait.objects.filter(request=OuterRef("pk")))
    rows = ErasureRequest.objects.select_related(*NAMED, *ONE).defer("record__data")
    return rows.annotate(waits=waits, budgeted=budgeted)


def _moving() -> list[Any]:
    made = UnlearningRun.objects.select_related(*RUN, "release", "escalated_to")
    stay = VersionException.objects.select_related("version", "proposed_by", "approved_by")
    return [
        Prefetch("runs", made),
        Prefetch("version_exceptions", stay),
        Prefetch("clock_pauses", ClockPause.objects.order_by("since")),
    ]


def _found(rows: QuerySet[ErasureRequest], case_id: UUID) -> ErasureRequest | None:
    found = rows.filter(pk=case_id).first()
    if found is not None:
        found.loaded_whole = True
        found.waited_for = vars(found)["waits"]
        found.met_a_budget = vars(found)["budgeted"]
    return found
