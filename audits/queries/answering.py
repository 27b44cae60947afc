"""Which people have not been told yet what became of their request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from audits.core.letter_rules import RULES
from audits.models import ErasureRequest, Letter
from audits.queries.letter_routes import LATE
from audits.queries.operator_cases import NO_DEADLINE

if TYPE_CHECKING:
    from django.db.models import QuerySet

PREFIX = "ANSWER_"
# What ends the period for a request of Art. 18: that the data is restricted, not that it no longer
# is, which may be years later.
RESTRICTED = "RESTRICTED"
REFUSED = f"{PREFIX}{ErasureRequest.Outcome.REFUSED}"
_ENDS = (ErasureRequest.Outcome.RESTRICTION_LIFTED, ErasureRequest.Outcome.RESTRICTION_ERASED)
LIFTED = tuple(f"{PREFIX}{outcome}" for outcome in _ENDS)
ANSWERED = [code.removeprefix(PREFIX) for code in RULES if code.startswith(PREFIX)]
Kind = ErasureRequest.Kind


def knowing_somebody() -> Q:
    """Return the condition that a case still knows its person, as it does until it is answered."""
    return ~Q(email="") | Q(details__isnull=False)


def still_to_answer() -> Q:
    """Return the condition that a case is closed and its answer has not left, though it could.

    Where an answer was dropped, nobody was left to send it to; once the key of a case is
    destroyed, nobody is.
    """
    over = Q(sent_at__isnull=False) | Q(state=Letter.State.DROPPED)
    answer = Letter.objects.filter(over, request=OuterRef("pk"), code__startswith=PREFIX)
    closed = Q(status=ErasureRequest.Status.SEALED, outcome__in=ANSWERED) & knowing_somebody()
    return closed & ~_nobody() & ~Q(Exists(answer))


def closed_unanswered() -> QuerySet[ErasureRequest]:
    """Return the closed cases whose answer has not left."""
    return ErasureRequest.objects.filter(still_to_answer())


def restriction_told(case: str = "pk") -> Exists:
    """Return the condition that the person of a case was told that their data is restricted."""
    told = Letter.objects.filter(request=OuterRef(case), code=RESTRICTED, sent_at__isnull=False)
    return Exists(told)


def refusal_told() -> Exists:
    """Return the condition that the person of a case was told that it was refused."""
    told = Letter.objects.filter(request=OuterRef("pk"), code=REFUSED, sent_at__isnull=False)
    return Exists(told)


def answers() -> QuerySet[Letter]:
    """Return the letters that left and that answer a request, in the order of sending."""
    sent = Letter.objects.exclude(sent_at=None)
    of_restrictions = Q(code=RESTRICTED, request__kind=Kind.RESTRICTION)
    found = sent.filter(Q(code__startswith=PREFIX) | of_restrictions)
    return found.exclude(restriction_told("request"), code__in=LIFTED).order_by("sent_at")


def _nobody() -> Q:
    """Return the condition under which ``letter_routes.nobody_to_answer`` holds."""
    return Q(kind=Kind.OPERATOR) | Q(due_rule=NO_DEADLINE) | Q(channel=LATE, email="")
