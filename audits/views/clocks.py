"""The legal clock on the page of a case: how the due date came about, and what staff may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from audits import workflow
from audits.core.deadline_words import sentences
from audits.core.regimes import REASON_WORDS, PauseReason
from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import CaseClock, ErasureRequest, ExtensionDecision, Letter
from audits.queries import clocks, extending, pausing
from audits.queries.beside import beside
from audits.queries.page_words import day, retold, weekday
from audits.queries.policy_values import in_force
from audits.services.extensions import LEAST_REASON, ExtensionRefused
from audits.services.rights import has_right
from audits.views.access import staff_of
from audits.views.asking import ask, carry_out, posted
from audits.views.rights import needing

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

# Once a case has come to its end, nothing is left to count, to stop or to extend.
STOPPED = ("SEALED", "REFUSED", "WITHDRAWN", "EXPIRED", "JOINED")
NOT_TOLD = _(
    "The extension of %(reference)s was recorded, but the notice could not be sent. The due date "
    "stays until it is; try again below."
)
TO_POST = _(
    "The extension of %(reference)s was recorded, and its notice lies there to be posted by "
    "%(last)s. The due date stays until you record the day on which it was posted."
)
LAPSED = _(
    "The extension of %(reference)s lapsed: the notice was not sent before the first limit "
    "passed. The due date stays."
)


class PageWords:
    """How the derivation of a due date is said in the language of the page."""

    say = staticmethod(gettext)
    short, long = staticmethod(day), staticmethod(weekday)

    @staticmethod
    def brief(value: date, /) -> str:
        """Return a day without its year."""
        return day(value).rpartition(" ")[0]


class ExtendForm(PlainForm):
    """Why an answer takes longer: what the law allows, and the reason that the person is told."""

    code = forms.ChoiceField(
        label=_("What does the law extend the time for?"),
        choices=ExtensionDecision.Reason.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Select a reason.")),
    )
    text = forms.CharField(
        label=_("Why does this request take longer?"),
        help_text=_(
            "The person is told exactly this. Say what is complex about their request, or how "
            "many there are; name nobody else."
        ),
        min_length=LEAST_REASON,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": _("Write the reason."),
            "min_length": _("Write at least %(limit_value)d characters."),
            "max_length": _("Write at most %(limit_value)d characters."),
        },
    )


def clock_context(request: HttpRequest, case: ErasureRequest) -> dict[str, Any]:
    """Return what the page of a case says of its clock; nothing for a case without one."""
    clock = clocks.clock_of(case)
    if clock is None:
        return {}
    now = timezone.now()
    return {
        "clock": clock,
        "clock_words": sentences(clocks.derivation_of(clock), PageWords()),
        "clock_runs": case.status not in STOPPED and case.outcome not in STOPPED,
        "clock_pauses": [
            (pause, REASON_WORDS[PauseReason(pause.reason)])
            for pause in sorted(case.clock_pauses.all(), key=lambda one: one.since)
        ],
        "pause_reasons": _reasons(case, clock, now),
        "pauses_on": in_force("IDENTITY_PAUSE"),
        "extension": beside(case, "extension"),
        "extend_refusal": extending.why_not(case, now),
        "extended_limit": clocks.extended_limit(clock),
        "first_limit": clocks.first_limit(clock),
        "may_handle": has_right(staff_of(request), Right.HANDLE),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.HANDLE)
def extend(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Record why an answer takes longer, and tell the person."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id)
    refusal = extending.why_not(case, timezone.now())
    if refusal and request.method != "POST":  # what is posted is refused, and logged, below
        messages.error(request, retold(refusal))
        return redirect("audits:case", case_id=case.pk)
    form = ExtendForm(posted(request))
    if not form.is_valid():
        return ask(request, "audits/extend.html", case, form)
    code, text = form.cleaned_data["code"], form.cleaned_data["text"]
    try:
        workflow.extend(case_id=case.pk, code=code, text=text, user=user)
    except ExtensionRefused as error:
        form.add_error(None, str(error))
        return ask(request, "audits/extend.html", case, form)
    _say(request, case)
    return redirect("audits:case", case_id=case.pk)


@require_POST
@needing(Right.HANDLE)
def tell_of_extension(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Try the notice of an extension again."""
    user = staff_of(request)
    case = get_object_or_404(ErasureRequest, pk=case_id, extension__isnull=False)
    workflow.tell_of_extension(case_id=case.pk, user=user)
    _say(request, case)
    return redirect("audits:case", case_id=case.pk)


@require_POST
@needing(Right.HANDLE)
def pause_clock(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Let the clock stand still while the person is asked."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    reason = request.POST.get("reason", "")
    return carry_out(
        request,
        case,
        lambda: workflow.pause_clock(case_id=case.pk, reason=reason, user=staff_of(request)),
        gettext("The clock of %(reference)s stands still.") % {"reference": case.reference},
    )


@require_POST
@needing(Right.HANDLE)
def resume_clock(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Let the clock go on."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    return carry_out(
        request,
        case,
        lambda: workflow.resume_clock(case_id=case.pk, user=staff_of(request)),
        gettext("The clock of %(reference)s goes on.") % {"reference": case.reference},
    )


def _say(request: HttpRequest, case: ErasureRequest) -> None:
    decision = ExtensionDecision.objects.get(request=case)
    case.refresh_from_db(fields=["due_on"])
    if decision.notice_sent_at and case.due_on is not None:
        said = gettext("The person was told. The answer is due on %(day)s.")
        messages.success(request, said % {"day": weekday(case.due_on)})
    else:
        messages.error(request, _not_told(case, decision))


def _not_told(case: ErasureRequest, decision: ExtensionDecision) -> str:
    if decision.lapsed_at:
        return str(LAPSED) % {"reference": case.reference}
    if case.letters.filter(code=extending.NOTICE, state=Letter.State.TO_POST).exists():
        clock = CaseClock.objects.get(request=case)
        last = day(clocks.first_limit(clock))
        return str(TO_POST) % {"reference": case.reference, "last": last}
    return str(NOT_TOLD) % {"reference": case.reference}


def _reasons(case: ErasureRequest, clock: CaseClock, now: datetime) -> list[tuple[str, str]]:
    """Return for what the clock may stop now."""
    if any(one.until is None for one in case.clock_pauses.all()):
        return []
    law = clocks.regime(clock.regime)
    return [(str(one), one.words) for one in law.pauses if not pausing.why_not(case, one, now)]
