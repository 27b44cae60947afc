"""Settings for whoever watches the installation: metrics, traces, the form of the process logs."""

from __future__ import annotations

import os

from config import environment

__all__ = [
    "EXPUNGE_LOG_FORMAT",
    "EXPUNGE_METRICS",
    "EXPUNGE_METRICS_NETWORKS",
    "EXPUNGE_METRICS_TOKEN_FILE",
    "EXPUNGE_TRACES",
    "EXPUNGE_TRACE_URL",
]

EXPUNGE_LOG_FORMAT = environment.choice("EXPUNGE_LOG_FORMAT", ("LINE", "JSON"))
EXPUNGE_METRICS = environment.flag("EXPUNGE_METRICS", default=False)
# Who may read them: whoever shows the token of this file, or calls from one of these networks.
EXPUNGE_METRICS_TOKEN_FILE = os.environ.get("EXPUNGE_METRICS_TOKEN_FILE", "")
EXPUNGE_METRICS_NETWORKS = environment.words("EXPUNGE_METRICS_NETWORKS", default=[])

# Whoever names a collector, in a variable that every program with OpenTelemetry knows, wants them.
_COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPUNGE_TRACES = environment.flag(
    "EXPUNGE_TRACES", default=any(os.environ.get(name) for name in _COLLECTORS)
)
# The page of a trace in whatever shows them, with {trace_id} where that belongs.
EXPUNGE_TRACE_URL = os.environ.get("EXPUNGE_TRACE_URL", "")
