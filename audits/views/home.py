"""The first page of staff: what needs somebody now, and what the last weeks were like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.roles import ROLES
from audits.queries.attention import OVERDUE, nothing_yet
from audits.queries.log_state import log_state
from audits.queries.sign_in import password_only
from audits.queries.trends import trends
from audits.queries.worker_signs import watched_queues
from audits.services.rights import has_right
from audits.services.sign_in import DECIDING
from audits.views.access import page, staff_of, staff_page
from audits.views.charts import charts
from audits.views.needs import needs
from audits.views.webhook_needs import webhook_needs

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """Lead from the root of the site: staff to their first page, everybody else to the form."""
    staff = request.user.is_authenticated and request.user.is_staff
    return redirect("audits:staff_home" if staff else "audits:erasure_form")


@require_safe
@staff_page
def staff_home(request: HttpRequest) -> HttpResponse:
    """Show what waits, first what this member of staff may act on; then trends and health."""
    user, now = staff_of(request), timezone.now()
    found = [*needs(user, now), *webhook_needs()]
    queues = watched_queues(now)
    context = {
        "yours": [one for one in found if one.is_for(user)],
        "others": [one for one in found if not one.is_for(user)],
        "roles": _roles(user),
        "overdue_count": sum(one.total for one in found if one.code == OVERDUE),
        "charts": charts(trends(now)),
        "log": log_state(),
        "queues": queues,
        "paused": [one for one in queues if one.paused_at],
        "fresh": not found and nothing_yet(),
        "now": now,
        "no_second_factor": has_right(user, *DECIDING) and password_only(request.session),
    }
    return page(request, "audits/home.html", context)


def _roles(user: User) -> str:
    held = set(user.groups.values_list("name", flat=True))
    return ", ".join(_(name) for name in ROLES if name in held)
