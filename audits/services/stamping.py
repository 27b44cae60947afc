"""Ask a time-stamping authority (RFC 3161) about checkpoints, and keep what it answers.

It gets the SHA-256 of a checkpoint and nothing else. No transaction is open while it is asked, and
no case waits for it: what fails is tried again later and later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from django.conf import settings
from django.db import transaction

from audits.core.canonical import sha256
from audits.core.events import instant
from audits.core.time_stamp import QUERY, StampRefused, stamp_request, verify_stamp
from audits.models import CheckpointAnchor
from audits.queries.anchors import STAMP, STAMPED, due_for_a_stamp, resting, tsa_certificates
from audits.services import log
from audits.services.anchoring import MOST_BYTES, claim, failed

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import LogCheckpoint

MOST = 5  # in one go


def stamp_due(*, now: datetime) -> int:
    """Have checkpoints stamped that are due; return how many were. It stops at a failure."""
    if not settings.EXPUNGE_TSA_URL or resting(STAMP, now):
        return 0
    stamped = 0
    for checkpoint in due_for_a_stamp(now, MOST):
        if not _stamp(checkpoint, now):
            break
        stamped += 1
    return stamped


def _stamp(checkpoint: LogCheckpoint, now: datetime) -> bool:
    row = claim(checkpoint, STAMP, now)
    if row is None:
        return False
    try:
        token, at = _fetch(checkpoint.note.encode())
    except (httpx.HTTPError, httpx.InvalidURL, OSError, StampRefused) as error:
        failed(row, _said(error), now)
        return False
    _keep(row, token, at, now)
    return True


def _fetch(message: bytes) -> tuple[bytes, datetime]:
    """Return the authority's answer, verified, and the time in it."""
    request = stamp_request(message)
    answer = httpx.post(
        settings.EXPUNGE_TSA_URL,
        content=request.as_bytes(),
        headers={"Content-Type": QUERY},
        timeout=settings.EXPUNGE_TSA_TIMEOUT,
    )
    answer.raise_for_status()
    token = answer.content
    if len(token) > MOST_BYTES:
        raise StampRefused(f"The answer has {len(token)} bytes; at most {MOST_BYTES} are kept.")
    return token, verify_stamp(token, message, roots=tsa_certificates(), asked=request)


@transaction.atomic
def _keep(row: CheckpointAnchor, token: bytes, at: datetime, now: datetime) -> None:
    digest = sha256(token)
    mine = CheckpointAnchor.objects.filter(pk=row.pk, said_at=None)
    if not mine.update(data=token, digest=digest, said_at=at, error="", next_at=now):
        return  # somebody else was faster, and the log names theirs
    log.append(
        type=STAMPED,
        case=None,
        now=now,
        data={"size": row.checkpoint_id, "digest": digest, "at": instant(at)},
        once=f"stamp:{row.checkpoint_id}",
    )


def _said(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"The authority answered with status {error.response.status_code}."
    # Other errors of a connection may hold the address, and that a password.
    return str(error) if isinstance(error, StampRefused) else type(error).__name__
