"""One address for whoever watches the installation: is the database there, does work pile up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lineage.queries.backlog import backlog
from lineage.services.missing_erasures import replay_needed

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (a view takes the request)
    """Return 200 with the backlog, or 503 when the database does not answer."""
    try:
        if replay_needed():
            return JsonResponse({"erasures": "run manage.py replay_erasures"}, status=503)
        found = backlog(timezone.now())
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse(
        {
            "database": "ok",
            "jobs_queued": found.queued,
            "jobs_running": found.running,
            "oldest_queued_seconds": found.oldest_seconds,
        }
    )
