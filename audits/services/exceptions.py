"""Keep apart what Art. 17(3) lets us keep, end that on its day, and erase it then."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from pyroaring import BitMap

from audits.core.commitment import commit
from audits.core.roles import Right
from audits.models import ErasureRequest, LocationException, LocationResult
from audits.queries.exceptions import (
    BEFORE_ERASURE,
    FOLLOW_UP,
    due_to_end,
    in_force,
    kept_among,
    kept_apart,
    kept_for_others,
    must_be_kept,
    to_erase,
    to_keep,
)
from audits.queries.forget_sets import forget_set
from audits.services import clocks, four_eyes, log
from audits.services.actors import actor_of
from audits.services.references import new_reference, token_digest
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed
from lineage import keys
from lineage.core import bitmaps
from lineage.core.worded import worded
from lineage.queries.locations import active_locations
from lineage.services import restriction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import DataSubject, OrdinalSpace

S = ErasureRequest.Status
R = LocationResult.Result
ERASED_THERE = (R.DELETED, R.MASKED, R.NONE_FOUND)


class MustBeKept(MoveNotAllowed):
    """A record must be kept for somebody and cannot be deleted; the sentence says why."""


@transaction.atomic
def keep_apart(*, request: ErasureRequest, now: datetime) -> None:
    """Restrict what exceptions keep of the person, each under its own id; it is not erased.

    So the case restricts it no longer, as it did where it stopped all processing at once.
    """
    if request.subject is None:
        return
    for one in in_force(request.subject):
        if one.dataset is None:
            continue
        for space, ordinals in to_keep(request.subject, one.dataset).items():
            restriction.restrict(case_id=one.pk, space=space, ordinals=ordinals, now=now)
            kept = {
                "exception": str(one.pk),
                "space": str(space.public_id),
                "records": len(ordinals),
                "digest": bitmaps.digest(ordinals),
            }
            log.append(
                type="records_excepted",
                case=request.pk,
                now=now,
                data=kept,
                once=f"excepted:{one.pk}:{space.public_id}:{kept['digest']}",
            )
    for space, ordinals in kept_among(request.subject, forget_set(request.pk)).items():
        restriction.take_out(case_id=request.pk, space=space, ordinals=ordinals, now=now)


@transaction.atomic
def leave_to_others(*, request: ErasureRequest, now: datetime) -> None:
    """Take out of a person's case what must be kept for others; it stays restricted for them."""
    if request.subject is None:
        return
    for space, ordinals in kept_for_others(request.subject, forget_set(request.pk)).items():
        restriction.take_out(case_id=request.pk, space=space, ordinals=ordinals, now=now)
        digest = bitmaps.digest(ordinals)
        kept = {"space": str(space.public_id), "records": len(ordinals), "digest": digest}
        log.append(type="records_left_to_others", case=request.pk, now=now, data=kept)


def check_deletable(
    *, records: Mapping[OrdinalSpace, BitMap], besides: DataSubject | None = None
) -> None:
    """Refuse to have records deleted that must be kept for others than ``besides``.

    Raises:
        MustBeKept: the sentence names the first of them, not whose it is.
    """
    for space, ordinals in records.items():
        if kept := ordinals & must_be_kept(space, besides):
            raise MustBeKept(
                worded(
                    "Record %(kept)s of %(name)s must be kept (Art. 17(3), 18) and cannot be"
                    " deleted. Keep it until the exception or the restriction has ended.",
                    kept=kept.min(),
                    name=space.name,
                )
            )


@transaction.atomic
def end_due(*, now: datetime) -> int:
    """End the exceptions whose last day is over; return how many.

    What one kept goes with its own case, where that has not erased yet. Otherwise it stays
    restricted until staff open the case that erases it, or note that its place was erased from.
    """
    today = now.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
    ended = 0
    for one in due_to_end(today).select_for_update(of=("self",)):
        request = one.decision.request
        at = request.failed_from or request.status
        searched = active_locations().filter(slug=one.place).exists()
        goes_along = (one.dataset or searched) and at in (S.ACCEPTED, *BEFORE_ERASURE)
        LocationException.objects.filter(pk=one.pk).update(
            ended_at=now, followed_by=request if goes_along else None
        )
        log.append(
            type="exception_ended",
            case=request.pk,
            now=now,
            data={"exception": str(one.pk), "code": one.code},
            once=f"exception-ended:{one.pk}",
        )
        ended += 1
    return ended


