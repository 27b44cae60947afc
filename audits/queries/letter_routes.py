"""By which way a person is answered, and which letters need somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import AnswerRoute, ErasureRequest, Letter, PersonalDetails
from audits.models.case_secrets import NotReadable, unseal
from audits.queries import addressees
from audits.queries.beside import beside
from audits.queries.operator_cases import NO_DEADLINE

if TYPE_CHECKING:
    from django.db.models import QuerySet

LATE = "LATE_MEMBERSHIP"
ADDRESS = "address"  # what the postal address of a route is sealed as
# A request that came in one of these ways is answered on paper unless the person asked otherwise.
PAPER = frozenset({"POST", "LETTER", "MAIL", "FAX"})
State = Letter.State


def nobody_to_answer(request: ErasureRequest) -> bool:
    """Return whether nobody asked: the operator or a late finding opened the case."""
    ours = request.kind == ErasureRequest.Kind.OPERATOR or request.due_rule == NO_DEADLINE
    return ours or (request.channel == LATE and not request.email)


def address_of(request: ErasureRequest, code: str) -> str:
    """Return the e-mail address that a letter of the case goes to; empty where there is none.

    What staff recorded of the way after the intake counts before what was wanted there.
    """
    route: AnswerRoute | None = beside(request, "answer_route")
    if route and route.way == AnswerRoute.Way.EMAIL:
        return str(request.email)
    return addressees.address_of(request, code)


def on_paper(request: ErasureRequest, code: str = "") -> bool:
    """Return whether a letter to the person goes by post.

    The way in is the way out, unless the person asked otherwise (Art. 12(3)).
    """
    route: AnswerRoute | None = beside(request, "answer_route")
    if not address_of(request, code):
        return True
    if route:
        return route.way == AnswerRoute.Way.POST
    return request.channel in PAPER


def postal_address(request: ErasureRequest) -> str:
    """Return the person's postal address; empty where none is kept or its key is gone."""
    route: AnswerRoute | None = beside(request, "answer_route")
    if route is None:
        details: PersonalDetails | None = beside(request, "details")
        return details.postal_address if details else ""
    try:
        return unseal(request.pk, ADDRESS, bytes(route.address)).decode()
    except NotReadable:
        return ""


def needing_somebody() -> QuerySet[Letter]:
    """Return the letters that were not sent in all tries, or that are to be posted."""
    found = Letter.objects.filter(state__in=[State.FAILED, State.TO_POST])
    return found.select_related("request").order_by("created_at")
