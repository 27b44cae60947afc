"""What a record answers about the request: receipt, identity, time, decisions, letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core import case_time, events
from audits.core.answers import none, rows_or
from audits.core.commitment import commit
from audits.models import Intake
from audits.models.case_secrets import key_name
from audits.queries.actors import actor_of
from audits.queries.clocks import today
from audits.queries.exceptions import exceptions_of
from lineage import keys
from lineage.models import Location

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

    from audits.core.account import LoggedEvent
    from audits.models import Decision, ErasureRequest, GroundFinding

NO_REQUEST = "OPENED_BY_OPERATOR"


def request_answers(
    request: ErasureRequest,
    findings: Mapping[str, Any],
    logged: Sequence[LoggedEvent],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return the members of the answers that are about the request."""
    asked = any(one.event.type == "request_received" for one in logged)
    secret = keys.get_many([key_name(request.pk)]).get(key_name(request.pk))
    decisions = list(request.decisions.order_by("proposed_at").prefetch_related("grounds"))
    steps = case_time.steps(logged, sealed_at=events.instant(now)) if logged else []
    return {
        "receipt": _receipt(request) if asked else none(NO_REQUEST),
        "identity": _identity(request, logged) if asked else none(NO_REQUEST),
        "checks": rows_or("NO_CHECK_BY_STAFF" if asked else NO_REQUEST, _checks(request)),
        "deadline": _deadline(request, findings.get("clock")),
        "steps": rows_or("NO_EVENT", steps),
        "waits": rows_or("NEVER_STOOD_STILL", case_time.waits(logged)),
        "decisions": rows_or(
            "NO_DECISION_BY_STAFF", [_decision(one, secret) for one in decisions]
        ),
        "grounds": rows_or(
            "NO_GROUND_ASSESSED",
            [_ground(row, secret) for one in decisions for row in one.grounds.all()],
        ),
        "exceptions": rows_or("NOTHING_EXCEPTED", _exceptions(request)),
        "letters": rows_or("NO_LETTER_YET", _letters(request)),
    }


def _receipt(request: ErasureRequest) -> dict[str, Any]:
    intake = Intake.objects.filter(request=request).select_related("entered_by").first()
    received = today(request.received_at)
    entered = today(intake.entered_at) if intake else received
    source = intake.source if intake else "FORM"
    return {
        "source": source,
        "received_on": received.isoformat(),
        "entered_on": entered.isoformat(),
        "delay_days": max(0, (entered - received).days),
        "entered_by": _entered_by(intake),
        "answer_by": intake.answer_by if intake else "EMAIL",
        "mandate": (intake.mandate_digest if intake else "") or None,
        "scan": "NOT_KEPT" if source == Intake.Source.STAFF else "NOT_ON_PAPER",
    }


def _entered_by(intake: Intake | None) -> str:
    if intake is None:
        return "subject"
    return _actor(intake.entered_by) or "system"


def _identity(request: ErasureRequest, logged: Sequence[LoggedEvent]) -> dict[str, Any]:
    confirmed = [one.event.data for one in logged if one.event.type == "request_verified"]
    checks = list(request.identity_checks.all())
    levels = [one.level for one in sorted(checks, key=_checked) if one.level]
    shown = [one for one in checks if one.method == "DOCUMENT"]
    return {
        "confirmed_by": confirmed[-1]["method"] if confirmed else None,
        "asked_for_more": sum(one.asked_at is not None for one in checks),
        "level": levels[-1] if levels else None,
        "documents_shown": len(shown),
        "documents_not_destroyed": sum(one.proof_destroyed_at is None for one in shown),
    }


def _checked(check: Any) -> str:  # noqa: ANN401  (an IdentityCheck)
    return _moment(check.checked_at) or ""


def _checks(request: ErasureRequest) -> list[dict[str, object]]:
    rows = request.identity_checks.select_related("checked_by")
    return [
        {
            "doubt": one.doubt or None,
            "asked_at": _moment(one.asked_at),
            "received_at": _moment(one.received_at),
            "method": one.method or None,
            "level": one.level or None,
            "checked_at": _moment(one.checked_at),
            "checked_by": _actor(one.checked_by),
            "proof_destroyed_at": _moment(one.proof_destroyed_at),
        }
        for one in sorted(rows, key=lambda one: (_moment(one.asked_at) or "", _checked(one)))
    ]


def _deadline(request: ErasureRequest, clock: Mapping[str, Any] | None) -> dict[str, Any]:
    if clock is None:
        return none("NOT_DERIVED" if request.due_on else "NO_STATUTORY_DEADLINE")
    extension = clock["extension"] or {}
    return {
        "rule": clock["rule"],
        "counted": clock["counted"],
        "due": clock["due"],
        "moved_over": len(clock["skipped"]),
        "extended": extension.get("notice_sent_at") is not None,
        "notice_sent_at": extension.get("notice_sent_at"),
    }


def _decision(one: Decision, secret: bytes | None) -> dict[str, object]:
    text = {
        "assessment": one.assessment,
        "evidence": one.evidence,
        "legal_position_note": one.legal_position_note,
    }
    return {
        "decision": str(one.pk),
        "kind": one.kind,
        "state": one.state,
        "refusal": one.refusal_code or None,
        "proposed_by": _actor(one.proposed_by),
        "proposed_at": events.instant(one.proposed_at),
        "approved_by": _actor(one.approved_by),
        "approved_at": _moment(one.approved_at),
        "text": _committed(secret, text),
    }


def _ground(row: GroundFinding, secret: bytes | None) -> dict[str, object]:
    text = {
        "purpose": row.purpose,
        "assessment": row.assessment,
        "other_ground": row.other_ground,
    }
    return {
        "decision": str(row.decision_id),
        "ground": row.code,
        "other_basis": bool(row.other_ground),
        "text": _committed(secret, text),
    }


def _committed(secret: bytes | None, text: Mapping[str, str]) -> str | None:
    """Return a commitment to what staff wrote: a bare digest of a sentence could be guessed."""
    return commit(secret, text) if secret and any(text.values()) else None


def _exceptions(request: ErasureRequest) -> list[dict[str, object]]:
    places = dict(Location.objects.values_list("slug", "pk"))
    return [
        {
            "exception": str(one.pk),
            "code": one.code,
            "until": one.until.isoformat(),
            "dataset": str(one.dataset_id) if one.dataset_id else None,
            "location": str(places[one.place]) if one.place in places else None,
            "ended_at": _moment(one.ended_at),
        }
        for one in exceptions_of(request)
    ]


def _letters(request: ErasureRequest) -> list[dict[str, object]]:
    return [
        {
            "letter": one.code,
            "number": one.number,
            "locale": one.locale.lower().replace("-", "_"),
            "version": one.version,
            "digest": one.digest or None,
            "state": one.state,
            "sent_at": _moment(one.sent_at),
        }
        for one in request.letters.order_by("created_at", "code", "number")
    ]


def _actor(user: User | None) -> str | None:
    return actor_of(user) if user else None


def _moment(at: datetime | None) -> str | None:
    return None if at is None else events.instant(at)
