"""Addresses for whoever watches the installation: does the process live, can it serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import readiness
from lineage.queries.backlog import backlog

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (a view takes the request)
    """Return 200 while the process lives; it asks nobody else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 while pages can be answered, else 503 with what is missing.

    With ``?all`` whatever work needs is asked as well, and counts: for a monitor, not for a
    balancer, which would take the public form away because a worker is.
    """
    wanted = dict(readiness.SERVING)
    if "all" in request.GET:
        wanted |= readiness.WORKING
    checks = readiness.said(wanted)
    ready = set(checks.values()) == {readiness.OK}
    status = "ready" if ready else "not ready"
    return JsonResponse(
        {"status": status, "checks": checks, **_work()}, status=200 if ready else 503
    )


def _work() -> dict[str, float | None]:
    try:
        found = backlog(timezone.now())
    except DatabaseError:
        return {}
    return {
        "jobs_queued": found.queued,
        "jobs_running": found.running,
        "oldest_queued_seconds": found.oldest_seconds,
    }
