"""Notices: the link by which they are acknowledged, and what staff were told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audits.core.letter_layout import LetterIncomplete
from audits.core.letter_rules import LOCALES, RULES
from audits.core.roles import Right
from audits.forms import PlainForm
from audits.models import ErasureRequest, Notice
from audits.queries import told
from audits.queries.notices import code_of, locale_of, to_come
from audits.queries.page_words import retold
from audits.queries.supplier import outside_bases
from audits.services import notices
from audits.services.notice_delivery import preview_notice
from audits.services.notice_links import LinkUnknown, notice_of_link
from audits.services.rights import has_right
from audits.views.access import page, private, staff_of, staff_page
from audits.views.asking import ask
from audits.views.downloads import not_there
from audits.views.language import speak_to
from audits.views.rights import needing

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from lineage.models import Deployment

TONES = {
    "DUE": "care",
    "SENT": "care",
    "FAILED": "bad",
    "ACKNOWLEDGED": "good",
    "NOT_POSSIBLE": "quiet",
}


class NotPossibleForm(PlainForm):
    """Why somebody cannot be told; the service says what is wrong with it."""

    reason = forms.CharField(
        label=_("Why is it impossible, or a disproportionate effort?"),
        help_text=_("The record refers to it. Write at least 20 characters."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only pressing it acknowledges, since mail scanners open every link."""
    try:
        notice = notice_of_link(token)
        if request.method == "POST":
            notices.acknowledge_by_link(token=token, now=timezone.now())
            return redirect("audits:acknowledge", token=token)
    except LinkUnknown:
        return _unknown(request)
    speak_to(request, notice)
    done = notice.state == Notice.State.ACKNOWLEDGED
    return page(request, "audits/acknowledge.html", {"notice": notice, "done": done})


def _unknown(request: HttpRequest) -> HttpResponse:
    """Say so in the language of the browser: whose link it was meant to be is not known."""
    reason = gettext(
        "This link is not complete, or what it is about is not kept any more. Please copy the "
        "whole link from our letter."
    )
    context = {"reason": reason, "recipient": True}
    return page(request, "audits/link_not_usable.html", context, status=410)


@require_safe
@staff_page
def notice_text(request: HttpRequest, case_id: UUID, addressee_id: UUID) -> HttpResponse:
    """Show what somebody was written of a case, or would be written now."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    drafts, now = told.notices_of(case), timezone.now()
    found = [one for one in drafts if one.addressee.pk == addressee_id]
    found = found or [one for one in to_come(case, now) if one.addressee.pk == addressee_id]
    if not found:
        said = gettext("Nobody of this address in the registers is told of the case.")
        return not_there(request, gettext("There is no such notice"), said, 404)
    try:
        shown = [_text_of(one, now) for one in found]
    except LetterIncomplete as error:
        return not_there(request, gettext("The notice cannot be written yet"), str(error), 400)
    context = {"case": case, "addressee": found[0].addressee, "notices": shown}
    return page(request, "audits/notice_text.html", context)


def _text_of(notice: Notice, now: datetime) -> dict[str, Any]:
    """Return a notice as it was sent, or as it would be sent now."""
    if notice.text:
        locale, (subject, _, body) = notice.locale, notice.text.partition("\n\n")
    else:
        written, locale = preview_notice(notice, now), locale_of(notice)
        subject, body = written.subject, written.body
    return {
        "notice": notice,
        "title": RULES[code_of(notice)].title,
        "sent": bool(notice.text),
        "language": LOCALES[locale],
        "locale": locale,
        "subject": subject,
        "body": body,
    }


@require_POST
@needing(Right.HANDLE)
def staff_acknowledged(request: HttpRequest, case_id: UUID, notice_id: UUID) -> HttpResponse:
    """Note that staff were told otherwise that it is done."""
    notice = get_object_or_404(Notice, pk=notice_id, request=case_id)
    try:
        notices.record_acknowledgement(
            notice_id=notice.pk, user=staff_of(request), now=timezone.now()
        )
    except notices.NoticeRefused as error:
        messages.error(request, retold(error))
    else:
        said = gettext("%(name)s is noted as having acknowledged.")
        messages.success(request, said % {"name": notice.addressee})
    return redirect("audits:case", case_id=case_id)


@require_POST
@needing(Right.HANDLE)
def not_possible(request: HttpRequest, case_id: UUID, notice_id: UUID) -> HttpResponse:
    """Note why telling somebody is impossible or disproportionate; refused, as it was typed."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    notice = get_object_or_404(Notice, pk=notice_id, request=case)
    form = NotPossibleForm(request.POST)
    try:
        notices.record_not_possible(
            notice_id=notice.pk,
            reason=request.POST.get("reason", ""),
            user=staff_of(request),
            now=timezone.now(),
        )
    except notices.NoticeRefused as error:
        form.add_error("reason", str(error))
        return ask(request, "audits/not_possible.html", case, form, notice=notice)
    messages.success(request, gettext("The reason is recorded."))
    return redirect("audits:case", case_id=case_id)


@require_POST
@needing(Right.HANDLE)
def asked_who(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Note whether the person asked who received their data; the answer then names them."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    asked = request.POST.get("asked") == "yes"
    notices.note_who_asked(case_id=case.pk, asked=asked, user=staff_of(request))
    said = gettext("The answer names the recipients.") if asked else gettext("Noted.")
    messages.success(request, said)
    return redirect("audits:case", case_id=case_id)


def told_context(request: HttpRequest, case: ErasureRequest) -> dict[str, Any]:
    """Return what the page of a case says of ends, deployments and notices."""
    user = staff_of(request)
    deployed = list(told.deployments_of(case)) if case.plan.get("affected") else []
    return {
        "notices": [(one, TONES[one.state]) for one in told.notices_of(case)],
        "still_deployed": [one for one in deployed if one.is_open and _out_of_use(one)],
        "awaited": told.awaited(case) if any(map(_out_of_use, deployed)) else [],
        "version_exceptions": case.version_exceptions.all(),
        "asked_who": told.asked_who(case),
        "may_tell": has_right(user, Right.HANDLE),
        "may_operate": has_right(user, Right.OPERATE),
        "may_review": has_right(user, Right.REVIEW),
        "today": timezone.localdate(),
    }


def ahead_context(case: ErasureRequest) -> dict[str, Any]:
    """Return who will be told when the case comes to it, and from where its models come."""
    return {"to_come": to_come(case, timezone.now()), "outside_bases": outside_bases(case)}


def _out_of_use(one: Deployment) -> bool:
    return one.version.state in told.OUT_OF_USE
