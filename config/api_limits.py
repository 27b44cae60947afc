"""Settings of the HTTP API: what a call may bring, how many a key may make; of webhooks."""

from __future__ import annotations

from config import environment

__all__ = [
    "EXPUNGE_API_KEEP_HOURS",
    "EXPUNGE_API_PER_MINUTE",
    "EXPUNGE_CAPTURE_MAX_MB",
    "EXPUNGE_CAPTURE_SILENCE_SECONDS",
    "EXPUNGE_LINEAGE_MAX_MB",
    "EXPUNGE_WEBHOOK_HOURS",
    "EXPUNGE_WEBHOOK_KEEP_DAYS",
    "EXPUNGE_WEBHOOK_TIMEOUT",
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
# How long a message to a webhook is tried, how long it is kept after that, seconds for an answer.
EXPUNGE_WEBHOOK_HOURS = environment.integer("EXPUNGE_WEBHOOK_HOURS", default=24)
EXPUNGE_WEBHOOK_KEEP_DAYS = environment.integer("EXPUNGE_WEBHOOK_KEEP_DAYS", default=30)
# At most as long as the task that sends can wait: see ``audits/workflow/tasks.py``.
EXPUNGE_WEBHOOK_TIMEOUT = environment.integer("EXPUNGE_WEBHOOK_TIMEOUT", default=10, high=25)
