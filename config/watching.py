"""Settings for whoever watches the installation: metrics and the form of the process logs."""

from __future__ import annotations

import os

from config import environment

__all__ = [
    "EXPUNGE_LOG_FORMAT",
    "EXPUNGE_METRICS",
    "EXPUNGE_METRICS_NETWORKS",
    "EXPUNGE_METRICS_TOKEN_FILE",
]

EXPUNGE_LOG_FORMAT = environment.choice("EXPUNGE_LOG_FORMAT", ("LINE", "JSON"))
EXPUNGE_METRICS = environment.flag("EXPUNGE_METRICS", default=False)
# Who may read them: whoever shows the token of this file, or calls from one of these networks.
EXPUNGE_METRICS_TOKEN_FILE = os.environ.get("EXPUNGE_METRICS_TOKEN_FILE", "")
EXPUNGE_METRICS_NETWORKS = environment.words("EXPUNGE_METRICS_NETWORKS", default=[])
