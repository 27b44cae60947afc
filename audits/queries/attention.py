"""What waits for somebody now: cases by what stops them, and what belongs to no case.

Each query returns at most ``SHOWN`` rows of a group with the number of all, so that the first page
costs nearly the same whatever the number of cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce

from audits.models import (
    BudgetWait,
    Decision,
    DuplicateFinding,
    ErasureRequest,
    Letter,
    LocationException,
    OperatorCase,
    PolicyChange,
    Release,
    Verdict,
    VersionException,
)
from audits.queries import clocks, label_conflicts
from audits.queries.accounts import address_of_account
from audits.queries.cases import OF_CASES, open_cases
from audits.queries.exceptions import waiting_to_be_erased
from audits.queries.holds import holds_to_review
from audits.queries.letter_routes import needing_somebody
from audits.queries.owner_budgets import waiting
from lineage.models import Job, LabelConflict, ModelVersion, Run
from lineage.queries.closure import listed_versions
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from audits.models import LegalHold

S = ErasureRequest.Status
SHOWN = 5
OVERDUE, SOON = "OVERDUE", "SOON"
SECOND, FAILED, DECIDE = "SECOND", "FAILED", "DECIDE"
DUPLICATES, VERSIONS, DRAFT = "DUPLICATES", "VERSIONS", "DRAFT"
# Not by the index of due dates, through which PostgreSQL would walk for a few rare cases.
_URGENT = (Coalesce("due_on", Value(date.max)), "received_at", "pk")
CODES = (OVERDUE, SOON, SECOND, FAILED, DECIDE, DUPLICATES, VERSIONS, DRAFT)
NOTHING_SHOWN = ("INCONCLUSIVE", "NO_SIGNAL", "INVALID")


def nothing_yet() -> bool:
    """Return whether nobody asked yet and no model is known: the installation is new."""
    return not (ErasureRequest.objects.exists() or ModelVersion.objects.exists())


@dataclass(frozen=True, kw_only=True)
class WaitingCase:
    """A case in a group of so many; ``own`` says that the user proposed what waits."""

    case: ErasureRequest
    group: str
    of_all: int
    own: bool


def waiting_cases(user: User, today: date, until: date) -> list[WaitingCase]:
    """Return the first cases of each group, in the order of ``CODES``, in two queries.

    Pressing are those whose answer is overdue, or due until a day. Stopped are open ones that wait
    for staff, each in the first group that holds: a second person, a failure, a decision,
    duplicates, versions, a forget set that is being chosen. A case may be pressing and stopped.
    """
    first = _first_of_each({**_pressing(today, until), **_stopped()})
    own = Case(When(_own(user), then=True), default=False)
    chosen = ErasureRequest.objects.filter(pk__in={pk for *_, pk in first}).order_by(*_URGENT)
    found = {case.pk: case for case in chosen.annotate(own=own)}
    groups = {code: {pk: of_all for one, of_all, pk in first if one == code} for code in CODES}
    return [
        WaitingCase(case=case, group=code, of_all=of_all[pk], own=case.own)
        for code, of_all in groups.items()
        for pk, case in found.items()
        if pk in of_all
    ]


def letters() -> list[Letter]:
    """Return letters that could not be sent or are to be posted."""
    return list(_some(needing_somebody()))


def ended_exceptions() -> list[LocationException]:
    """Return exceptions that ended and of which nobody has erased yet what they kept."""
    return list(_some(waiting_to_be_erased()))


def inconclusive() -> list[Verdict]:
    """Return final verdicts of open cases that say nothing, with ``case`` and its ``reference``.

    Where the run was escalated the case goes on with another one, and nobody need act.
    """
    cases = open_cases().filter(runs=OuterRef("run")).order_by("received_at")
    found = Verdict.objects.filter(
        final=True, outcome__in=NOTHING_SHOWN, run__escalated_to=None
    ).annotate(
        case=Subquery(cases.values("pk")[:1]), reference=Subquery(cases.values("reference")[:1])
    )
    # Asked of the runs of open cases at once, as those of closed ones are most.
    serving = ErasureRequest.runs.through.objects.filter(erasurerequest__in=open_cases())
    found = found.filter(run__in=serving.values("unlearningrun"))
    found = found.select_related("run__target").defer("run__forget_bitmap", "run__report")
    return list(_some(found.order_by("-created_at")))


def failed_jobs(since: datetime) -> list[Job]:
    """Return jobs outside cases that failed since a moment, with ``case`` for reports."""
    found = Job.objects.filter(status=Job.Status.FAILED, ended_at__gte=since)
    about = ErasureRequest.objects.filter(pk=OuterRef("payload_id"))
    # A case tells of its own jobs: it fails with them.
    found = found.exclude(kind__in=OF_CASES).annotate(case=Subquery(about.values("pk")[:1]))
    return list(_some(found.order_by("-ended_at")))


def uncaptured() -> list[ModelVersion]:
    """Return living versions of which nobody knows what they were trained on."""
    blind = listed_versions(include_shadows=False).filter(
        generated_by__capture_level=Run.Capture.NONE
    )
    return list(_some(blind.order_by("-generated_at")))


def reviews(today: date) -> list[LegalHold]:
    """Return the legal holds whose day of review has come."""
    return list(_some(holds_to_review(today)))


def policy_changes(user: User) -> list[PolicyChange]:
    """Return the change of policy values that waits, if any, with ``own``.

    It is the user's own if they proposed it, or an account of the same e-mail address did.
    """
    found = PolicyChange.objects.filter(state=PolicyChange.State.PROPOSED)
    waiting = list(_some(found.select_related("proposed_by")))
    address = address_of_account(user)
    for one in waiting:
        by = one.proposed_by
        one.own = by.pk == user.pk or (address != "" and address_of_account(by) == address)
    return waiting


def budget_waits() -> list[BudgetWait]:
    """Return the waits of cases for the budget of an owner."""
    return list(_some(waiting().select_related("request", "owner")))


def held_records() -> list[LabelConflict]:
    """Return records that are held back, since they are alike under two labels."""
    held = label_conflicts.open_conflicts().filter(state=LabelConflict.State.HELD)
    return list(_some(held))


def _some(found: QuerySet[Any]) -> Any:  # noqa: ANN401  (a queryset of the same model)
    """Return the first rows of a query, each with the number of all as ``of_all``."""
    return found.annotate(of_all=Window(Count("pk")))[:SHOWN]


def _first_of_each(groups: Mapping[str, QuerySet[ErasureRequest]]) -> list[tuple[str, int, UUID]]:
    """Return (group, how many are in it, case) of the first of each group, in one query.

    Nothing else is read of a case, as there may be very many. Django unites no queries that are
    cut off, as SQLite wants them wrapped.
    """
    asked = [
        found.order_by(*_URGENT)
        .values_list(Value(code), Window(Count("pk")), "pk")[:SHOWN]
        .query.sql_with_params()
        for code, found in groups.items()
    ]
    united = " UNION ALL ".join(f"SELECT * FROM ({sql}) one" for sql, _ in asked)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(united, [value for _, values in asked for value in values])
        return [(code, of_all, UUID(str(pk))) for code, of_all, pk in cursor.fetchall()]


def _pressing(today: date, until: date) -> dict[str, QuerySet[ErasureRequest]]:
    found = clocks.unanswered()
    return {
        OVERDUE: found.filter(due_on__lt=today),
        SOON: found.filter(due_on__gte=today, due_on__lte=until),
    }


def _stopped() -> dict[str, QuerySet[ErasureRequest]]:
    """Return what stops a case, by group: those of no group before it."""
    holds = {
        SECOND: _second(),
        FAILED: Q(status=S.FAILED),
        DECIDE: Q(status=S.VERIFIED, outcome=""),
        DUPLICATES: Q(status=S.RESTRICTED) & _duplicates(),
        VERSIONS: _versions(),
        DRAFT: Q(status=S.DRAFT),
    }
    before, groups = Q(), {}
    for code, one in holds.items():
        groups[code] = open_cases().filter(one).exclude(before)
        before |= one
    return groups


def _own(user: User) -> Q:
    own = _has(_proposals().filter(proposed_by=user))
    own |= _has(_exceptions().filter(proposed_by=user))
    return own | _has(OperatorCase.objects.filter(authors=user))


def _has(rows: QuerySet[Any]) -> Q:
    """Return the condition that a case has one of these rows, looked for once for all cases."""
    return Q(pk__in=rows.values("request"))


def _proposals() -> QuerySet[Decision]:
    return Decision.objects.filter(state=Decision.State.PROPOSED)


def _exceptions() -> QuerySet[VersionException]:
    return VersionException.objects.filter(approved_at=None)


def _second() -> Q:
    return Q(status=S.PROPOSED) | _has(_proposals()) | _has(_exceptions())


def _duplicates() -> Q:
    return _has(DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING))


def _versions() -> Q:
    """Return the condition that a version waits for a decision: without a recipe, or held."""
    serving = ErasureRequest.runs.through.objects
    stay = VersionException.objects.exclude(approved_at=None).filter(
        request=OuterRef("erasurerequest"), version=OuterRef("unlearningrun__target")
    )
    waits = serving.filter(unlearningrun__status=UnlearningRun.Status.WAITING)
    held = serving.filter(
        unlearningrun__release__state=Release.State.HELD,
        unlearningrun__unlearned__state=ModelVersion.State.CANDIDATE,
    )
    waits = waits.exclude(Exists(stay))
    return Q(pk__in=waits.values("erasurerequest").union(held.values("erasurerequest")))
