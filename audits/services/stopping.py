"""Restrict records before or without an erasure, balance an objection, and lift after notice.

A restriction is never lifted before the person was told (Art. 18(3)); only the person's own word
ends it at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, Letter, LogLeaf, ProcessingStop
from audits.queries.forget_sets import forget_set
from audits.services import four_eyes, letter_posting, log, planning, rights
from audits.services.actors import actor_of
from audits.services.reasons import reason_of
from audits.services.transitions import MoveNotAllowed
from lineage.core.worded import Worded, worded, worded_of
from lineage.queries.availability import purged_ordinals
from lineage.services import restriction

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

S, Kind, Outcome = ErasureRequest.Status, ErasureRequest.Kind, ErasureRequest.Outcome
Balance, Objection = ProcessingStop.Balance, ProcessingStop.Objection
AT_ONCE = (Kind.CONSENT, Kind.OBJECTION)  # what stops processing before anything is decided
NOT_PLANNED = (S.VERIFIED, S.INFO_ASKED, S.REFUSED, S.ACCEPTED, S.RESTRICTED)
NOTICE = timedelta(days=7)
NOT_GONE = (Letter.State.TO_POST, Letter.State.FAILED)
NOT_LEFT = (Letter.State.WAITING, *NOT_GONE)


def stop_if_asked(request: ErasureRequest, now: datetime) -> None:
    """Restrict the records of a confirmed withdrawal of consent or objection, within seconds.

    Where the request joined an earlier one of its kind that is undecided, that one stops, and has
    the objection to be decided from now on.
    """
    if request.kind not in AT_ONCE or request.outcome == Outcome.NO_DATA_FOUND:
        return
    case = request.joined_to or request
    if case.subject is None or case.status not in (S.VERIFIED, S.INFO_ASKED):
        return
    ours = ProcessingStop.objects.filter(request=request).first()
    stop, _ = ProcessingStop.objects.get_or_create(request=case)
    if ours and stop.objection != Objection.MARKETING:
        stop.objection = ours.objection
    # Each time, as a check of identity may find records that the address alone did not.
    planning.restrict_arrived(case_id=case.pk, now=now)
    stop.stopped_at = stop.stopped_at or now
    stop.save(update_fields=["objection", "stopped_at"])


def stop_arrived(*, now: datetime) -> int:
    """Restrict what was imported of people whose processing is stopped; return for how many.

    Once a case is planned, its own steps look for what arrived.
    """
    stops = ProcessingStop.objects.filter(
        lifted_at=None, request__status__in=NOT_PLANNED, request__subject__isnull=False
    )
    found = stops.exclude(stopped_at=None).values_list("request_id", flat=True)
    return sum(planning.restrict_arrived(case_id=case_id, now=now) for case_id in found)


@transaction.atomic
def restrict_accepted(*, case_id: UUID, now: datetime) -> bool:
    """Restrict the records of a request of Art. 18 that staff accepted; it stays so."""
    if not planning.restrict_records(case_id=case_id, now=now):
        return False
    ProcessingStop.objects.update_or_create(request_id=case_id, defaults={"stopped_at": now})
    return True


@transaction.atomic
def plan_lift(
    *, case_id: UUID, reason: str, lift_on: date, user: User, now: datetime
) -> ProcessingStop:
    """Fix the day on which a restriction ends and the reason; the person is told first.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        ReasonTooShort: the reason says too little.
        ValueError: the day is not after today.
        MoveNotAllowed: the case is no accepted restriction, or its end is fixed already.
    """
    rights.require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="PLAN_LIFT")
    if request.kind != Kind.RESTRICTION or request.status != S.RESTRICTED:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s and holds no restriction to lift; only an "
                "accepted request of Art. 18 does.",
                case=request.reference,
                state=request.status,
            )
        )
    return announce(
        request=request,
        reason=reason_of("reason", reason),
        lift_on=lift_on,
        actor=actor_of(user),
        now=now,
    )


def announce(
    *, request: ErasureRequest, reason: str, now: datetime, actor: str, lift_on: date | None = None
) -> ProcessingStop:
    """Fix when the restriction of a case ends, by default after a week; within a transaction.

    Raises:
        ValueError: the day is not after today.
        MoveNotAllowed: nothing is restricted, or the end is fixed already.
    """
    stop = ProcessingStop.objects.select_for_update().get(request=request)
    if stop.stopped_at is None or stop.lift_on is not None:
        raise MoveNotAllowed(_no_new_end(request, stop))
    day = lift_on or today(now) + NOTICE
    if day <= today(now):
        raise ValueError(
            worded_of(
                "lift_on",
                "It is %(day)s; allowed are days after %(today)s.",
                day=day,
                today=today(now),
            )
        )
    stop.lift_reason, stop.lift_on = reason, day
    stop.save(update_fields=["lift_reason", "lift_on"])
    data = {"lift_on": day.isoformat()}
    log.append(type="lift_announced", case=request.pk, now=now, actor=actor, data=data)
    return stop


@transaction.atomic
def put_off(*, case_id: UUID, now: datetime) -> None:
    """Fix the end of a restriction anew where the notice of it did not leave in time.

    A notice that lies there to be posted, or could not be sent, is void once its day has come.
    """
    stop = ProcessingStop.objects.select_for_update().get(pk=case_id)
    day = today(now) + NOTICE
    fixed = _fixed_at(stop)
    late = fixed is None or today(now) > today(fixed)
    written = Letter.objects.filter(request=case_id, code="LIFT_NOTICE")
    if stop.lift_on is None or stop.lift_on >= day or not late:
        return
    if stop.lift_on <= today(now):
        written.filter(state__in=NOT_GONE).update(state=Letter.State.DROPPED, content=b"")
    if written.exclude(state=Letter.State.DROPPED).exists():
        return
    ProcessingStop.objects.filter(pk=case_id).update(lift_on=day)
    log.append(type="lift_announced", case=case_id, now=now, data={"lift_on": day.isoformat()})


@transaction.atomic
def note_notice(*, case_id: UUID, now: datetime, user: User | None = None) -> bool:
    """Record that the person was told of the coming end; by post, ``user`` says so.

    They were told when the letter left; where ``user`` says so, it was posted today.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        MoveNotAllowed: no end is fixed.
        PostingRefused: the letter names a day that has come.
    """
    if user is not None:
        rights.require(user, Right.HANDLE)
        four_eyes.check_stranger_to(case_id=case_id, user=user, action="NOTE_NOTICE")
        _post(case_id, user, now)
    stop = ProcessingStop.objects.select_related("request").filter(pk=case_id).first()
    if stop is None or stop.lift_on is None:
        reference = ErasureRequest.objects.get(pk=case_id).reference
        raise MoveNotAllowed(
            worded("Case %(case)s has no end of a restriction to tell of.", case=reference)
        )
    letters = Letter.objects.filter(request=case_id, code="LIFT_NOTICE").exclude(sent_at=None)
    last = letters.order_by("number").last()
    at = min(now, last.sent_at) if last and last.sent_at else now
    told = ProcessingStop.objects.filter(pk=case_id, notice_at=None).update(notice_at=at)
    if told:
        actor = actor_of(user) if user else log.SYSTEM
        log.append(type="lift_notice_given", case=case_id, now=now, actor=actor)
    return bool(told)


def _post(case_id: UUID, user: User, now: datetime) -> None:
    letters = Letter.objects.filter(request=case_id, code="LIFT_NOTICE")
    for letter in letters.filter(state=Letter.State.TO_POST):
        letter_posting.record_posting(
            letter_id=letter.pk, posted_on=today(now), user=user, now=now
        )


@transaction.atomic
def lift(*, case_id: UUID, now: datetime) -> bool:
    """End the restriction of which the person was told, once its day has come.

    False while that day, or the notice, is still ahead. A notice that left later than planned puts
    the end off: see ``ends_on``.
    """
    stop = ProcessingStop.objects.select_for_update().get(pk=case_id)
    if stop.lifted_at:
        return True
    ends = ends_on(stop)
    if ends is None or today(now) < ends:
        return False
    stop.lifted_at = now
    stop.save(update_fields=["lifted_at"])
    _lift(case_id, now)
    ended = ErasureRequest.objects.filter(pk=case_id, status=S.RESTRICTED)
    ended.update(outcome=Outcome.RESTRICTION_LIFTED)
    return True


def holds_back(*, case_id: UUID) -> bool:
    """Return whether a case restricts what it stopped before a decision, or at one of Art. 18."""
    stops = ProcessingStop.objects.filter(pk=case_id, lifted_at=None)
    return stops.exclude(stopped_at=None).exists()


def ends_on(stop: ProcessingStop) -> date | None:
    """Return the day on which a restriction ends; None before the person was told of it.

    It is the day that was fixed, but where the notice left on a later day than that on which it
    was fixed, not before a week has passed since.
    """
    if stop.lift_on is None or stop.notice_at is None:
        return None
    fixed, told = _fixed_at(stop), today(stop.notice_at)
    if fixed is not None and told <= today(fixed):
        return stop.lift_on
    return max(stop.lift_on, told + NOTICE)


def _fixed_at(stop: ProcessingStop) -> datetime | None:
    fixed = LogLeaf.objects.filter(case_id=stop.pk, type="lift_announced").order_by("index")
    leaf = fixed.last()
    return leaf.at if leaf else None


def lift_at_once(*, case_id: UUID, now: datetime) -> None:
    """End what was restricted at the person's own word, which needs no notice."""
    stop = ProcessingStop.objects.filter(pk=case_id, lifted_at=None).first()
    if stop is None or stop.stopped_at is None:
        return
    stop.notice_at = stop.lifted_at = now
    stop.save(update_fields=["notice_at", "lifted_at"])
    _lift(case_id, now)


