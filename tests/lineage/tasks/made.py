"""A job that is made, and one that somebody works at."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone

from lineage.services import jobs


def make(then="audits.job_ended"):
    return jobs.create_job(
        key=str(uuid.uuid4()),
        kind="PLAN",
        queue="lineage",
        payload_id=uuid.uuid4(),
        then=then,
        now=timezone.now(),
    )


def claimed():
    return jobs.claim_job(job_id=make().pk, now=timezone.now(), lease=timedelta(seconds=60))
