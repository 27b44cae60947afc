"""The job table, by steps that are drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lineage.models import Job
from lineage.services import away, jobs
from lineage.services.jobs import JobNotClaimable, LeaseLost
from tests.lineage.queueing import LEASE, NOW, claim, make

pytestmark = pytest.mark.django_db


class Model:
    """What the table should say, and every claim that anybody ever got."""

    def __init__(self, number) -> None:
        self.job = make(f"job {number}")
        self.now = self.heard = NOW
        self.claims: list[Job] = []
        self.holder: Job | None = None
        self.lapses = NOW
        self.attempt, self.status, self.asked = 0, "QUEUED", False
        self.most = jobs.DEFAULT_ATTEMPTS

    def claim(self, _who):
        if self.status != "QUEUED":
            with pytest.raises(JobNotClaimable):
                claim(self.job, self.now)
            return
        self.holder = claim(self.job, self.now)
        self.claims.append(self.holder)
        self.attempt, self.status, self.lapses = self.attempt + 1, "RUNNING", self.now + LEASE

    def wait(self, who):
        self.now += timedelta(seconds=25 * (who + 1))

    def renew(self, who):
        claimed = self._claimed(who)
        if claimed is None:
            return
        if claimed is not self.holder:
            with pytest.raises(LeaseLost):
                jobs.renew_lease(job=claimed, now=self.now, lease=LEASE)
            return
        jobs.renew_lease(job=claimed, now=self.now, lease=LEASE)
        self.lapses = self.now + LEASE

    def finish(self, who):
        claimed = self._claimed(who)
        if claimed is None:
            return
        assert jobs.finish_job(job=claimed, now=self.now) == (claimed is self.holder)
        if claimed is self.holder:
            self._leave("SUCCEEDED")

    def release(self, who):
        claimed = self._claimed(who)
        if claimed is None:
            return
        jobs.release_job(job=claimed, now=self.now)
        if claimed is self.holder:
            self._leave(self._given_back())

    def find_store_away(self, who):
        claimed = self._claimed(who)
        if claimed is None:
            return
        said = away.BY_EXIT[away.STORE]
        away.release_away(job=claimed, now=self.now, away=said, silence=LEASE)
        if claimed is self.holder:
            assert claimed.started_at
            tries = self.most - jobs.DEFAULT_ATTEMPTS + 1
            each = self.now - claimed.started_at + min(LEASE, timedelta(seconds=5 * 2**tries / 2))
            over = tries >= jobs.DEFAULT_ATTEMPTS and tries * each >= timedelta(hours=1)
            self.most += not (self.asked or over)
            self._leave("CANCELLED" if self.asked else "FAILED" if over else "QUEUED")

    def cancel(self, _who):
        changes = self.status == "QUEUED" or (self.status == "RUNNING" and not self.asked)
        assert jobs.request_cancel(job_id=self.job.pk, now=self.now) == changes
        if self.status == "QUEUED":
            self.status = "CANCELLED"
        self.asked |= self.status == "RUNNING"

    def sweep(self, _who):
        lapsed = self.status == "RUNNING" and self.lapses < self.now
        assert jobs.take_back_lapsed(now=self.now, lease=LEASE) == lapsed
        if lapsed:
            self._leave(self._given_back())

    def retry(self, _who):
        over = self.status in ("FAILED", "CANCELLED")
        assert jobs.retry_job(job_id=self.job.pk) == over
        if over:
            self.attempt, self.status, self.asked = 0, "QUEUED", False
            self.most = jobs.DEFAULT_ATTEMPTS

    def check(self):
        row = Job.objects.get(pk=self.job.pk)
        assert (row.status, row.attempt) == (self.status, self.attempt)
        assert row.holder == (self.holder.holder if self.holder else None)
        assert row.attempt <= row.max_attempts == self.most
        if row.status == "QUEUED":  # never lost: a sweep finds it, however long it takes
            self.heard += timedelta(days=1)
            assert row in jobs.jobs_to_ring(now=self.heard, silence=LEASE)

    def _given_back(self):
        if self.asked:
            return "CANCELLED"
        return "QUEUED" if self.attempt < self.most else "FAILED"

    def _leave(self, status):
        self.holder, self.status = None, status

    def _claimed(self, who) -> Job | None:
        return self.claims[who % len(self.claims)] if self.claims else None


STEPS = st.sampled_from(
    [
        "claim",
        "claim",
        "wait",
        "renew",
        "finish",
        "release",
        "find_store_away",
        "sweep",
        "retry",
        "cancel",
    ]
)


@given(steps=st.lists(st.tuples(STEPS, st.integers(0, 3)), max_size=25), number=st.uuids())
@examples(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_job_has_one_holder_is_never_lost_and_is_tried_a_bounded_number_of_times(steps, number):
    point = transaction.savepoint()
    try:
        model = Model(number)
        for step, who in steps:
            getattr(model, step)(who)
            model.check()
    finally:
        transaction.savepoint_rollback(point)
