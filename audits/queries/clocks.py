"""The legal clock: where it runs, what a case's says, and which answers are late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q

from audits.core.deadline import Derivation, Limit, Place
from audits.core.pauses import Pause, Paused, with_pauses
from audits.core.regimes import REGIMES, PauseReason, Period, Regime, Unit
from audits.models import CaseClock, ErasureRequest
from audits.queries.answering import answers, refusal_told, restriction_told, still_to_answer
from audits.queries.beside import beside
from audits.queries.cases import OVER
from audits.queries.policy_values import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status


def place() -> Place:
    """Return where the controller is, by the settings."""
    return Place(
        zone=settings.EXPUNGE_CLOCK_ZONE,
        country=in_force("COUNTRY"),
        region=in_force("REGION"),
        own_days=frozenset(date.fromisoformat(day) for day in in_force("HOLIDAYS")),
    )


def regime(code: str = "") -> Regime:
    """Return the regime of that code, or the one of the settings."""
    found = REGIMES[code or in_force("REGIME")]
    if not found.own_target:
        return found
    days = Period(count=in_force("OWN_TARGET_DAYS"), unit=Unit.DAYS)
    return replace(found, first=days)


def today(now: datetime) -> date:
    """Return the day that an instant lies in where the legal clock runs."""
    return place().local_date(now)


def clock_of(request: ErasureRequest) -> CaseClock | None:
    """Return the clock of a case; None for the operator's, which has no deadline."""
    clock: CaseClock | None = beside(request, "clock")
    return clock


def derivation_of(clock: CaseClock) -> Derivation:
    """Return the derivation as it was stored."""
    extended = None
    if clock.extended_raw is not None and clock.extended_due_on is not None:
        extended = _limit(clock.extended_raw, clock.extended_due_on, clock.extended_skipped)
    return Derivation(
        received_at=clock.received_at.astimezone(UTC),
        received_on=clock.received_on,
        zone=clock.zone,
        regime=clock.regime,
        rule=clock.rule,
        calendar=clock.calendar,
        calendar_version=clock.calendar_version,
        first=_limit(clock.raw, clock.due_on, clock.skipped),
        extended=extended,
        acknowledge_on=clock.acknowledge_on,
    )


def paused(clock: CaseClock) -> Paused | None:
    """Return the limits with the pauses of a case that have ended; None where none has."""
    rows = clock.request.clock_pauses.exclude(until=None).order_by("since")
    pauses = [
        Pause(reason=PauseReason(row.reason), since=row.since, until=row.until)
        for row in rows
        if row.until is not None
    ]
    if not pauses:
        return None
    where = replace(place(), zone=clock.zone)
    return with_pauses(clock.received_on, pauses, place=where, regime=regime(clock.regime))


def first_limit(clock: CaseClock) -> date:
    """Return the last day of the first period, with the pauses; an extension is told of by it."""
    return clock.paused_due_on or clock.due_on


def extended_limit(clock: CaseClock) -> date | None:
    """Return when an extended answer is due, with the pauses; None where the law extends none."""
    return clock.paused_extended_due_on or clock.extended_due_on


def unanswered() -> QuerySet[ErasureRequest]:
    """Return the cases of people who wait for an answer, the most pressing first.

    A closed case whose letter could not be sent is one of them; an accepted restriction, and a
    refusal whose restriction has not ended, of which the person was told are not, though open.
    """
    # Of what is over, EXPIRED cases were confirmed by nobody, so nobody waits.
    waiting = ErasureRequest.objects.filter(~Q(status__in=OVER) | still_to_answer())
    waiting = waiting.exclude(restriction_told(), kind=ErasureRequest.Kind.RESTRICTION)
    waiting = waiting.exclude(refusal_told(), status=S.REFUSED)
    return waiting.exclude(due_on=None).order_by("due_on", "received_at")


def waiting_for_an_answer(cases: Iterable[ErasureRequest]) -> set[UUID]:
    """Return which of some cases ``unanswered`` holds, in one query."""
    chosen = unanswered().filter(pk__in=[case.pk for case in cases])
    return set(chosen.order_by().values_list("pk", flat=True))


def overdue(day: date) -> QuerySet[ErasureRequest]:
    """Return the cases whose answer was due before a day and has not been sent."""
    return unanswered().filter(due_on__lt=day)


@dataclass(frozen=True, kw_only=True)
class LateAnswer:
    """An answer that was sent after it was due."""

    reference: str
    due_on: date
    answered_on: date


def answered_late() -> Iterator[LateAnswer]:
    """Yield the answers that were sent after their due date, in the order of sending."""
    where = place()
    for letter in answers().select_related("request"):
        sent_at, due_on = letter.sent_at, letter.request.due_on
        if sent_at is None or due_on is None or where.local_date(sent_at) <= due_on:
            continue
        yield LateAnswer(
            reference=letter.request.reference,
            due_on=due_on,
            answered_on=where.local_date(sent_at),
        )


def _limit(raw: date, due_on: date, skipped: list[list[str]]) -> Limit:
    days = tuple((date.fromisoformat(day), why) for day, why in skipped)
    return Limit(raw=raw, due_on=due_on, skipped=days)
