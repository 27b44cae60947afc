"""What a record answers about the installation: the log, roles, retention, policy, who answers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Count, Q

from audits.core import answers, bill, events, evidence_file, record
from audits.core.case_retention import days_of
from audits.core.ledger import leaf_hash
from audits.core.roles import ROLES
from audits.core.software import VERSION
from audits.models import ErasureRequest, LogCheckpoint, LogHead, LogLeaf
from audits.queries.clocks import clock_of, today
from audits.queries.policy_values import in_force
from audits.queries.retention import retention_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audits.core.account import LoggedEvent

PERIOD = timedelta(days=365)
FEW = 10  # below which a figure could point at a person
# The smallest number of cases of each band.
BANDS = ((1000, "FROM_1000"), (200, "FROM_200"), (50, "FROM_50"), (FEW, "FROM_10"))
PERSONAL = ["PSEUDONYMS_OF_STAFF", "COMMITMENT_TO_THE_ADDRESS", "CASE_REFERENCE"]


def site_answers(
    request: ErasureRequest, logged: Sequence[LoggedEvent], *, now: datetime
) -> dict[str, Any]:
    """Return the members of the answers that are about the installation."""
    since = now - PERIOD
    ended = list(
        ErasureRequest.objects.filter(sealed_at__gte=since, sealed_at__lt=now).values_list(
            "outcome", "received_at", "sealed_at"
        )
    )
    clock = clock_of(request)  # by whose law it ran, whatever is in force by now
    days = [(sealed - received).days for _, received, sealed in ended if sealed]
    return {
        "log": _log(request),
        "roles": _roles(),
        "retention": _retention(request, logged, now),
        "policy": {
            "digest": _policy(logged),
            "regime": clock.regime if clock else "NONE",
            "second_person": settings.EXPUNGE_SECOND_PERSON,
            "median_days": max(0, round(median(days))) if len(days) >= FEW else None,
            "since": today(since).isoformat(),
        },
        "period": answers.rows_or("NO_CASE_ENDED_BEFORE", _period(row[0] for row in ended)),
        "responsible": _responsible(),
    }


def band(count: int) -> str:
    """Return the band of a number of cases, which is at least 1."""
    return next((name for least, name in BANDS if count >= least), "UNDER_10")


def _period(outcomes: Any) -> list[dict[str, object]]:  # noqa: ANN401  (an iterator of texts)
    counts = Counter(outcomes)
    return [{"outcome": one, "cases": band(counts[one])} for one in sorted(counts) if one]


def _log(request: ErasureRequest) -> dict[str, object]:
    """Return how the log stood; the leaves of the case are read again and hashed."""
    checkpoints = LogCheckpoint.objects.order_by("-size")
    last, size = checkpoints.first(), LogHead.objects.get(pk=1).size
    own = LogLeaf.objects.filter(case_id=request.pk)
    whole = sum(leaf_hash(bytes(one.data)) == bytes(one.leaf_hash) for one in own.iterator())
    return {
        "events": size,
        "checkpoints": checkpoints.count(),
        "last_checkpoint": last.size if last else None,
        "last_checkpoint_at": events.instant(last.created_at) if last else None,
        "not_anchored": size - (last.size if last else 0),
        "checked": whole,
        **_full_check(),
    }


def _full_check() -> dict[str, object]:
    """Return when the whole log was last found whole, if ``manage.py fsck --note`` said so."""
    leaf = LogLeaf.objects.filter(type="log_checked").order_by("-index").first()
    if leaf is None:
        return {"full_check_at": None, "full_check_events": None}
    said = events.parse(bytes(leaf.data))
    return {"full_check_at": said.at, "full_check_events": said.data["events"]}


def _roles() -> list[dict[str, object]]:
    active = Count("user", filter=Q(user__is_active=True))
    people = dict(Group.objects.annotate(active=active).values_list("name", "active"))
    return [
        {
            "role": _coded(role),
            "people": people.get(role, 0),
            "rights": [_coded(str(right)) for right in rights],
        }
        for role, rights in ROLES.items()
    ]


def _coded(name: str) -> str:
    return name.upper().replace(" ", "_")


def _retention(
    request: ErasureRequest, logged: Sequence[LoggedEvent], now: datetime
) -> dict[str, object]:
    kept = retention_of(request)
    days = (
        kept.days
        if kept
        else days_of(
            request.outcome,
            default=in_force("CASE_DAYS"),
            by_outcome=in_force("CASE_DAYS_BY_OUTCOME"),
        )
    )
    until = kept.ends_on if kept else today(now) + timedelta(days=days)
    committed = sum("commitment" in one.event.data for one in logged)
    return {
        "days": days,
        "key_until": until.isoformat(),
        "commitments": committed,
        "personal": PERSONAL,
    }


def _policy(logged: Sequence[LoggedEvent]) -> str | None:
    fixed = [one.event.data["policy"] for one in logged if one.event.type == "policy_fixed"]
    return str(fixed[-1]) if fixed else None


def _responsible() -> dict[str, object]:
    return {
        "controller": _name(in_force("CONTROLLER")),
        "contact": _name(in_force("CONTACT")),
        "authority": _name(in_force("AUTHORITY")),
        "software": VERSION,
        "source": bill.source_digest(),
        "packages": bill.packages_digest(),
        "record_format": record.FORMAT,
        "evidence_format": evidence_file.FORMAT,
        "answers_format": answers.FORMAT,
    }


def _name(text: str) -> str:
    """Return a name of the installation in a form that a record may hold."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return shown[:200] or "-"
