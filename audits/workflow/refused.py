"""What is refused is logged as well: a decorator for the actions of people."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from audits.models import Decision, DuplicateFinding, Letter, LocationException
from audits.queries import cases
from audits.services import refusals
from audits.services.decisions import ReplacementNotAcceptable
from audits.services.duplicates import NeedsSecond
from audits.services.extensions import ExtensionRefused
from audits.services.four_eyes import NotYourDecision
from audits.services.operator_cases import NotYourApproval
from audits.services.pauses import PauseRefused
from audits.services.transitions import MoveNotAllowed
from lineage.core import spans
from unlearning.services.runs import RunNotWaiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from uuid import UUID

    from django.db.models import Manager

P = ParamSpec("P")
T = TypeVar("T")
# Sentences that services wrote for people. Anything else is a fault of ours, and no refusal.
REFUSED = (
    ExtensionRefused,
    MoveNotAllowed,
    NeedsSecond,
    NotYourApproval,
    NotYourDecision,
    PauseRefused,
    PermissionDenied,
    ReplacementNotAcceptable,
    RunNotWaiting,
    ValueError,
)
# Which case a row belongs to, by the name under which an action takes it.
HELD_BY: Mapping[str, tuple[Manager[Any], str]] = {
    "finding_id": (DuplicateFinding.objects, "request_id"),
    "letter_id": (Letter.objects, "request_id"),
    "exception_id": (LocationException.objects, "decision__request_id"),
}


def logged(action: Callable[P, T]) -> Callable[P, T]:
    """Have a refused action written into the log of its cases, in a transaction of its own.

    The action takes ``case_id``, ``run_id``, ``decision`` or one of ``HELD_BY``, and ``user``
    unless it is the person's own. The event has the action's name and a code, never the sentence.
    """

    @wraps(action)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        given: Mapping[str, Any] = kwargs
        try:
            with _traced(action.__name__, given):
                return action(*args, **kwargs)
        except REFUSED as error:
            refusals.note_refusal(
                case_ids=_cases(given),
                action=action.__name__,
                error=error,
                user=given.get("user"),
                now=timezone.now(),
            )
            raise

    return done


@contextmanager
def _traced(action: str, given: Mapping[str, Any]) -> Iterator[None]:
    """Have an action be a span of each of its cases, which a request then becomes, too."""
    with ExitStack() as opened:
        for case in _cases(given) if spans.on() else []:
            opened.enter_context(spans.of_case(case, f"action {action}", action=action))
        yield


def _cases(given: Mapping[str, Any]) -> Iterable[UUID]:
    if "case_id" in given:
        return [given["case_id"]]
    if "run_id" in given:
        return list(cases.cases_of_run(given["run_id"]).values_list("pk", flat=True))
    if isinstance(given.get("decision"), Decision):
        return [given["decision"].request_id]
    for name, (rows, case) in HELD_BY.items():
        if name in given:
            return list(rows.filter(pk=given[name]).values_list(case, flat=True))
    return []
