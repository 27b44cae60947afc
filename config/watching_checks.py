"""System checks of what metrics and traces need."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from config.tracing import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "See docs/operations.md."


@checks.register()
def metrics_can_be_read(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse networks and token files that let nobody in, or not whom they should."""
    return [checks.Error(said, hint=HINT, id="expunge.E068") for said in _wrong()]


@checks.register()
def traces_can_be_made(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Warn where traces are wanted and nothing is installed that makes them."""
    found: list[checks.CheckMessage] = []
    if settings.EXPUNGE_TRACES and not installed():
        said = (
            "Traces are on (EXPUNGE_TRACES, or a collector in OTEL_EXPORTER_OTLP_ENDPOINT), and "
            "their packages are missing, so none are made; pip install '.[traces]' in the "
            "checkout, or set EXPUNGE_TRACES=false."
        )
        found.append(checks.Warning(said, hint=HINT, id="expunge.W073"))
    address = settings.EXPUNGE_TRACE_URL
    if address and not (address.startswith(("https://", "http://")) and "{trace_id}" in address):
        said = (
            f"EXPUNGE_TRACE_URL is {address!r}; it must begin with https:// or http:// and have "
            "{trace_id} where the id of a trace belongs."
        )
        found.append(checks.Error(said, hint=HINT, id="expunge.E073"))
    return found


def _wrong() -> Iterator[str]:
    token, networks = settings.EXPUNGE_METRICS_TOKEN_FILE, settings.EXPUNGE_METRICS_NETWORKS
    if settings.EXPUNGE_METRICS and not (token or networks):
        yield (
            "EXPUNGE_METRICS is on, and nobody may read them; set EXPUNGE_METRICS_TOKEN_FILE or "
            "EXPUNGE_METRICS_NETWORKS."
        )
    if token and not _holds_something(Path(token)):
        yield (
            f"EXPUNGE_METRICS_TOKEN_FILE is {token!r}; it must be a file that this process may "
            "read and that holds the token."
        )
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            yield (
                f"EXPUNGE_METRICS_NETWORKS has {network!r}; allowed are addresses and networks "
                "such as 10.1.0.0/16."
            )


def _holds_something(path: Path) -> bool:
    try:
        return bool(path.read_bytes().strip())
    except OSError:
        return False
