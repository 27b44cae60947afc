"""What staff do about identity, agents, objections and restrictions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from audits import workflow
from audits.core.roles import Right
from audits.models import ErasureRequest, Intake, PersonalDetails, ProcessingStop
from audits.queries.addressees import address_of
from audits.queries.beside import beside
from audits.queries.cases import OVER
from audits.queries.decisions import proposed
from audits.queries.mandates import checks_of, mandate_question, may_close, shown_until
from audits.services.asking import was_asked
from audits.services.rights import has_right
from audits.views import applicable
from audits.views import intake_forms as forms
from audits.views.access import staff_of
from audits.views.asking import answered, ask, carry_out, posted
from audits.views.proving import proving
from audits.views.rights import needing

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse

    from audits.forms import Words

S = ErasureRequest.Status
Kind = ErasureRequest.Kind
Outcome = ErasureRequest.Outcome
TEMPLATE = "audits/ask.html"
BY_INTAKE = ("copy_answer", "mandate")  # what whoever enters requests does, too


@dataclass(frozen=True, kw_only=True)
class Question:
    """A page with one form: what it asks, what is said when it is done, and what it does."""

    title: Words
    lead: Words
    button: Words
    done: Words
    form: Callable[..., Any]
    act: Callable[[UUID, Any, User], object]
    danger: bool = False
    proves: bool = False
    right: Right = Right.HANDLE
    why_not: Callable[[ErasureRequest], str] = applicable.closed


def _view(question: Question) -> Callable[..., HttpResponse]:
    def asked(request: HttpRequest, case_id: UUID) -> HttpResponse:
        user = staff_of(request)
        case = get_object_or_404(ErasureRequest, pk=case_id)
        if request.method != "POST" and (reason := question.why_not(case)):
            return applicable.not_applicable(request, case, question.title, reason)
        form: Form = question.form(posted(request), request.FILES or None)
        if form.is_valid():
            done = question.done % {"case": case.reference}
            call = partial(question.act, case.pk, form, user)
            return answered(request, TEMPLATE, case, form, call, done, ask=question)
        return ask(request, TEMPLATE, case, form, ask=question)

    shown = needing(question.right)(proving(asked) if question.proves else asked)
    return require_http_methods(["GET", "HEAD", "POST"])(shown)


identity = _view(
    Question(
        title=_("Record a check of identity"),
        lead=_(
            "What the person stated counts from now on: the records found under it are the "
            "case's. Ask for no more than the doubt requires (Art. 12(6))."
        ),
        button=_("Record the check"),
        done=_("The check of identity is recorded."),
        form=forms.CheckForm,
        act=lambda pk, form, user: workflow.check_identity(
            case_id=pk, check=form.check(), user=user
        ),
    )
)
ask_more = _view(
    Question(
        title=_("Ask the person for more"),
        lead=_(
            "The person gets a letter with a link to a page on which to add an address or a "
            "number. They are asked once, and the deadline runs on."
        ),
        button=_("Ask for more"),
        done=_("The person is being asked."),
        form=forms.DoubtForm,
        act=lambda pk, form, user: workflow.ask_information(
            case_id=pk, doubt=form.cleaned_data["doubt"], user=user
        ),
    )
)
copy_answer = _view(
    Question(
        title=_("Enter what the person answered"),
        lead=_("For an answer that came on paper or by telephone. The case goes on where it was."),
        button=_("Enter the answer"),
        done=_("The answer is entered."),
        form=forms.AnswerForm,
        why_not=applicable.copy_answer,
        act=lambda pk, form, user: workflow.receive_information(
            case_id=pk, identifiers=form.identifiers(), user=user
        ),
        right=Right.ENTER,
    )
)
unidentified = _view(
    Question(
        proves=True,
        title=_("Close as not identified"),
        lead=_(
            "Nothing is erased. The person is told that we could not identify them, and how to "
            "give us more (Art. 11(2)). An agent without a mandate is told that, and nothing "
            "about the person, who can ask at any time."
        ),
        button=_("Close the case"),
        done=_("Case %(case)s is closed as not identified."),
        form=forms.UnidentifiedForm,
        act=lambda pk, form, user: workflow.close_unidentified(
            case_id=pk, reason=form.cleaned_data["reason"], user=user
        ),
        danger=True,
    )
)
mandate = _view(
    Question(
        title=_("Record the agent's mandate"),
        lead=_("Nothing is decided for an agent before somebody has seen the mandate."),
        button=_("I have seen the mandate"),
        done=_("The mandate is recorded."),
        form=forms.MandateForm,
        why_not=applicable.mandate,
        act=lambda pk, form, user: workflow.see_mandate(
            case_id=pk, digest=forms.digest_of(form.cleaned_data["mandate"]), user=user
        ),
        right=Right.ENTER,
    )
)
objection = _view(
    Question(
        proves=True,
        title=_("Decide the objection"),
        lead=_(
            "The records have been restricted since the request was confirmed. Upheld, the case "
            "goes on as an erasure. Overruled, it is refused, and the restriction ends after "
            "notice. A second member of staff approves it."
        ),
        button=_("Propose"),
        done=_("The decision about the objection of %(case)s is proposed."),
        form=forms.ObjectionForm,
        why_not=applicable.objection,
        act=lambda pk, form, user: workflow.decide_objection(
            case_id=pk,
            upheld=form.cleaned_data["result"] == "UPHELD",
            text=form.cleaned_data["balance"],
            user=user,
        ),
    )
)
restrict = _view(
    Question(
        proves=True,
        title=_("Accept the restriction"),
        lead=_(
            "The records are kept and leave every training until you lift the restriction. "
            "Nothing is erased. A second member of staff approves it."
        ),
        button=_("Propose to restrict"),
        done=_("It is proposed to accept %(case)s."),
        form=forms.RestrictForm,
        why_not=applicable.restrict,
        act=lambda pk, form, user: workflow.accept(
            case_id=pk, ground=form.cleaned_data["ground"], user=user
        ),
    )
)
lift = _view(
    Question(
        proves=True,
        title=_("Lift the restriction"),
        lead=_(
            "The person is told first, with your reason. On the day that you choose the records "
            "may be used again, and the case is closed."
        ),
        button=_("Tell the person and lift"),
        done=_("The end of the restriction of %(case)s is fixed."),
        form=forms.LiftForm,
        why_not=applicable.lift,
        act=lambda pk, form, user: workflow.plan_lift(
            case_id=pk,
            reason=form.cleaned_data["reason"],
            lift_on=form.cleaned_data["lift_on"],
            user=user,
        ),
    )
)


@require_POST
@needing(Right.HANDLE)
def notice(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record that the notice of the end was posted."""
    case, user = get_object_or_404(ErasureRequest, pk=case_id), staff_of(request)
    return carry_out(
        request,
        case,
        lambda: workflow.note_notice(case_id=case.pk, user=user),
        gettext("The notice is recorded."),
    )


