"""Let staff look at records of an operator's case, and log who opened how many of which case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from pyroaring import BitMap

from audits.core.preview import Shown, shown
from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.queries.operator_cases import may_look, operator_origin_of
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage import artifacts
from lineage.core.pictures import small_png
from lineage.core.worded import worded
from lineage.models import ErasureViewOpening
from lineage.queries.availability import purged_ordinals, restricted_ordinals
from lineage.queries.contents import read_batch, stored
from lineage.services.holding import hold_id
from lineage.services.views import open_erasure_view

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import OrdinalSpace

REVIEW = "REVIEW"
# Whoever proposes about a record or approves it sees what it is about; nobody else does.
LOOKERS = (Right.HANDLE, Right.REVIEW)
NOTES = {
    "GONE": "No longer held: it was erased.",
    "ELSEWHERE": "Its content is not stored here.",
    "OF_ANOTHER": "Set aside for another case, and not shown.",
    "BROKEN": "Its file is missing or is not what was imported.",
    "NO_PICTURE": "It cannot be read as a picture.",
}


class NothingToLookAt(Exception):
    """The case is not one whose records staff look at; the sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The records of one space that were asked for; ``opening`` is None where none was open."""

    opening: ErasureViewOpening | None
    records: dict[int, Shown]


@transaction.atomic
def look_at(
    *, case_id: UUID, space: OrdinalSpace, ordinals: BitMap, user: User, now: datetime
) -> Opened:
    """Open records for a member of staff to look at; those that cannot be opened say why.

    Raises:
        NotAllowed: the member of staff neither proposes nor approves.
        NothingToLookAt: the case is a person's, or was dropped.
    """
    require(user, *LOOKERS)
    _check(case_id)
    return _open(case_id, space, ordinals, actor_of(user), now, case=case_id)


@transaction.atomic
def look_at_held(*, space: OrdinalSpace, ordinals: BitMap, user: User, now: datetime) -> Opened:
    """Open records that an import found alike under two targets, likewise."""
    require(user, *LOOKERS)
    return _open(hold_id(space), space, ordinals, actor_of(user), now)


def _open(
    run_id: UUID,
    space: OrdinalSpace,
    ordinals: BitMap,
    actor: str,
    now: datetime,
    case: UUID | None = None,
) -> Opened:
    there = openable(run_id, space, ordinals)
    records = {one: Shown(note=_why_not(run_id, space, one)) for one in ordinals - there}
    if not there:
        return Opened(opening=None, records=records)
    view = open_erasure_view(run_id=run_id, purpose=REVIEW, space=space, ordinals=there, now=now)
    log.append(
        type="erasure_view_opened",
        case=case,
        now=now,
        actor=actor,
        data={"run": str(run_id), "purpose": REVIEW, "records": len(there)},
        once=f"view:{run_id}:{view.opening.pk}",
    )
    records |= {one: _shown(space, one) for one in there}
    return Opened(opening=view.opening, records=records)


def picture(*, opening_id: UUID, ordinal: int) -> bytes | None:
    """Return a record that was opened as a small picture; None if it cannot be any more."""
    found = ErasureViewOpening.objects.select_related("space")
    opening = found.filter(pk=opening_id, purpose=REVIEW).first()
    if opening is None or not openable(opening.run_id, opening.space, BitMap([ordinal])):
        return None
    try:
        return small_png(read_batch(opening.space, [ordinal])[0].content)
    except (artifacts.ArtefactMissing, artifacts.ArtefactAltered):
        return None


def openable(run_id: UUID, space: OrdinalSpace, ordinals: BitMap) -> BitMap:
    """Return those records that are stored here and not set aside for another case."""
    barred = purged_ordinals(space) | restricted_ordinals(space, besides=run_id)
    return stored(space, ordinals - barred)


def _check(case_id: UUID) -> None:
    request = ErasureRequest.objects.get(pk=case_id)
    if operator_origin_of(case_id) is None:
        raise NothingToLookAt(
            worded("Case %(case)s is a person's: its records stay closed.", case=request.reference)
        )
    if not may_look(request):
        raise NothingToLookAt(
            worded(
                "Case %(case)s was dropped: nothing is to be looked at.", case=request.reference
            )
        )


def _why_not(run_id: UUID, space: OrdinalSpace, ordinal: int) -> str:
    if ordinal in purged_ordinals(space):
        return NOTES["GONE"]
    if ordinal in restricted_ordinals(space, besides=run_id):
        return NOTES["OF_ANOTHER"]
    return NOTES["ELSEWHERE"]


def _shown(space: OrdinalSpace, ordinal: int) -> Shown:
    try:
        record = read_batch(space, [ordinal])[0]
    except (artifacts.ArtefactMissing, artifacts.ArtefactAltered):
        return Shown(note=NOTES["BROKEN"])
    found = shown(record.content, record.media_type)
    if found.picture and small_png(record.content) is None:
        return Shown(note=NOTES["NO_PICTURE"])
    return found
