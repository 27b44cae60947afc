"""Where a member of staff is signed in, for them to end what is not theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from audits.queries.sign_in import sessions_of
from audits.services.sign_in import end_sessions
from audits.views.access import page, staff_of, staff_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@staff_page
def own_sessions(request: HttpRequest) -> HttpResponse:
    """List where the member is signed in."""
    here = request.session.session_key
    found = sessions_of(staff_of(request), timezone.now())
    return page(request, "account/sessions.html", {"sessions": found, "here": here})


@require_POST
@staff_page
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign the member out of one other session."""
    here = request.session.session_key
    if end_sessions(staff_of(request), only=session_id, besides=here):
        messages.success(request, _("You are signed out there."))
    else:
        messages.error(request, _("There is no such session any more, or it is this one."))
    return redirect("own_sessions")


@require_POST
@staff_page
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign the member out everywhere but here."""
    ended = end_sessions(staff_of(request), besides=request.session.session_key)
    said = ngettext(
        "You are signed out of %(n)d other session.",
        "You are signed out of %(n)d other sessions.",
        ended,
    )
    messages.success(request, said % {"n": ended})
    return redirect("own_sessions")
