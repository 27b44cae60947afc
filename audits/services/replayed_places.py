"""After a restore: erase again at the registered places, or say which to look through by hand.

The journal names cases and numbers, and nobody. So a place can be asked only where the restored
database still knows who a case was about, and what was decided to be kept.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.models import ErasureRequest, LocationResult
from audits.queries.operator_cases import operator_origin_of
from audits.queries.places import SETTLED, person_of, unsettled
from audits.services.places import LocationsUnsettled, erase_places
from lineage.queries.locations import active_locations
from lineage.services.journal import read_journal
from lineage.services.missing_erasures import missing_entries

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class AskedAgain:
    """What became of the places.

    * ``erased``: (reference, place, result) of each that was asked and is settled;
    * ``stuck``: (reference, sentence) of each case that has a place which is not;
    * ``by_hand``: the cases of whom nobody is known here, by their ids in the journal.
    """

    erased: tuple[tuple[str, str, str], ...] = ()
    stuck: tuple[tuple[str, str], ...] = ()
    by_hand: tuple[str, ...] = ()


def cases_to_ask() -> list[str]:
    """Return the cases whose erasures are to be done again, before that is done.

    With those whose places did not let go, or did not answer, the last time.
    """
    if not active_locations().exists():
        return []
    missing = {one.case_id for one in missing_entries()}
    return sorted(missing | _stuck_before())


def erase_again(*, case_ids: Collection[str], now: datetime) -> AskedAgain:
    """Erase the people of some cases from every place that is not settled, and read back.

    No transaction is open while a place is asked. Again, it asks only what is not settled.
    """
    erased, stuck, by_hand = [], [], []
    for case_id in case_ids:
        request = ErasureRequest.objects.filter(pk=case_id).first()
        if request and (operator_origin_of(request.pk) or not unsettled(request)):
            continue
        if request is None or request.accepted_at is None or person_of(request) is None:
            by_hand.append(case_id)
            continue
        before = _settled(request)
        try:
            erase_places(request=request, now=now)
        except LocationsUnsettled as error:
            stuck.append((request.reference, str(error)))
        after = sorted(_settled(request) - before)
        erased += [(request.reference, slug, result) for slug, result in after]
    return AskedAgain(erased=tuple(erased), stuck=tuple(stuck), by_hand=tuple(by_hand))


def _stuck_before() -> set[str]:
    named = {uuid.UUID(one.case_id) for one in read_journal()}
    rows = LocationResult.objects.filter(location__active=True).exclude(result__in=SETTLED)
    return {str(pk) for pk in rows.values_list("case_id", flat=True) if pk in named}


def _settled(request: ErasureRequest) -> set[tuple[str, str]]:
    done = LocationResult.objects.filter(case=request, result__in=SETTLED)
    return set(done.values_list("location__slug", "result"))