@require_POST
@needing(Right.HANDLE)
def proof_destroyed(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record that a document that was shown is destroyed."""
    case, user = get_object_or_404(ErasureRequest, pk=case_id), staff_of(request)
    return carry_out(
        request,
        case,
        lambda: workflow.note_proof_destroyed(case_id=case.pk, user=user),
        gettext("The destruction is recorded."),
    )


@require_POST
@needing(Right.HANDLE)
def question_back(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Stop waiting for what the person was asked."""
    case, user = get_object_or_404(ErasureRequest, pk=case_id), staff_of(request)
    return carry_out(
        request,
        case,
        lambda: workflow.take_question_back(case_id=case.pk, user=user),
        gettext("The case goes on without an answer."),
    )


def asked_for(case: ErasureRequest, user: User) -> dict[str, Any]:
    """Return what is shown of a request beside the usual facts, and what can be done about it."""
    intake: Intake | None = beside(case, "intake", "entered_by")
    details: PersonalDetails | None = beside(case, "details")
    stop: ProcessingStop | None = beside(case, "stop")
    handles, enters = has_right(user, Right.HANDLE), has_right(user, Right.ENTER)
    open_, early = not case.outcome, case.status in (S.RECEIVED, S.VERIFIED)
    free = open_ and not proposed(case)
    hidden = case.status == S.VERIFIED and case.outcome == Outcome.NO_DATA_FOUND
    checks = checks_of(case)
    agent = bool(intake and intake.by_agent and not intake.mandate_seen)
    last = shown_until(case) if agent else None
    asks = mandate_question(case) is None if agent else not was_asked(case)
    over = agent and may_close(case, timezone.now())
    unknown = free and (early or case.status == S.INFO_ASKED)
    may = {
        "identity": early and free,
        "ask_more": early and asks and (free or (agent and hidden)),
        "copy_answer": case.status == S.INFO_ASKED and open_,
        "question_back": case.status == S.INFO_ASKED and open_,
        "unidentified": (unknown and not case.subject_id) or (over and (unknown or hidden)),
        "mandate": agent and case.status not in OVER,
        "objection": bool(stop and stop.objection == "INTERESTS") and case.status == S.VERIFIED,
        "lift": case.kind == Kind.RESTRICTION
        and case.status == S.RESTRICTED
        and not (stop and stop.lift_on),
    }
    shown = handles and case.status != S.SEALED
    return {
        "intake": intake,
        "mandate_until": last,
        "details": details if shown else None,
        "stop": stop,
        "checks": checks,
        "may": {
            name: can and (enters if name in BY_INTAKE else handles) and case.kind != Kind.OPERATOR
            for name, can in may.items()
        },
        "posts_notice": handles
        and bool(stop and stop.lift_on and not stop.notice_at)
        and not address_of(case, "LIFT_NOTICE"),
        "holds_proof": handles
        and any(one.method == "DOCUMENT" and not one.proof_destroyed_at for one in checks),
    }
