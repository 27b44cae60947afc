"""The register of legal holds, and whether one stands in the way of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from audits.models import LegalHold
from audits.queries.forget_sets import forget_set
from audits.queries.identity import known_by
from lineage import keys
from lineage.core.identifiers import IdentifierNotUsable, lookup_digest
from lineage.models import SubjectIdentifier
from lineage.queries import subjects

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from django.db.models import QuerySet

    from audits.models import ErasureRequest
    from lineage.models import OrdinalSpace


def active_holds() -> QuerySet[LegalHold]:
    """Return the holds that were not released, the first to be reviewed first."""
    found = LegalHold.objects.filter(released_at=None).select_related("dataset", "placed_by")
    return found.order_by("review_on", "placed_at")


def released_holds() -> QuerySet[LegalHold]:
    """Return the holds that were released, the newest first."""
    found = LegalHold.objects.exclude(released_at=None)
    return found.select_related("dataset", "placed_by", "released_by").order_by("-released_at")


def holds_to_review(today: date) -> QuerySet[LegalHold]:
    """Return the active holds whose day of review has come."""
    return active_holds().filter(review_on__lte=today)


def holds_on(request: ErasureRequest) -> list[LegalHold]:
    """Return the active holds on what a case erases.

    That is on the person of the case, on whoever else owns a record that goes with it, and on a
    data set that one of its records is in.
    """
    active = list(active_holds())
    if not active:
        return []
    erased = forget_set(request.pk)
    if not erased and request.subject:
        erased = subjects.records_of(request.subject)
    spaces = {space.pk for space in erased}
    known = _known_digests(request)
    others = [hold for hold in active if hold.digest and hold.digest not in known]
    owning = _owning(others, request, erased)
    return [
        hold
        for hold in active
        if (hold.dataset and hold.dataset.space_id in spaces)
        or (hold.digest and (hold.digest in known or (hold.kind, hold.digest) in owning))
    ]


def _owning(
    holds: Collection[LegalHold], request: ErasureRequest, erased: Mapping[OrdinalSpace, BitMap]
) -> set[tuple[str, str]]:
    """Return kind and digest of whoever a case is about, or who owns a record that it erases."""
    if not holds:
        return set()
    people = {request.subject_id} | {
        owner
        for space, ordinals in erased.items()
        for owner in subjects.owners_of(space, ordinals).values()
    }
    named = SubjectIdentifier.objects.filter(digest__in={hold.digest for hold in holds})
    rows = named.values_list("subject", "kind", "digest")
    return {(kind, digest) for person, kind, digest in rows if person in people}


def _known_digests(request: ErasureRequest) -> set[str]:
    """Return the digests of all that a person may be looked for by, known to us or not."""
    secret = keys.get_or_create("lookup")
    found = set()
    for kind, value in known_by(request):
        try:
            found.add(lookup_digest(secret, kind, value))
        except IdentifierNotUsable:
            continue  # nobody can be on hold under it
    return found


def holds_on_record(space: OrdinalSpace, ordinal: int) -> list[LegalHold]:
    """Return the active holds on a record: on whoever owns it, or on a data set of its space."""
    owner = subjects.owners_of(space, BitMap([ordinal]))[ordinal]
    known = set(
        SubjectIdentifier.objects.filter(subject=owner).values_list("kind", "digest")
        if owner
        else ()
    )
    return [
        hold
        for hold in active_holds()
        if (hold.dataset and hold.dataset.space_id == space.pk)
        or (hold.kind, hold.digest) in known
    ]


def is_unknown(kind: str, identifier: str) -> bool:
    """Return whether nobody is known, by now, under what a hold on a person names."""
    return kind != LegalHold.Kind.DATASET and subjects.find_subject(kind, identifier) is None
