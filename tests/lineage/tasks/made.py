"""A job that is made."""

from __future__ import annotations

import uuid

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
