"""Start the clock of a case, and keep its due date true to what was recorded since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.deadline import derive
from audits.models import CaseClock, ErasureRequest
from audits.queries import clocks

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from audits.core.deadline import Derivation, Limit


def due_of(received_at: datetime) -> Derivation:
    """Return when a request of a person that came at an instant is due, and why."""
    return derive(received_at, place=clocks.place(), regime=clocks.regime())


@transaction.atomic
def start_clock(*, request: ErasureRequest, due: Derivation) -> CaseClock:
    """Store the derivation of a due date beside its case. It is never made again."""
    clock = clock_from(request=request, due=due)
    clock.save(force_insert=True)
    return clock


def clock_from(*, request: ErasureRequest, due: Derivation) -> CaseClock:
    """Return the row that ``start_clock`` stores, for whoever stores many at once."""
    extended = due.extended
    return CaseClock(
        request=request,
        received_at=due.received_at,
        received_on=due.received_on,
        zone=due.zone,
        regime=due.regime,
        rule=due.rule,
        calendar=due.calendar,
        calendar_version=due.calendar_version,
        raw=due.first.raw,
        due_on=due.first.due_on,
        skipped=_skipped(due.first),
        extended_raw=extended.raw if extended else None,
        extended_due_on=extended.due_on if extended else None,
        extended_skipped=_skipped(extended) if extended else [],
        acknowledge_on=due.acknowledge_on,
    )


def settle(*, case_id: UUID, pause_ended: bool = False) -> date:
    """Make the due date of a case that of its clock, its pauses and a notice sent; return it.

    The only place that changes a due date. Call it in the transaction of what changed. The limits
    are counted again only where a pause has ended: the calendar may have changed since, and a date
    that a person was told does not move by that alone.
    """
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    clock = CaseClock.objects.select_related("request").get(request=request)
    if pause_ended and (found := clocks.paused(clock)):
        clock.paused_due_on = found.first.due_on
        clock.paused_extended_due_on = found.extended.due_on if found.extended else None
        clock.save(update_fields=["paused_due_on", "paused_extended_due_on"])
    extension = getattr(request, "extension", None)
    told = extension is not None and extension.notice_sent_at is not None
    due_on = (clocks.extended_limit(clock) if told else None) or clocks.first_limit(clock)
    ErasureRequest.objects.filter(pk=case_id).update(due_on=due_on)
    return due_on


def _skipped(limit: Limit) -> list[list[str]]:
    return [[day.isoformat(), why] for day, why in limit.skipped]
