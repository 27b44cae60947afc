"""What the platform says when it does not do what it was asked: its sentence, as an exception."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused

if TYPE_CHECKING:
    import httpx

PROBLEM = "application/problem+json"
_OF_THE_KEY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem as RFC 9457 has it. ``fields``: what is wrong with each, as (field, rule)."""

    status: int
    detail: str
    kind: str = "about:blank"
    fields: tuple[tuple[str, str], ...] = ()


class Refused(ReportRefused):
    """The platform will never do this as it was asked; ``problem`` has what it said."""

    def __init__(self, sentence: str, problem: Problem) -> None:
        super().__init__(sentence)
        self.problem = problem


class NotThere(Refused):
    """There is no such thing, or not for this key (404)."""


class Conflict(Refused):
    """It cannot be done as things stand (409)."""


class Buffered(PlatformAway):
    """The platform is away; what was to be told it is kept on disk, and can be sent later."""


_KINDS: dict[int, type[Refused]] = {HTTPStatus.NOT_FOUND: NotThere, HTTPStatus.CONFLICT: Conflict}


def raise_for(response: httpx.Response) -> None:
    """Raise what an answer says, if it is not the one that was asked for.

    Raises:
        PlatformAway: an error of the server, "later", or no answer of this API at all.
        KeyNotAccepted: 401 or 403.
        Refused: any other problem; NotThere and Conflict are two of its kinds.
    """
    if response.is_success:
        return
    problem = _problem(response)
    if problem is None or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # Another server at this address, a proxy or a redirect, is no answer of the platform's.
        raise _away(response, problem.detail if problem else response.reason_phrase)
    if problem.status in _LATER:
        raise _away(response, problem.detail)
    if problem.status in _OF_THE_KEY:
        raise KeyNotAccepted(problem.detail)
    raise _KINDS.get(problem.status, Refused)(problem.detail, problem)


def _away(response: httpx.Response, said: str) -> PlatformAway:
    away = PlatformAway(f"{response.url.host} answered {response.status_code}: {said}")
    wait = response.headers.get("Retry-After", "")
    away.after = float(wait) if wait.isdigit() else None
    return away


def _problem(response: httpx.Response) -> Problem | None:
    if not response.headers.get("Content-Type", "").startswith(PROBLEM):
        return None
    try:
        told: dict[str, Any] = response.json()
        return Problem(
            status=response.status_code,
            detail=str(told["detail"]),
            kind=str(told.get("type", "about:blank")),
            fields=tuple((str(one["field"]), str(one["rule"])) for one in told.get("errors", ())),
        )
    except (ValueError, KeyError, TypeError):
        return None
