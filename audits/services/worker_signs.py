"""A worker says that it is there, and that it takes no more work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import WorkerSign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

KEPT = timedelta(days=1)  # a worker that was killed took no leave


@transaction.atomic
def give_sign(*, name: str, queues: Iterable[str], now: datetime) -> None:
    """Note that a worker takes messages of some queues; forget those that are long gone."""
    WorkerSign.objects.update_or_create(name=name, defaults={"queues": sorted(queues), "at": now})
    WorkerSign.objects.filter(at__lt=now - KEPT).delete()


def take_leave(*, name: str) -> None:
    """Note that a worker takes no more work; again, it changes nothing."""
    WorkerSign.objects.filter(name=name).delete()
