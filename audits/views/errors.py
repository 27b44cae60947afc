"""Pages for what went wrong: people read whom to write to, staff keep their navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template.loader import render_to_string

from audits.core.roles import Right
from audits.services.rights import has_right
from audits.views.access import site_facts
from lineage.api.problems import problem

if TYPE_CHECKING:
    from django.http import HttpRequest

PUBLIC, STAFF = "base.html", "staff.html"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's)
    """Answer what could not be read."""
    if request.path.startswith("/api/"):
        return problem(400, "The request cannot be read.")
    return _said(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say which right is missing and who has it, as the service did."""
    return _said(request, "403.html", 403, str(exception))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  (Django's)
    """Ask to send a form once more."""
    return _said(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django's)
    """Say that there is no such page."""
    return _said(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that it is our fault; without the database where that is what fails."""
    if request.path.startswith("/api/"):
        return problem(500, "The fault is ours; the process log of the server has it.")
    try:
        return _said(request, "500.html", 500)
    except Exception:  # noqa: BLE001  (whatever broke the page may break this one)
        plain = render_to_string("500.html", {**site_facts(), "frame": PUBLIC})
        return HttpResponse(plain, status=500)


def is_staff(request: HttpRequest) -> bool:
    """Return whether somebody asks who may read cases, and so has the navigation of staff."""
    user = getattr(request, "user", None)
    return isinstance(user, User) and has_right(user, Right.READ)


def _said(request: HttpRequest, template: str, status: int, sentence: str = "") -> HttpResponse:
    staff = is_staff(request)
    context = {
        **site_facts(),
        "frame": STAFF if staff else PUBLIC,
        "staff": staff,
        "sentence": sentence,
    }
    return HttpResponse(render_to_string(template, context, request=request), status=status)
