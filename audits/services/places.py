"""Erase a person from every registered place, read back, and say what became of each.

No transaction is open while a place is asked. A place that is settled is not asked again, so a
case that stopped at one goes on with that one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest, LocationResult
from audits.queries.identity import known_by
from audits.queries.places import excepted_locations, person_of, unsettled
from audits.services import log
from lineage.core.place_settings import SettingRefused
from lineage.core.places import MASKED, LocationNotReachable
from lineage.queries.locations import place_of
from lineage.services.subjects import register_subject

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.core.places import Person, Place
    from lineage.models import Location

R = LocationResult.Result
Outcome = ErasureRequest.Outcome
LONGEST = 300
# What was masked, kept or left over is no erasure, in the log neither.
EVENTS: dict[str, str] = {
    R.NOT_REACHABLE: "location_searched",
    R.DELETED: "location_erased",
    R.MASKED: "location_kept",
    R.RESTRICTED: "location_kept",
    R.REMAINS: "location_kept",
}


class LocationsUnsettled(Exception):
    """Places did not let a person go, or could not be asked; the sentence names each of them."""


def erase_places(*, request: ErasureRequest, now: datetime) -> None:
    """Erase the person of a case from each active place that is not settled yet.

    Every place is tried, so that one which is away does not keep the others waiting.

    Raises:
        LocationsUnsettled: at least one is not settled; the case does not go on.
    """
    person = person_of(request)
    if person is None:
        return
    excepted = excepted_locations(request)
    stuck = []
    for location in unsettled(request):
        try:
            _settle(request, location, person, excepted.get(location.slug), now)
        except LocationNotReachable as error:
            _note(request, location, R.NOT_REACHABLE, now, reason=str(error))
            stuck.append(f"{location.slug}: {error}")
    if stuck:
        raise LocationsUnsettled(
            f"{' '.join(stuck)} The case waits until each place was erased from and read back. "
            "Put the cause right, or take a place that is gone out of use, then retry."
        )


def _settle(
    request: ErasureRequest,
    location: Location,
    person: Person,
    excepted: str | None,
    now: datetime,
) -> None:
    place = _opened(location)
    row = _searched(request, location, place.find(person).count, now)
    if not row.found:
        return
    if excepted is not None:
        left = place.read_back(person)
        _note(request, location, R.RESTRICTED, now, reason=excepted, remaining=left)
        return
    how = place.erase(person).how
    remaining = place.read_back(person)
    if remaining:
        _note(request, location, R.REMAINS, now, remaining=remaining)
        raise LocationNotReachable(
            f"{remaining} of {row.found} are still found when reading back."
        )
    if how == MASKED and not location.mask_reason:
        raise LocationNotReachable("It masks instead of deleting, and no reason for that is kept.")
    result = R.MASKED if how == MASKED else R.DELETED
    _note(request, location, result, now, reason=location.mask_reason if how == MASKED else "")


@transaction.atomic
def _searched(
    request: ErasureRequest, location: Location, count: int, now: datetime
) -> LocationResult:
    """Keep how much was found before any of it goes: a crash may come between the two."""
    row, _ = LocationResult.objects.select_for_update().get_or_create(
        case=request, location=location
    )
    row.found = max(row.found, count)
    if not row.found:
        row.result, row.verified_at, row.reason = R.NONE_FOUND, now, ""
    row.save()
    log.append(
        type="location_searched",
        case=request.pk,
        now=now,
        data={
            "location": location.pk,
            "result": "FOUND" if row.found else "NONE_FOUND",
            "found": row.found,
        },
        once=f"searched:{request.pk}:{location.pk}:{row.found}",
    )
    return row


@transaction.atomic
def _note(
    request: ErasureRequest,
    location: Location,
    result: str,
    now: datetime,
    *,
    reason: str = "",
    remaining: int = 0,
) -> None:
    row, _ = LocationResult.objects.select_for_update().get_or_create(
        case=request, location=location
    )
    if result == R.NOT_REACHABLE and row.result == R.REMAINS:
        result, remaining = R.REMAINS, row.remaining
    again = (row.result, row.remaining) == (result, remaining)
    row.result, row.reason, row.remaining = result, reason[:LONGEST], remaining
    if result in (R.DELETED, R.MASKED):
        row.erased_at = now
    if result != R.NOT_REACHABLE:
        row.verified_at = now
    row.save()
    if again:
        return
    data = {"location": location.pk, "result": result, "found": row.found}
    if result != R.NOT_REACHABLE:
        data["remaining"] = remaining
    log.append(type=EVENTS[result], case=request.pk, now=now, data=data)


def search_places(*, request: ErasureRequest, now: datetime) -> None:
    """Ask the places about a person of whom lineage holds nothing, before they are told so.

    Where one holds something, or does not answer, the case no longer closes by itself: staff
    decide about it, and it goes the way of any other.
    """
    person = person_of(request)
    if person is None:
        return
    held = False
    for location in unsettled(request):
        try:
            held |= (
                _searched(request, location, _opened(location).find(person).count, now).found > 0
            )
        except LocationNotReachable as error:
            _note(request, location, R.NOT_REACHABLE, now, reason=str(error))
            held = True
    if held:
        leave_to_staff(request=request, now=now)


@transaction.atomic
def leave_to_staff(*, request: ErasureRequest, now: datetime) -> None:
    """Let staff decide about a case that would have closed as one about nobody."""
    subject = request.subject or register_subject(identifiers=dict(known_by(request)[:1]), now=now)
    ErasureRequest.objects.filter(
        pk=request.pk, status=ErasureRequest.Status.VERIFIED, outcome=Outcome.NO_DATA_FOUND
    ).update(subject=subject, outcome=Outcome.OPEN)
    # They are asked again when the person is erased, which may be weeks later.
    LocationResult.objects.filter(case=request, result=R.NONE_FOUND).delete()


def _opened(location: Location) -> Place:
    try:
        return place_of(location)
    except SettingRefused as error:
        raise LocationNotReachable(str(error)) from None
