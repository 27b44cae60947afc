"""Work that is stopped while its process writes: neither waits for the other without end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from audits.models import LogHead
from audits.services import job_switch
from lineage.models import Job
from lineage.services import jobs
from lineage.services.fence import fenced
from tests.audits.test_operator_races import until_somebody_waits
from tests.audits.world import NOW, member

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"
    ),
]


def test_a_job_that_writes_into_the_log_is_stopped_after_its_transaction():
    """It asks for its own row at the commit, which whoever stops it must not hold by then."""
    made = jobs.create_job(key="a job", kind="TUNE", queue="heavy", payload_id=uuid4(), now=NOW)
    job = jobs.claim_job(job_id=made.pk, now=NOW, lease=timedelta(hours=1))
    user = member("ann", "Model operator")
    with ThreadPoolExecutor(1) as pool:
        with fenced(job), transaction.atomic():
            LogHead.objects.select_for_update().get(pk=1)  # as an event does
            stopped = pool.submit(stopped_by, user, job)
            assert until_somebody_waits()
        assert stopped.result()
    assert Job.objects.get().cancel_requested


def stopped_by(user, job):
    try:
        return job_switch.cancel_work(job_id=job.pk, user=user, now=NOW)
    finally:
        connection.close()
