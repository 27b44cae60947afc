"""Why an action is not for a case: said before anything is asked, in place of the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audits.models import ErasureRequest, Intake, ProcessingStop
from audits.queries.beside import beside
from audits.queries.cases import OVER
from audits.queries.decisions import proposed
from audits.queries.owner_budgets import waits_now
from audits.queries.page_words import day
from audits.views.access import page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.forms import Words

S = ErasureRequest.Status
Kind = ErasureRequest.Kind
TEMPLATE = "audits/not_applicable.html"


def not_applicable(
    request: HttpRequest, case: ErasureRequest, title: Words, reason: str
) -> HttpResponse:
    """Show why nothing is asked, and the way back to the case."""
    return page(request, TEMPLATE, {"case": case, "title": title, "reason": reason})


def closed(case: ErasureRequest) -> str:
    """Return that a case is over; "" for an open one, as every function of this module does."""
    over = case.status in OVER
    return _("The case is closed. Nothing is decided or entered in it any more.") if over else ""


def undecided(case: ErasureRequest) -> str:
    """Return why nothing is decided about a request now."""
    if case.status in OVER:
        return closed(case)
    if case.status == S.RECEIVED:
        return _("Nobody has confirmed the request yet. It can be decided about afterwards.")
    if case.status == S.INFO_ASKED:
        return _("The person was asked for more. It can be decided about once the answer is here.")
    if case.status != S.VERIFIED:
        return _("It was decided about this request already; see the page of the case.")
    if proposed(case):
        return _(
            "A decision is proposed already. Somebody else approves it or sends it back; another "
            "can be proposed after that."
        )
    return ""


def mandate(case: ErasureRequest) -> str:
    """Return why no mandate is recorded."""
    intake: Intake | None = beside(case, "intake")
    if case.status in OVER:
        return closed(case)
    if not intake or not intake.by_agent:
        return _("No agent asks in this case, so there is no mandate to be seen.")
    return _("The mandate of the agent was seen already.") if intake.mandate_seen else ""


def objection(case: ErasureRequest) -> str:
    """Return why no objection is balanced."""
    stop: ProcessingStop | None = beside(case, "stop")
    if case.status in OVER:
        return closed(case)
    if stop and stop.objection == ProcessingStop.Objection.MARKETING:
        return _("An objection to direct marketing is not balanced (Art. 21(3)): accept it.")
    if not stop or not stop.objection:
        return _("The person did not object in this case, so there is nothing to be balanced.")
    return undecided(case)


def restrict(case: ErasureRequest) -> str:
    """Return why no restriction is accepted."""
    if case.status not in OVER and case.kind != Kind.RESTRICTION:
        return _(
            "The person did not ask to have the data kept and not used (Art. 18). Accept or "
            "refuse what they asked for instead."
        )
    return undecided(case)


def lift(case: ErasureRequest) -> str:
    """Return why no restriction is lifted."""
    stop: ProcessingStop | None = beside(case, "stop")
    if case.status in OVER:
        return closed(case)
    if case.kind != Kind.RESTRICTION or case.status != S.RESTRICTED:
        return _(
            "The case holds no restriction that can be lifted here: only an accepted request of "
            "Art. 18 does."
        )
    if stop and stop.lift_on:
        return _("It is fixed already that the restriction ends on %(day)s.") % {
            "day": day(stop.lift_on)
        }
    return ""


def copy_answer(case: ErasureRequest) -> str:
    """Return why no answer of the person is entered."""
    if case.status in OVER or case.status == S.INFO_ASKED:
        return closed(case)
    return _(
        "No answer is awaited: the person was not asked for more, or has answered. The case goes "
        "on without."
    )


def lift_budget(case: ErasureRequest) -> str:
    """Return why no budget is lifted."""
    if case.status in OVER:
        return closed(case)
    if waits_now(case):
        return ""
    return _("The case waits for the budget of no owner, so there is nothing to lift.")
