"""A worker is there as long as it says so, whether it has work or not."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from audits.models import WorkerSign
from audits.queries.worker_signs import HEARD, watched_queues, without_worker
from audits.services.worker_signs import KEPT, give_sign, take_leave
from config import worker_signs
from lineage.services import jobs

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LIGHT, PATIENCE = ["intake", "lineage", "report"], 60


def state(name, now=NOW):
    return next(one for one in watched_queues(now) if one.name == name)


# --- what the row says --------------------------------------------------------------------------


def test_an_idle_worker_is_there_until_it_is_silent_for_too_long():
    assert state("heavy").absent
    give_sign(name="heavy@one", queues=["heavy"], now=NOW)
    give_sign(name="heavy@one", queues=["heavy"], now=NOW)
    give_sign(name="heavy@two", queues=["heavy"], now=NOW)
    assert (state("heavy").workers, state("heavy").seen_at) == (2, NOW)
    assert not state("heavy").absent
    assert state("heavy", NOW + HEARD).workers == 2
    assert state("heavy", NOW + HEARD + timedelta(seconds=1)).absent
    assert without_worker(NOW) == ["intake", "lineage", "report"]
    give_sign(name="light@one", queues=LIGHT, now=NOW)
    assert without_worker(NOW) == []
    take_leave(name="light@one")
    assert without_worker(NOW) == ["intake", "lineage", "report"]
    give_sign(name="light@one", queues=LIGHT, now=NOW + KEPT + timedelta(seconds=1))
    assert WorkerSign.objects.get().name == "light@one"


def test_a_worker_with_a_device_is_missed_only_where_models_are_computed_on_one(settings):
    give_sign(name="all@one", queues=[*LIGHT, "heavy"], now=NOW)
    assert without_worker(NOW) == []
    assert "gpu" not in {one.name for one in watched_queues(NOW)}
    settings.EXPUNGE_DEVICE = "cuda"
    assert without_worker(NOW) == ["gpu"]
    give_sign(name="gpu@two", queues=["gpu", "heavy"], now=NOW)
    assert without_worker(NOW) == []


def test_a_job_that_waits_for_a_device_is_told_of_when_the_setting_is_another():
    job = jobs.create_job(key="a", kind="TRAIN", queue="gpu", payload_id=uuid.uuid4(), now=NOW)
    assert state("gpu").absent
    held = jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(seconds=60))
    jobs.finish_job(job=held, now=NOW)
    assert not state("gpu").absent  # it is shown for some weeks, and nobody need come


def test_a_queue_whose_worker_drains_is_not_told_of_as_long_as_its_job_runs():
    job = jobs.create_job(key="a", kind="X", queue="heavy", payload_id=uuid.uuid4(), now=NOW)
    held = jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(seconds=60))
    assert (state("heavy").workers, state("heavy").absent) == (0, False)
    jobs.finish_job(job=held, now=NOW)
    assert state("heavy").absent


def test_a_worker_goes_on_when_the_database_does_not_take_its_sign(monkeypatch, caplog):
    def away(**_: object):
        raise OperationalError

    monkeypatch.setattr("audits.services.worker_signs.give_sign", away)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    worker_signs._give("heavy@one", ["heavy"])
    assert "no sign of this worker was written: OperationalError" in caplog.text
