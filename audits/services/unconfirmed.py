"""Forget the addresses of requests that nobody confirmed in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from audits.models import ErasureRequest
from audits.services import log
from lineage import keys

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def forget_unconfirmed(*, now: datetime) -> int:
    """Blank the address of every request whose link has expired unused; return how many.

    Anybody can type anybody's address into the form: what was never confirmed is not kept. The
    key of the case goes too, so that the commitment in the log means nothing any more.
    """
    expired = ErasureRequest.objects.filter(
        status=ErasureRequest.Status.RECEIVED,
        received_at__lt=now - timedelta(hours=settings.EXPUNGE_CONFIRM_HOURS),
    ).exclude(email="")
    ids = list(expired.values_list("pk", flat=True))
    return sum(_forget(case_id, now) for case_id in ids)


def _forget(case_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        forgotten = ErasureRequest.objects.filter(
            pk=case_id, status=ErasureRequest.Status.RECEIVED
        ).update(email="", confirm_digest="")
        if not forgotten:
            return False
        log.append(type="case_key_destroyed", case=case_id, now=now, once=f"case key:{case_id}")
    keys.destroy(f"case:{case_id}")
    return True
