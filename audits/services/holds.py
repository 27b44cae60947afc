"""Place and release legal holds, and stop the cases that one stands in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, LegalHold
from audits.queries.holds import holds_on
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import move
from lineage import keys
from lineage.core.identifiers import lookup_digest
from lineage.core.worded import not_among, worded, worded_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import Dataset

S = ErasureRequest.Status
CODE = "LEGAL_HOLD"
# From the restriction, which a hold does not put off, to the deletion.
STOPPED = (S.RESTRICTED, S.PLANNED, S.UNLEARNING, S.AUDITING)


@transaction.atomic
def place_hold(  # noqa: PLR0913  (what a register holds of an entry)
    *,
    basis: str,
    review_on: date,
    user: User,
    now: datetime,
    kind: str,
    identifier: str = "",
    dataset: Dataset | None = None,
) -> LegalHold:
    """Put a person or a data set under a hold; what is at work stops before its next step.

    Args:
        basis: the claim or proceeding, in words.
        review_on: the day on which somebody asks whether it is still needed.
        user: who places it.
        now: when.
        kind: ``EMAIL`` or ``EXTERNAL``, with ``identifier``; or ``DATASET``, with ``dataset``.
        identifier: as typed; only its keyed digest is stored.
        dataset: the data set.

    Raises:
        NotAllowed: the member of staff may not keep registers.
        ValueError: something is missing, or the review lies in the past.
    """
    require(user, Right.REGISTER)
    if kind not in LegalHold.Kind.values:
        raise ValueError(not_among("kind", kind, LegalHold.Kind.values))
    if not basis.strip():
        raise ValueError(worded_of("basis", "It is empty; name the claim or the proceeding."))
    if review_on <= now.date():
        raise ValueError(
            worded_of(
                "review_on",
                "It is %(review_on)s; it must be after %(now)s.",
                review_on=review_on,
                now=now.date(),
            )
        )
    if (kind == LegalHold.Kind.DATASET) != (dataset is not None):
        raise ValueError(worded("A hold is on a person or on a data set: name one of them."))
    digest = "" if dataset else lookup_digest(keys.get_or_create("lookup"), kind, identifier)
    hold = LegalHold.objects.create(
        kind=kind,
        digest=digest,
        dataset=dataset,
        basis=basis.strip(),
        review_on=review_on,
        placed_by=user,
        placed_at=now,
    )
    _log("hold_placed", hold, user, now)
    return hold


@transaction.atomic
def release_hold(*, hold_id: UUID, user: User, now: datetime) -> bool:
    """Release a hold; the cases that it stopped go on by themselves. False when it was released.

    Raises:
        NotAllowed: the member of staff may not keep registers.
    """
    require(user, Right.REGISTER)
    released = LegalHold.objects.filter(pk=hold_id, released_at=None).update(
        released_at=now, released_by=user
    )
    if released:
        _log("hold_released", LegalHold.objects.get(pk=hold_id), user, now)
    return bool(released)


def hold_case(*, case_id: UUID, now: datetime) -> bool:
    """Put a case on hold if a legal hold is on what it erases; return whether it is stopped.

    Asked before every step and immediately before the deletion. Its records stay restricted.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    if request.status == S.ON_HOLD:
        return True
    return request.status in STOPPED and _in_the_way(request) and _hold(case_id, now)


@transaction.atomic
def resume_held(*, case_id: UUID, now: datetime) -> bool:
    """Let a case go on from where a hold stopped it, if none is left; return whether it does."""
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if request.status != S.ON_HOLD or not request.held_from or _in_the_way(request):
        return False
    ErasureRequest.objects.filter(pk=case_id).update(status=request.held_from, held_from="")
    log.append(type="request_resumed", case=case_id, now=now)
    return True


def _in_the_way(request: ErasureRequest) -> bool:
    """Return whether a hold stops a case; a restriction of Art. 18 erases nothing."""
    return request.kind != ErasureRequest.Kind.RESTRICTION and bool(holds_on(request))


@transaction.atomic
def _hold(case_id: UUID, now: datetime) -> bool:
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    return request.status in STOPPED and move(
        case_id=case_id,
        to=S.ON_HOLD,
        now=now,
        event=("request_held", {"code": CODE}),
        fields={"held_from": request.status},
    )


def _log(kind: str, hold: LegalHold, user: User, now: datetime) -> None:
    log.append(
        type=kind,
        case=None,
        now=now,
        actor=actor_of(user),
        data={"hold": str(hold.pk), "kind": hold.kind},
    )
