"""Cases that came some days ago, and the sweep that starts them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from audits.models import ErasureRequest
from audits.workflow import tasks
from lineage.models import Job

if TYPE_CHECKING:
    from tests.audits.world import World


def age(case, days):
    """Let a case have come so many days ago."""
    now = timezone.now()
    ErasureRequest.objects.filter(pk=case.pk).update(
        received_at=now - timedelta(days=days), due_on=(now + timedelta(days=30 - days)).date()
    )
    case.refresh_from_db()
    return case


def sweep(world):
    with world.commit(execute=True):
        tasks.sweep()


def settled(world: World, *cases: ErasureRequest) -> list[ErasureRequest]:
    """Sweep and work until nothing moves."""
    for _ in range(6):
        sweep(world)
        world.work()
    return [world.current(case) for case in cases]


def planned():
    return Job.objects.filter(kind="PLAN").count()
