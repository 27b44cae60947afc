"""Show the newest checkpoint to a witness (C2SP tlog-witness) once an hour; keep its cosignature.

The witness gets the checkpoint and a proof that the log only grew since the one that it saw last,
and signs it only then. So a log that was rewritten finds no witness.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from django.conf import settings
from django.db import transaction

from audits.core.canonical import sha256
from audits.core.cosignature import (
    CosignatureRefused,
    add_checkpoint,
    parse_witness_keys,
    verify_cosignatures,
)
from audits.core.note import KeyMalformed
from audits.models import CheckpointAnchor
from audits.queries.anchors import WITNESS, due_for_a_witness, last_witnessed, resting
from audits.queries.log_tree import SubtreeMissing, consistency_path
from audits.services.anchoring import MOST_BYTES, claim, failed

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import LogCheckpoint

BETWEEN = timedelta(hours=1)
ANOTHER_SIZE = 409
_SIZE = re.compile(r"(0|[1-9][0-9]{0,15})\n?")


def witness_due(*, now: datetime) -> bool:
    """Have the newest checkpoint cosigned if that is due; return whether it was."""
    if not settings.EXPUNGE_WITNESS_URL or resting(WITNESS, now):
        return False
    checkpoint = due_for_a_witness(now, BETWEEN)
    row = claim(checkpoint, WITNESS, now) if checkpoint else None
    if checkpoint is None or row is None:
        return False
    try:
        lines = _ask(checkpoint, last_witnessed())
        times = verify_cosignatures(
            lines, checkpoint.note, parse_witness_keys(settings.EXPUNGE_WITNESS_KEYS)
        )
    except (CosignatureRefused, KeyMalformed, SubtreeMissing) as error:
        failed(row, str(error), now)
        return False
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        failed(row, type(error).__name__, now)  # its text may hold the address, and a password
        return False
    _keep(row, lines, max(times.values()), now)
    return True


def _ask(checkpoint: LogCheckpoint, old: int) -> str:
    answer = _post(checkpoint, old)
    said = _SIZE.fullmatch(answer.text) if answer.status_code == ANOTHER_SIZE else None
    if said and int(said[1]) <= checkpoint.size:  # it knows another checkpoint than we remember
        answer = _post(checkpoint, int(said[1]))
    if answer.status_code != httpx.codes.OK:
        raise CosignatureRefused(f"The witness answered with status {answer.status_code}.")
    if len(answer.content) > MOST_BYTES:
        raise CosignatureRefused(f"The answer is longer than {MOST_BYTES} bytes.")
    return answer.text


def _post(checkpoint: LogCheckpoint, old: int) -> httpx.Response:
    path = consistency_path(old, checkpoint.size) if old else []
    return httpx.post(
        f"{settings.EXPUNGE_WITNESS_URL.rstrip('/')}/add-checkpoint",
        content=add_checkpoint(old, path, checkpoint.note),
        timeout=settings.EXPUNGE_TSA_TIMEOUT,
    )


@transaction.atomic
def _keep(row: CheckpointAnchor, lines: str, at: datetime, now: datetime) -> None:
    data = lines.encode()
    rows = CheckpointAnchor.objects.filter(kind=WITNESS, said_at=None)
    rows.filter(pk=row.pk).update(
        data=data, digest=sha256(data), said_at=at, error="", next_at=now + BETWEEN
    )
    # An older checkpoint need not be shown any more: the newer one extends it.
    rows.filter(checkpoint__size__lt=row.checkpoint_id).delete()
