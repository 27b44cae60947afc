"""Every request: an id for the logs, and counts and times for the metrics.

A label is a name of the URL map, a method and a status: never an address, which may hold a token.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram

from config.logs import REQUEST_ID
from lineage.core import spans
from lineage.core.log_context import bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
# Of a proxy in front; nothing else is taken over, as a caller could write a name there.
_AN_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TOO_MANY = 429
# The last step of the public form, which is what makes a case.
FORM = "audits:ask_check"

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "expunge_http_requests",
    "Requests by the name of their page.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
SECONDS = Histogram(
    "expunge_http_request_seconds",
    "Seconds from a request to its answer.",
    ("route",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
FORM_POSTS = Counter(
    "expunge_form_posts",
    "Times the public form was sent, by status of the answer.",
    ("status",),
    registry=REGISTRY,
)
REFUSALS = Counter(
    "expunge_rate_limit_refusals",
    "Requests refused with 429, by the name of their page.",
    ("route",),
    registry=REGISTRY,
)


class WatchedRequests:
    """Give each request an id, answer with it, and count what was answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; the id is in the header ``X-Request-ID`` and in each JSON line of the log."""
        began = time.perf_counter()
        given = request.headers.get(HEADER, "")
        name = given if _AN_ID.fullmatch(given) else str(uuid.uuid4())
        request.META[REQUEST_ID] = name  # Django logs refusals after the last middleware
        with bound(request=name), spans.asked(_verb(request)) as asked:
            response = self.get_response(request)
            asked.answered(_route(request), response.status_code)
        response.headers[HEADER] = name
        if settings.EXPUNGE_METRICS:
            _count(request, response.status_code, time.perf_counter() - began)
        return response


def _count(request: HttpRequest, status: int, seconds: float) -> None:
    route, method = _route(request), _verb(request)
    REQUESTS.labels(method=method, route=route, status=str(status)).inc()
    SECONDS.labels(route=route).observe(seconds)
    if status == TOO_MANY:
        REFUSALS.labels(route=route).inc()
    if route == FORM and method == "POST":
        FORM_POSTS.labels(status=str(status)).inc()


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match and match.view_name else "none"


def _verb(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "OTHER"
