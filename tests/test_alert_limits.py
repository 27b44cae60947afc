"""An alert about what a setting decides keeps pace with that setting."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from audits.services.sweep_marks import note_sweep
from config import readiness
from config.metrics import FromDatabase
from lineage.models import Job
from lineage.services import jobs
from tests.test_alerts import alerts

pytestmark = pytest.mark.django_db
SAMPLE = r'\b(min|max)\((\w+)(?:\{(\w+)="(\w+)"\})?\)'


def fires(name: str) -> bool:
    """Return whether an alert has its condition now; only ``min``, ``max`` and sums are known."""
    readiness.forget()
    found = [sample for family in FromDatabase().collect() for sample in family.samples]

    def value(asked: re.Match[str]) -> str:
        which, metric, label, wanted = asked.groups()
        every = [s for s in found if s.name == metric and s.labels.get(label) == wanted]
        return repr((min if which == "min" else max)(s.value for s in every))

    condition = re.sub(SAMPLE, value, alerts()[name]["expr"])
    assert re.fullmatch(r"[\d.e+*<>= ]+", condition), condition
    return bool(eval(condition))


def swept(seconds_ago: float) -> None:
    ended = timezone.now() - timedelta(seconds=seconds_ago)
    note_sweep(began=ended, ended=ended, failed=0, left=0)


@pytest.mark.parametrize(("every", "well", "wrong"), [(10, 55, 65), (300, 1700, 1900)])
def test_a_sweep_is_missed_after_some_of_its_own_intervals(settings, every, well, wrong):
    settings.EXPUNGE_SWEEP_SECONDS = every
    swept(well)
    assert not fires("ExpungeSweepMissing")
    swept(wrong)
    assert fires("ExpungeSweepMissing")


@pytest.mark.parametrize(
    ("lease", "every", "well", "wrong"),
    [(60, 10, 170, 190), (600, 10, 1200, 1300), (60, 300, 1800, 2000)],
)
def test_a_job_is_silent_after_some_leases_and_sweeps(settings, lease, every, well, wrong):
    settings.EXPUNGE_LEASE_SECONDS, settings.EXPUNGE_SWEEP_SECONDS = lease, every
    now = timezone.now()
    job = jobs.create_job(key="a", kind="PLAN", queue="lineage", payload_id=uuid.uuid4(), now=now)
    jobs.claim_job(job_id=job.pk, now=now, lease=timedelta(seconds=lease))
    for silence, expected in ((well, False), (wrong, True)):
        Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=silence))
        assert fires("ExpungeJobSilent") is expected
