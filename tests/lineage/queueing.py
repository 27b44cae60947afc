"""Jobs that are made and claimed at given times."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from lineage.models import Job
from lineage.services import jobs

ONE = uuid.UUID(int=1)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def make(key="a job", **fields: object):
    values: dict[str, Any] = {"kind": "PLAN", "queue": "lineage", "payload_id": ONE, "now": NOW}
    return jobs.create_job(key=key, **values | fields)


def claim(job, now=NOW):
    return jobs.claim_job(job_id=job.pk, now=now, lease=LEASE)


def status(job):
    return Job.objects.get(pk=job.pk).status
