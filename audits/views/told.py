"""Notices: the link by which they are acknowledged, and what staff were told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from audits.core.roles import Right
from audits.models import ErasureRequest, Notice
from audits.queries import told
from audits.queries.ends import ends_of
from audits.services import notices
from audits.services.rights import has_right
from audits.views.access import page, private, staff_of
from audits.views.rights import needing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

TONES = {
    "DUE": "care",
    "SENT": "care",
    "FAILED": "bad",
    "ACKNOWLEDGED": "good",
    "NOT_POSSIBLE": "quiet",
}


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@private
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only pressing it acknowledges, since mail scanners open every link."""
    try:
        notice = notices.notice_of_link(token)
        if request.method == "POST":
            notices.acknowledge_by_link(token=token, now=timezone.now())
            return redirect("audits:acknowledge", token=token)
    except notices.LinkUnknown as error:
        return page(request, "audits/link_not_usable.html", {"reason": str(error)}, status=410)
    done = notice.state == Notice.State.ACKNOWLEDGED
    return page(request, "audits/acknowledge.html", {"notice": notice, "done": done})


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
        messages.error(request, str(error))
    else:
        messages.success(request, f"{notice.addressee} is noted as having acknowledged.")
    return redirect("audits:case", case_id=case_id)


@require_POST
@needing(Right.HANDLE)
def not_possible(request: HttpRequest, case_id: UUID, notice_id: UUID) -> HttpResponse:
    """Note why telling somebody is impossible or disproportionate."""
    notice = get_object_or_404(Notice, pk=notice_id, request=case_id)
    try:
        notices.record_not_possible(
            notice_id=notice.pk,
            reason=request.POST.get("reason", ""),
            user=staff_of(request),
            now=timezone.now(),
        )
    except notices.NoticeRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The reason is recorded.")
    return redirect("audits:case", case_id=case_id)


@require_POST
@needing(Right.HANDLE)
def asked_who(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Note whether the person asked who received their data; the answer then names them."""
    case = get_object_or_404(ErasureRequest, pk=case_id)
    asked = request.POST.get("asked") == "yes"
    notices.note_who_asked(case_id=case.pk, asked=asked, user=staff_of(request))
    messages.success(request, "The answer names the recipients." if asked else "Noted.")
    return redirect("audits:case", case_id=case_id)


def told_context(request: HttpRequest, case: ErasureRequest) -> dict[str, Any]:
    """Return what the page of a case says of ends, deployments and notices."""
    user = staff_of(request)
    return {
        "ends": ends_of(case),
        "notices": [(one, TONES[one.state]) for one in told.notices_of(case)],
        "still_deployed": told.still_deployed(case),
        "awaited": told.awaited(case),
        "version_exceptions": case.version_exceptions.select_related(
            "version", "proposed_by", "approved_by"
        ),
        "asked_who": told.asked_who(case),
        "may_tell": has_right(user, Right.HANDLE),
        "may_operate": has_right(user, Right.OPERATE),
        "may_review": has_right(user, Right.REVIEW),
        "today": timezone.localdate(),
    }
