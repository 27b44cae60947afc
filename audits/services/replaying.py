"""Replay the journal of erasures after a restore, and log that it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.services import log
from audits.services.closing import log_supersessions
from lineage.services import replay

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.services.replay import Replayed


def replay_erasures(*, now: datetime) -> Replayed:
    """Erase again what a restored backup brought back; log it if there was anything."""
    done = replay.replay(now=now)
    with transaction.atomic():
        log_supersessions(now=now)
    if not done.entries:
        return done
    with transaction.atomic():
        log.append(
            type="erasures_replayed",
            case=None,
            now=now,
            data={
                "entries": done.entries,
                "records": done.records,
                "remaining": done.remaining,
            },
        )
        for version in done.quarantined:
            log.append(
                type="version_quarantined",
                case=None,
                now=now,
                data={"version": str(version.pk)},
            )
    return done
