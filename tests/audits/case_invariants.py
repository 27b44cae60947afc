"""What always holds of a case, whoever does what."""

from __future__ import annotations

from typing import Any

from audits.models import ErasureRequest
from audits.queries import clocks
from audits.queries.decisions import lacks_mandate
from audits.services import transitions

S = ErasureRequest.Status
WORKING = transitions.WORKING[:-1]


def nothing_is_erased_before_identity_and_decision(case: ErasureRequest, told: list[str]) -> None:
    for later in {"plan_drawn", "case_erased"} & set(told):
        assert "request_verified" in told[: told.index(later)], later
        assert "request_accepted" in told[: told.index(later)], later
    if "request_accepted" in told:
        assert "decision_approved" in told[: told.index("request_accepted")]
    if case.status in (*WORKING, S.ERASED) or case.erased_at:
        assert case.verified_at, case.status
        assert case.accepted_at, case.status
        assert case.ground, case.status


def an_answer_takes_longer_only_once_told_in_the_first_period(case: ErasureRequest) -> None:
    clock, extension = getattr(case, "clock", None), getattr(case, "extension", None)
    if clock is None:
        return
    first = clocks.first_limit(clock)
    told = extension.notice_sent_at if extension else None
    assert case.due_on == (extension.new_due if extension and told else first)
    assert told is None or told.date() <= first


def what_is_sealed_has_an_end_that_was_reached(case: ErasureRequest, sealed: set[Any]) -> None:
    assert (case.status == S.SEALED) == (case.pk in sealed)
    assert case.status != S.SEALED or case.outcome
    assert (case.outcome == "ERASED") == bool(case.erased_at)


def processing_stops_with_a_confirmed_objection(case: ErasureRequest, live: set[Any]) -> None:
    stop = getattr(case, "stop", None)
    stopped = bool(stop and stop.stopped_at and not stop.lifted_at)
    assert not stopped or case.pk in live
    if case.kind in ("CONSENT", "OBJECTION") and case.status == S.VERIFIED:
        assert stopped or case.outcome
    if case.status in (S.RECEIVED, S.EXPIRED):
        assert case.pk not in live


def what_expired_says_nothing_of_anybody(case: ErasureRequest) -> None:
    assert (case.status == S.EXPIRED) == (case.outcome == "EXPIRED")
    assert case.status != S.EXPIRED or not case.email


def what_was_joined_is_answered(case: ErasureRequest) -> None:
    if case.outcome == "JOINED":  # else it was joined, and withdrawn before it closed
        assert case.joined_to
        assert case.joined_to.outcome != "NOT_IDENTIFIED"
        assert not lacks_mandate(case.joined_to)
