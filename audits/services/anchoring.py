"""What asking others about checkpoints has in common: who asks, and when again after a failure."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F

from audits.models import CheckpointAnchor

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import LogCheckpoint

CLAIM = timedelta(minutes=1)
LONGEST = timedelta(hours=6)
MOST_BYTES = 65_536  # of an answer
logger = logging.getLogger("expunge.log")


def claim(checkpoint: LogCheckpoint, kind: str, now: datetime) -> CheckpointAnchor | None:
    """Take the asking upon oneself for a minute; None where it is done, or another's turn."""
    row, _ = CheckpointAnchor.objects.get_or_create(
        checkpoint=checkpoint, kind=kind, defaults={"next_at": now, "created_at": now}
    )
    mine = CheckpointAnchor.objects.filter(pk=row.pk, said_at=None, next_at__lte=now)
    if not mine.update(next_at=now + CLAIM, attempts=F("attempts") + 1):
        return None
    row.refresh_from_db()
    return row


def failed(row: CheckpointAnchor, said: str, now: datetime) -> None:
    """Keep why, and leave the party alone for two minutes, then twice as long, up to six hours."""
    logger.warning("%s failed: %s", row, said)
    wait = min(CLAIM * 2 ** min(row.attempts, 10), LONGEST)
    CheckpointAnchor.objects.filter(pk=row.pk, said_at=None).update(
        error=said[:200], next_at=now + wait
    )
