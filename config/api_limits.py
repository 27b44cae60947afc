"""Settings of the HTTP API: how much one call may bring, and how many a key may make."""

from __future__ import annotations

from config import environment

__all__ = [
    "EXPUNGE_API_KEEP_HOURS",
    "EXPUNGE_API_PER_MINUTE",
    "EXPUNGE_CAPTURE_MAX_MB",
    "EXPUNGE_CAPTURE_SILENCE_SECONDS",
    "EXPUNGE_LINEAGE_MAX_MB",
]

# Calls that one key may make in a minute; 0: as many as it likes.
EXPUNGE_API_PER_MINUTE = environment.integer("EXPUNGE_API_PER_MINUTE", default=1200, low=0)
# How long the answer to a call with an Idempotency-Key is kept, to be given again.
EXPUNGE_API_KEEP_HOURS = environment.integer("EXPUNGE_API_KEEP_HOURS", default=24)
# A training outside that says nothing for this long is taken for dead; it beats once a minute.
EXPUNGE_CAPTURE_SILENCE_SECONDS = environment.integer(
    "EXPUNGE_CAPTURE_SILENCE_SECONDS", default=3600, low=2
)
EXPUNGE_CAPTURE_MAX_MB = environment.integer("EXPUNGE_CAPTURE_MAX_MB", default=2048)
EXPUNGE_LINEAGE_MAX_MB = environment.integer("EXPUNGE_LINEAGE_MAX_MB", default=32)
