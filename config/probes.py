"""Answer whoever watches before anything else is asked: session, language, host name.

A probe and a scraper call a process by its own address, which is none of ``EXPUNGE_HOSTS``, and
without ``https://``; what they are told is the same for every host.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from django.middleware.security import SecurityMiddleware

from config.health import healthz, readyz
from config.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    View = Callable[[HttpRequest], HttpResponse]

PROBES: Mapping[str, View] = MappingProxyType(
    {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
)


class Probes:
    """Serve the addresses of ``PROBES``; everything else goes on."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.headers = SecurityMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, with the headers of every answer, or let the request pass."""
        if probe := PROBES.get(request.path):
            return self.headers.process_response(request, probe(request))
        return self.get_response(request)