def release_left(*, case_id: UUID) -> None:
    """Leave to staff what was to go with a case and did not, as the exception ended too late."""
    request = ErasureRequest.objects.select_related("subject").get(pk=case_id)
    left = to_erase(request.subject) if request.subject else {}
    results = LocationResult.objects.filter(case=request, result__in=ERASED_THERE)
    gone = set(results.values_list("location__slug", flat=True))
    for one in LocationException.objects.filter(followed_by=request):
        kept = any(o & left.get(space, BitMap()) for space, o in kept_apart(one).items())
        if kept or (one.place and one.place not in gone):
            LocationException.objects.filter(pk=one.pk).update(followed_by=None)


@transaction.atomic
def open_follow_up(*, exception_id: UUID, user: User, now: datetime) -> ErasureRequest:
    """Open the linked case that erases what an ended exception kept.

    It was approved with the case that it follows on from. Nobody is written to: the answer to
    that case named the day. One case erases all that ended exceptions kept, and nothing else.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is about themselves.
        MoveNotAllowed: the exception has not ended, is followed already, or nothing is left.
    """
    require(user, Right.HANDLE)
    one = LocationException.objects.select_for_update().get(pk=exception_id)
    original = one.decision.request
    four_eyes.check_stranger(request=original, user=user, action="ERASE_EXCEPTED")
    if one.ended_at is None or one.followed_by_id or one.dataset_id is None:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: what this exception keeps can be erased once, by its own "
                "case, after it has ended.",
                case=original.reference,
            )
        )
    if original.subject is None or not original.subject.records.exists():
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: nothing of what this exception kept is left.",
                case=original.reference,
            )
        )
    request = _open(original, user, now)
    LocationException.objects.filter(
        decision__request__subject=original.subject, followed_by=None
    ).exclude(Q(ended_at=None) | Q(dataset=None)).update(followed_by=request)
    return request


@transaction.atomic
def note_place_erased(*, exception_id: UUID, user: User, now: datetime) -> bool:
    """Note that whoever keeps a place erased what an ended exception kept there.

    Nobody but they can: the address of the person is forgotten by then. False when it was noted.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is about themselves.
        MoveNotAllowed: the exception is none of a place, or has not ended.
    """
    require(user, Right.HANDLE)
    one = LocationException.objects.select_for_update().get(pk=exception_id)
    request = one.decision.request
    four_eyes.check_stranger(request=request, user=user, action="ERASE_EXCEPTED")
    if one.ended_at is None or not one.place:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: only of a place, and after the exception has ended, can be "
                "noted that it was erased from.",
                case=request.reference,
            )
        )
    if one.followed_by_id:
        return False
    LocationException.objects.filter(pk=one.pk).update(followed_by=request)
    log.append(
        type="excepted_place_erased",
        case=request.pk,
        now=now,
        actor=actor_of(user),
        data={"exception": str(one.pk), "code": one.code},
    )
    return True


def _open(original: ErasureRequest, user: User, now: datetime) -> ErasureRequest:
    due = clocks.due_of(now)
    request = ErasureRequest.objects.create(
        reference=new_reference(),
        status=S.ACCEPTED,
        channel=FOLLOW_UP,
        linked_to=original,
        subject=original.subject,
        ground=original.ground,
        status_digest=token_digest(secrets.token_urlsafe(32)),
        received_at=now,
        accepted_at=now,
        due_on=due.due_on,
        due_rule=due.rule,
    )
    clocks.start_clock(request=request, due=due)
    received = {
        "channel": FOLLOW_UP,
        "commitment": commit(keys.create(f"case:{request.pk}"), {"original": str(original.pk)}),
        "received_on": due.received_on,
        "due_on": due.due_on,
        "rule": due.rule,
        "calendar": due.calendar,
    }
    ground = {"ground": request.ground}
    actor = actor_of(user)
    log.append(type="request_received", case=request.pk, now=now, data=received, actor=actor)
    linked = {"original": str(original.pk), "versions": 0}
    log.append(type="case_linked", case=request.pk, now=now, data=linked)
    log.append(type="request_accepted", case=request.pk, now=now, data=ground, actor=actor)
    return request
