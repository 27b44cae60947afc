"""What a case says of the places outside lineage, and of the backups."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from audits.core import events
from audits.models import Decision, ErasureRequest, LocationException, LocationResult, LogLeaf
from audits.queries.identity import checked_digests, known_by, person_digests
from audits.queries.operator_cases import origin_of
from lineage.core.identifiers import EMAIL
from lineage.core.places import Person
from lineage.models import Location
from lineage.queries.locations import active_locations, holding_backups

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from lineage.models import Backup

R = LocationResult.Result
SETTLED = (R.DELETED, R.MASKED, R.RESTRICTED, R.NONE_FOUND)
NOT_SEARCHED = "NOT_SEARCHED"
NO_PERSON = "The case is not that of a person of whom an address or a number is known."
NOT_IN_USE = "The place is not in use."
NOT_ASKED = "The case ended before places were searched."


def excepted_locations(request: ErasureRequest) -> Mapping[str, str]:
    """Return, by slug, the coded reason for which a place keeps what it holds in this case.

    By an exception of this case, or of another of the same person; the last to end counts.
    """
    running = [*_running().filter(decision__request=request), *_of_other_cases(request)]
    running.sort(key=lambda one: one.until)
    return {one.place: f"{one.code} until {one.until}" for one in running}


def _running() -> QuerySet[LocationException]:
    found = LocationException.objects.filter(
        decision__state=Decision.State.APPROVED, ended_at=None
    )
    return found.exclude(place="")


def _of_other_cases(request: ErasureRequest) -> list[LocationException]:
    """Return the exceptions for registered places that other cases of the same person made.

    After such a case nobody is known any more: only its sealed digests say whose it was.
    """
    slugs = active_locations().values("slug")
    others = _running().filter(place__in=slugs).exclude(decision__request=request)
    rows = list(others.select_related("decision__request__subject"))
    if not rows:
        return []
    known = checked_digests(request)
    cases = {one.decision.request for one in rows}
    same = {case.pk for case in cases if known & person_digests(case)}
    return [one for one in rows if one.decision.request_id in same]


def person_of(request: ErasureRequest) -> Person | None:
    """Return the identifiers that places are asked about; None where nobody is to be asked for.

    They are the address and, once staff have checked identity, whatever else was stated.
    """
    if origin_of(request) is not None:
        return None
    known = known_by(request)
    email = next((value for kind, value in known if kind == EMAIL), "")
    further = tuple(value for _, value in known if value != email)
    return Person(email=email, further=further) if known else None


def unsettled(request: ErasureRequest) -> list[Location]:
    """Return the active places that have no result yet with which the case may close."""
    done = LocationResult.objects.filter(case=request, result__in=SETTLED)
    return list(active_locations().exclude(pk__in=done.values("location")))


def must_search(request: ErasureRequest) -> bool:
    """Return whether places are to be asked before a person is told that nothing is held."""
    return (
        request.outcome == ErasureRequest.Outcome.NO_DATA_FOUND
        and person_of(request) is not None
        and bool(unsettled(request))
    )


def told(request: ErasureRequest) -> dict[str, Any]:
    """Return what a letter and a page say of the places, by what became of them."""
    rows = results_of(request)
    return {
        "rows": rows,
        "erased": [one for one in rows if one.result == R.DELETED],
        "masked": [one for one in rows if one.result == R.MASKED],
        "kept": [one for one in rows if one.result == R.RESTRICTED],
        "backups": backups_of(request),
    }


def results_of(request: ErasureRequest) -> list[LocationResult]:
    """Return what became of each place that was asked, by slug."""
    if request.loaded_whole:
        return sorted(request.location_results.all(), key=lambda one: one.location.slug)
    return list(LocationResult.objects.filter(case=request).select_related("location"))


def backups_of(request: ErasureRequest) -> list[Backup]:
    """Return the backups that still hold the person, the first to expire first."""
    if request.erased_at is None or origin_of(request) is not None:
        return []
    return backups_of_person(request)


def backups_of_person(request: ErasureRequest) -> list[Backup]:
    """Return the backups that still hold the person of a case that is known to be a person's."""
    if request.erased_at is None:
        return []
    return list(holding_backups(erased_at=request.erased_at))


def findings(request: ErasureRequest) -> dict[str, Any]:
    """Return the member ``places`` of a record's findings; nothing where no register says any."""
    rows = [*map(_row, results_of(request)), *_left_out(request)]
    backups = [
        {
            "backup": one.name,
            "covers": one.covers,
            "made_on": one.made_at.date().isoformat(),
            "expires_on": one.expires_at.date().isoformat(),
        }
        for one in backups_of(request)
    ]
    if not rows and not backups:
        return {}
    return {"places": {"locations": sorted(rows, key=lambda row: row["slug"]), "backups": backups}}


def counts_of(request: ErasureRequest) -> dict[str, int]:
    """Return how many places came to each result, without those that came to none.

    ``NOT_SEARCHED`` counts the registered places that the case did not ask, in use or not.
    """
    asked = LocationResult.objects.filter(case=request)
    found = Counter(one or str(R.NOT_REACHABLE) for one in asked.values_list("result", flat=True))
    left = Location.objects.exclude(pk__in=asked.values("location")).count()
    return {**found, **({NOT_SEARCHED: left} if left else {})}


def last_drill() -> datetime | None:
    """Return when erasures were last replayed after a restore, or tried out."""
    leaf = LogLeaf.objects.filter(type="restore_drilled").order_by("-index").first()
    return leaf.at if leaf else None


def _row(one: LocationResult) -> dict[str, Any]:
    times = {"erased_at": one.erased_at, "verified_at": one.verified_at}
    return {
        **_named(one.location),
        "result": one.result or R.NOT_REACHABLE,
        "found": one.found,
        "remaining": one.remaining,
        "reason": one.reason,
        **{name: None if at is None else events.instant(at) for name, at in times.items()},
    }


def _left_out(request: ErasureRequest) -> list[dict[str, Any]]:
    """Return the registered places that the case did not search, each with the reason."""
    asked = LocationResult.objects.filter(case=request).values("location")
    why = NOT_ASKED if person_of(request) else NO_PERSON
    return [
        {
            **_named(one),
            "result": NOT_SEARCHED,
            "found": 0,
            "remaining": 0,
            "reason": why if one.active else NOT_IN_USE,
            "erased_at": None,
            "verified_at": None,
        }
        for one in Location.objects.exclude(pk__in=asked)
    ]


def _named(location: Location) -> dict[str, str]:
    return {
        "location": str(location.pk),
        "slug": location.slug,
        "kind": location.kind,
        "category": location.category,
    }