def end_erased(*, case_id: UUID, now: datetime) -> None:
    """End the restrictions of Art. 18 of whose records a case of the same person left none.

    The person asked for that, and nothing is left that could be used again: no notice is due, and
    one that waits would say what is wrong. Within a transaction.
    """
    erased = ErasureRequest.objects.filter(pk=case_id, subject__isnull=False)
    kept = ErasureRequest.objects.filter(kind=Kind.RESTRICTION, outcome=Outcome.OPEN)
    kept = kept.filter(status__in=(S.RESTRICTED, S.FAILED))
    for case in kept.filter(subject__in=erased.values("subject")):
        held = forget_set(case.pk)
        if not held or any(own - purged_ordinals(space) for space, own in held.items()):
            continue
        notices = Letter.objects.filter(request=case, code="LIFT_NOTICE", state__in=NOT_LEFT)
        notices.update(state=Letter.State.DROPPED, next_try_at=None, content=b"")
        lift_at_once(case_id=case.pk, now=now)
        ErasureRequest.objects.filter(pk=case.pk).update(outcome=Outcome.RESTRICTION_ERASED)


def _lift(case_id: UUID, now: datetime) -> None:
    count = restriction.lift(case_id=case_id, now=now)
    data = {"restrictions": count}
    log.append(type="restriction_lifted", case=case_id, now=now, data=data)


def _no_new_end(request: ErasureRequest, stop: ProcessingStop) -> Worded:
    if stop.lift_on is None:
        return worded("Case %(case)s: nothing to lift.", case=request.reference)
    return worded(
        "Case %(case)s: the restriction ends on %(day)s.", case=request.reference, day=stop.lift_on
    )


def today(now: datetime) -> date:
    """Return the day where the legal clock runs."""
    return now.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
