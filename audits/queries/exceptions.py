"""What is kept of a person under Art. 17(3), where, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from pyroaring import BitMap

from audits.models import Decision, ErasureRequest, LocationException
from lineage.core.bitmaps import decode
from lineage.models import Restriction
from lineage.queries import subjects
from lineage.queries.availability import purged_ordinals
from lineage.queries.derivation import with_derived

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date
    from uuid import UUID

    from django.db.models import QuerySet

    from lineage.models import Dataset, DataSubject, OrdinalSpace

S = ErasureRequest.Status
Records = dict["OrdinalSpace", BitMap]
FOLLOW_UP = "EXCEPTION_ENDED"  # the channel of a case that erases what ended exceptions kept
# Until here what an ended exception kept can still go with its own case.
BEFORE_ERASURE = (S.RESTRICTED, S.PLANNED, S.UNLEARNING, S.AUDITING, S.ON_HOLD)


def exceptions_of(request: ErasureRequest) -> QuerySet[LocationException]:
    """Return the exceptions of the decision that was carried out, the first to end first."""
    found = LocationException.objects.filter(
        decision__request=request, decision__state=Decision.State.APPROVED
    )
    return found.select_related("dataset", "followed_by", "reviewer").order_by("until", "pk")


def in_force(subject: DataSubject) -> QuerySet[LocationException]:
    """Return the exceptions that keep records of a person, whichever case made them."""
    found = LocationException.objects.filter(
        decision__request__subject=subject,
        decision__state=Decision.State.APPROVED,
        ended_at=None,
    )
    return found.exclude(dataset=None).select_related("dataset__space").order_by("until", "pk")


def to_erase(subject: DataSubject) -> Records:
    """Return the records of a person that no exception keeps, with what was derived from them."""
    spaces = kept_spaces(subject)
    own = {s: o for s, o in subjects.records_of(subject).items() if s.pk not in spaces}
    return {s: o for s, o in with_derived(own).items() if s.pk not in spaces}


def chosen_of(request: ErasureRequest) -> Records:
    """Return what a case erases of its person; to follow up is to erase what was kept, no more."""
    if request.subject is None:
        return {}
    if request.channel != FOLLOW_UP:
        return to_erase(request.subject)
    spaces = kept_spaces(request.subject)
    ended = LocationException.objects.filter(followed_by=request).values_list("pk", flat=True)
    return {s: o for s, o in _restricted_for(ended).items() if s.pk not in spaces}


def to_keep(subject: DataSubject, dataset: Dataset) -> Records:
    """Return the records that an exception for a data set keeps apart.

    Beside those of the data set itself: what was derived from them, unless it is erased as
    derived from others too.
    """
    kept = subjects.records_of(subject)
    own = {space: o for space, o in kept.items() if space.pk == dataset.space_id}
    erased = to_erase(subject)
    held = {s: o - erased.get(s, BitMap()) for s, o in with_derived(own).items()}
    return {space: ordinals for space, ordinals in held.items() if ordinals}


def kept_among(subject: DataSubject, held: Records) -> Records:
    """Return what exceptions in force keep among records that a case has restricted.

    What was derived from kept records goes all the same where it was derived from others that the
    case erases, or has erased already.
    """
    spaces = kept_spaces(subject)
    if not spaces:
        return {}
    own = {s: o for s, o in subjects.records_of(subject).items() if s.pk in spaces}
    kept = {s: o - purged_ordinals(s) for s, o in with_derived(own).items()}
    others = to_erase(subject)
    for space, ordinals in held.items():
        others[space] = others.get(space, BitMap()) | (ordinals - kept.get(space, BitMap()))
    erased = {s: o for s, o in with_derived(others).items() if s.pk not in spaces}
    among = {s: (o & kept.get(s, BitMap())) - erased.get(s, BitMap()) for s, o in held.items()}
    return {space: ordinals for space, ordinals in among.items() if ordinals}


def keeps_everything(subject: DataSubject, spaces: Collection[int]) -> bool:
    """Return whether exceptions for some spaces would leave no record to erase."""
    held = {space.pk for space in subjects.records_of(subject)}
    return bool(held) and held <= set(spaces) | kept_spaces(subject)


def kept_apart(one: LocationException) -> Records:
    """Return what is restricted for an exception now."""
    return _restricted_for([one.pk])


def must_be_kept(space: OrdinalSpace, besides: DataSubject | None = None) -> BitMap:
    """Return the records of a space that nobody may delete now, for others than ``besides``.

    Exceptions of Art. 17(3) in force keep them, or a person asked for them to be kept (Art. 18).
    """
    excepted = LocationException.objects.filter(
        decision__state=Decision.State.APPROVED, ended_at=None
    )
    # On hold or failed, too: whatever they restrict is to be kept.
    wanted = ErasureRequest.objects.filter(kind=ErasureRequest.Kind.RESTRICTION)
    if besides is not None:
        excepted = excepted.exclude(decision__request__subject=besides)
        wanted = wanted.exclude(subject=besides)
    keeping = [*excepted.values_list("pk", flat=True), *wanted.values_list("pk", flat=True)]
    return _restricted_for(keeping).get(space, BitMap()) - purged_ordinals(space)


def kept_for_others(subject: DataSubject, held: Records) -> Records:
    """Return what must be kept for other people among records that a case has restricted.

    Not what is the person's own, or was derived from what the case erases: that goes all the same.
    """
    own = subjects.records_of(subject)
    kept = {s: (o & must_be_kept(s, subject)) - own.get(s, BitMap()) for s, o in held.items()}
    erased = with_derived({space: ordinals - kept[space] for space, ordinals in held.items()})
    left = {space: ordinals - erased[space] for space, ordinals in kept.items()}
    return {space: ordinals for space, ordinals in left.items() if ordinals}


def due_to_end(today: date) -> QuerySet[LocationException]:
    """Return the exceptions whose last day is over and that were not ended yet."""
    return LocationException.objects.filter(
        decision__state=Decision.State.APPROVED, until__lt=today, ended_at=None
    ).select_related("decision__request", "dataset")


def waiting_to_be_erased() -> QuerySet[LocationException]:
    """Return the ended exceptions of which nobody has erased yet what they kept.

    The records of somebody who is forgotten are gone; what a place holds may still be there.
    """
    ended = LocationException.objects.exclude(ended_at=None).filter(followed_by=None)
    there = ended.filter(Q(dataset=None) | Q(decision__request__subject__erased_at=None))
    return there.select_related("decision__request", "dataset").order_by("ended_at")


def kept_spaces(subject: DataSubject) -> set[int]:
    """Return the spaces in which records of a person are kept."""
    return set(in_force(subject).values_list("dataset__space", flat=True))


def _restricted_for(exceptions: Iterable[UUID]) -> Records:
    rows = Restriction.objects.filter(case_id__in=list(exceptions), lifted_at=None)
    found: Records = {}
    for row in rows.select_related("space"):
        found[row.space] = found.get(row.space, BitMap()) | decode(bytes(row.bitmap))
    return found
