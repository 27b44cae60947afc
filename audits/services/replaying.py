"""Replay the journal of erasures after a restore, and log that it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.services import forgetting, log
from audits.services.closing import log_supersessions
from lineage.services import replay

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.services.replay import Replayed


def replay_erasures(*, now: datetime) -> list[Replayed]:
    """Erase again what a restored backup brought back, and log each erasure with it."""
    done = replay.replay(now=now, note=lambda one: _log(one, now))
    forgetting.forget_everywhere()
    with transaction.atomic():
        log_supersessions(now=now)
    return done


def _log(one: Replayed, now: datetime) -> None:
    log.append(
        type="erasures_replayed",
        case=None,
        now=now,
        data={"entries": 1, "records": one.records, "remaining": one.remaining},
    )
    for version in one.quarantined:
        log.append(
            type="version_quarantined", case=None, now=now, data={"version": str(version.pk)}
        )
