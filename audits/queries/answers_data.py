"""What a record answers about the data: search, places, backups, suppression, whom was told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Max

from audits.core import events
from audits.core.answers import none, rows_or
from audits.queries.forget_sets import forget_set
from audits.queries.identity import known_by
from audits.queries.limit_sentences import NEAR_SEARCH_INCOMPLETE
from audits.queries.operator_cases import operator_origin_of
from audits.queries.places import last_drill
from lineage.models import DataRecord, SuppressionHit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.account import LoggedEvent
    from audits.models import ErasureRequest

BY_OPERATOR = "OPENED_BY_OPERATOR"
CATEGORIES = {
    "data": "DATA",
    "caches": "CACHE",
    "exports": "EXPORT",
    "labels": "LABELS",
    "logs": "LOG",
}
# What no search by identifiers sees, whatever the case.
ALWAYS_BLIND = ["MENTIONS_BY_OTHERS", "IDENTIFIERS_NOT_STATED", "COPIES_NOT_REGISTERED"]


def data_answers(
    request: ErasureRequest, findings: Mapping[str, Any], logged: Sequence[LoggedEvent]
) -> dict[str, Any]:
    """Return the members of the answers that are about the data and those who had it."""
    person = operator_origin_of(request.pk) is None
    told = findings.get("told", {"notices": [], "deployments": []})
    return {
        "search": _search(request, findings, logged, person=person),
        "identifiers": _identifiers(request) if person else none(BY_OPERATOR),
        "places": _places(findings),
        "backups": _backups(findings),
        "suppression": _suppression(logged) if person else none(BY_OPERATOR),
        "recipients": _recipients(told["notices"]),
        "deployments": _deployments(told["deployments"]),
    }


def _search(
    request: ErasureRequest,
    findings: Mapping[str, Any],
    logged: Sequence[LoggedEvent],
    *,
    person: bool,
) -> dict[str, Any]:
    found, alike = _last(logged, "subject_identified"), _last(logged, "duplicates_searched")
    spaces = [row["space"] for row in findings["plan"].get("spaces", [])]
    spaces = spaces or [str(space.public_id) for space in forget_set(request.pk)]
    bare = DataRecord.objects.filter(
        space__public_id__in=spaces, subject=None, invalidated_at=None
    ).exists()
    skipped = _skipped(findings) or any(
        one.event.type == "incident_raised" and one.event.data["code"] == NEAR_SEARCH_INCOMPLETE
        for one in logged
    )
    return {
        "rule": "KEYED_DIGEST_EQUAL" if person else "CHOSEN_BY_OPERATOR",
        "records": found.get("records"),
        "equal": alike.get("exact"),
        "close": alike.get("near"),
        "spaces": len(spaces),
        "records_without_owner": bare,
        "blind_spots": [
            *ALWAYS_BLIND,
            *(["RECORDS_WITHOUT_OWNER"] if bare else []),
            *(["PARTS_NOT_SEARCHED"] if skipped else []),
        ],
    }


def _skipped(findings: Mapping[str, Any]) -> bool:
    rows = findings.get("places", {}).get("locations", ())
    return any(row["result"] == "NOT_SEARCHED" for row in rows)


def _identifiers(request: ErasureRequest) -> list[dict[str, object]] | dict[str, str]:
    counts = Counter(kind for kind, _ in known_by(request))
    rows: list[dict[str, object]] = [
        {"kind": kind, "count": count} for kind, count in sorted(counts.items())
    ]
    return rows_or("GONE_BEFORE_THE_SEAL", rows)


def _places(findings: Mapping[str, Any]) -> dict[str, Any]:
    rows = findings.get("places", {}).get("locations", [])
    if not rows:
        return none("NO_PLACE_REGISTERED")
    kinds = Counter(row["category"] for row in rows)
    return {
        "registered": len(rows),
        "searched": sum(row["result"] != "NOT_SEARCHED" for row in rows),
        **{name: kinds[category] for name, category in CATEGORIES.items()},
    }


def _backups(findings: Mapping[str, Any]) -> dict[str, Any]:
    drilled = last_drill()
    return {
        "holding": len(findings.get("places", {}).get("backups", [])),
        "journal_entries": len(findings["erasure"]["journal"]),
        "last_drill_at": None if drilled is None else events.instant(drilled),
    }


def _suppression(logged: Sequence[LoggedEvent]) -> dict[str, Any]:
    last = SuppressionHit.objects.aggregate(last=Max("day"))["last"]
    return {
        "entered": any(one.event.type == "subject_key_destroyed" for one in logged),
        "kept_days": settings.EXPUNGE_SUPPRESSION_DAYS,
        "last_hit_on": None if last is None else last.isoformat(),
    }


def _recipients(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    states = Counter(row["state"] for row in rows)
    if not rows:
        return none("NOBODY_IN_THE_REGISTERS")
    return {
        "told": sum(row["sent_at"] is not None for row in rows),
        "acknowledged": states["ACKNOWLEDGED"],
        "not_possible": states["NOT_POSSIBLE"],
    }


def _deployments(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not rows:
        return none("NONE_REGISTERED")
    return {
        "known": len(rows),
        "open": sum(bool(row["open"]) for row in rows),
        "not_acknowledged": sum(row["acknowledged_at"] is None for row in rows),
    }


def _last(logged: Sequence[LoggedEvent], kind: str) -> Mapping[str, Any]:
    return next((one.event.data for one in reversed(logged) if one.event.type == kind), {})
