"""Enter a request that came by post, telephone, e-mail or in person; answer what we asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from audits import workflow
from audits.core.roles import Right
from audits.services.asking import AnswerNotUsable, question_of_link
from audits.services.transitions import MoveNotAllowed
from audits.views.access import page, private, staff_of
from audits.views.asking import posted
from audits.views.intake_forms import AnswerForm, EnterForm
from audits.views.language import speak_to
from audits.views.problems import problems as problems_of_staff
from audits.views.problems import refuse
from audits.views.rights import needing

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ENTER)
def enter(request: HttpRequest) -> HttpResponse:
    """Take in a request with its true receipt."""
    user = staff_of(request)
    form = EnterForm(posted(request), request.FILES or None)
    if form.is_valid():
        try:
            case = workflow.enter(entry=form.entry(), user=user)
        except ValueError as error:
            refuse(form, str(error), {"received_at": "received_date"})
        else:
            messages.success(
                request, _("Case %(reference)s was entered.") % {"reference": case.reference}
            )
            return redirect("audits:case", case_id=case.pk)
    context = {"form": form, "errors": problems_of_staff(form)}
    return page(request, "audits/enter.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Take what else we may know the person by; the case goes on then."""
    try:
        question = question_of_link(token)
        speak_to(request, question.request)
        form = AnswerForm(posted(request))
        if form.is_valid():
            return _answered(request, form, question.request.reference, token)
    except AnswerNotUsable as error:
        return page(request, "audits/link_not_usable.html", {"reason": str(error)}, status=410)
    context = {"form": form, "case": question.request, "errors": problems(form, "email")}
    return page(request, "audits/answer.html", context, status=400 if form.errors else 200)


def _answered(request: HttpRequest, form: AnswerForm, reference: str, token: str) -> HttpResponse:
    question = question_of_link(token)
    case = question.request
    try:
        workflow.receive_information(
            case_id=case.pk, identifiers=form.identifiers(), question_id=question.pk
        )
    except MoveNotAllowed:
        late = {
            "reason": _("Your request has moved on in the meantime; we need no answer any more.")
        }
        return page(request, "audits/link_not_usable.html", late, status=409)
    except ValueError:
        form.add_error("external", _("We cannot read this. Please check what you entered."))
        context = {"form": form, "case": case, "errors": problems(form, "external")}
        return page(request, "audits/answer.html", context, status=400)
    return page(request, "audits/answered.html", {"reference": reference})


def problems(form: Form, first: str) -> list[tuple[str, str]]:
    """Return what is wrong as (place on the page, sentence); of the whole form, at ``first``."""
    return [
        (f"#id_{name if name in form.fields else first}", str(sentence))
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
