"""``/metrics`` for Prometheus: numbers of the database, and what this site was asked.

Numbers of cases, jobs and the log are read from the database when somebody asks, so they are the
same whichever process answers. Counts of requests are those of this process; where several serve,
``PROMETHEUS_MULTIPROC_DIR`` names a folder in which they add up.
"""

from __future__ import annotations

import os
import secrets
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config import readiness
from config.case_metrics import families
from config.watched_requests import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest
    from prometheus_client.core import Metric

ADDED_UP = "PROMETHEUS_MULTIPROC_DIR"


class FromDatabase(Collector):
    """What the database knows, and whether what work needs is there."""

    def collect(self) -> Iterator[Metric]:
        """Yield it; only that the database is away, where it is."""
        try:
            found = list(families(timezone.now()))
        except DatabaseError:
            found = []
        ready = GaugeMetricFamily("expunge_ready", "1 where a check is well.", labels=["check"])
        for name, said in readiness.said({**readiness.SERVING, **readiness.WORKING}).items():
            ready.add_metric([name], float(said == readiness.OK))
        yield ready
        yield from found


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics as text; 404 where they are off or the caller may not read them."""
    if not (settings.EXPUNGE_METRICS and (_knows_token(request) or _is_near(request))):
        return HttpResponseNotFound()
    requests = REGISTRY
    if os.environ.get(ADDED_UP):
        requests = CollectorRegistry()
        MultiProcessCollector(requests)  # type: ignore[no-untyped-call]  # of the library
    numbers = CollectorRegistry()
    numbers.register(FromDatabase())
    text = generate_latest(numbers) + generate_latest(requests)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _knows_token(request: HttpRequest) -> bool:
    path = settings.EXPUNGE_METRICS_TOKEN_FILE
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    if not path or kind.lower() != "bearer":
        return False
    try:
        token = Path(path).read_bytes().strip()
    except OSError:  # `manage.py check` says so
        return False
    return bool(token) and secrets.compare_digest(token, shown.strip().encode())


def _is_near(request: HttpRequest) -> bool:
    """Return whether a call comes straight from an allowed network; one that was passed on never.

    Behind a proxy every call has the proxy's address, and the header that names another is
    anybody's to write.
    """
    networks = settings.EXPUNGE_METRICS_NETWORKS
    if not networks or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        found = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)
