"""The page of a job: how far it is, why it failed; stop it and do it again, outside cases."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from audits import workflow
from audits.core import events
from audits.models import JobLine, LogLeaf
from audits.queries.case_jobs import courses_of
from audits.queries.job_page import job_page
from audits.services.job_lines import kept_lines
from audits.services.job_switch import JobOfCase
from lineage.models import Job
from lineage.services import jobs
from tests.audits.views import worlds
from tests.audits.views.visits import text_of
from tests.audits.world import member

LEASE = timedelta(minutes=10)


@pytest.fixture
def now(monkeypatch):
    """A clock that stands still: what is left of a phase grows while a test takes its time."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


def job(kind="TRAIN", payload_id=None, **parameters: str):
    return jobs.create_job(
        key=uuid.uuid4().hex,
        kind=kind,
        queue="heavy",
        payload_id=payload_id or uuid.uuid4(),
        parameters=parameters,
        now=timezone.now(),
    )


def claimed(one, *, ago=timedelta()):
    return jobs.claim_job(job_id=one.pk, now=timezone.now() - ago, lease=LEASE)


def failed(one):
    held = claimed(one)
    jobs.fail_job(job=held, now=timezone.now(), code="StoreFull", message="The store is full.")
    return held


def address(one, ending=""):
    return f"/queues/jobs/{one.pk}/{ending}"


def logged():
    found = LogLeaf.objects.filter(type__startswith="work_").order_by("index")
    read = [events.parse(bytes(leaf.data)) for leaf in found]
    return [(leaf.type, dict(one.data)) for leaf, one in zip(found, read, strict=True)]


def test_a_running_job_shows_progress_elapsed_and_remaining_time(reader, now):
    one = job(model_name="faces")
    held = claimed(one, ago=timedelta(minutes=5))
    jobs.report_progress(job=held, phase="Training faces", done=25, total=100)
    page = text_of(reader.get(address(one)))
    assert "Train: faces" in page
    assert 'value="25"' in page
    assert "5 min so far, about 15 min left in this phase" in page
    assert "about 15 min left in this phase" in text_of(reader.get("/queues/"))
    live = reader.get(address(one, "progress/"))
    assert 'data-part="work"' in text_of(live)
    unchanged = reader.get(address(one, "progress/"), headers={"If-None-Match": live["ETag"]})
    assert unchanged.status_code == 304


@pytest.mark.parametrize(
    ("done", "total", "seconds", "left"),
    [(1, 4, 10, 30), (4, 4, 10, 0), (0, 4, 10, None), (0, 0, 10, None), (3, 4, 1, None)],
)
def test_what_is_left_is_said_only_where_it_can_be(done, total, seconds, left):
    now = timezone.now()
    one = Job(
        status="RUNNING",
        done=done,
        total=total,
        created_at=now,
        started_at=now - timedelta(seconds=seconds),
    )
    found = courses_of([one], now)[one.pk].remaining
    assert found == (None if left is None else timedelta(seconds=left))


def test_every_page_says_the_same_of_what_is_left_from_the_start_of_the_phase(reader, now):
    case, run = worlds.planned()
    held = claimed(job("UNLEARN", payload_id=run.pk), ago=timedelta(hours=1))
    with kept_lines(held):
        jobs.report_progress(job=held, phase="training", done=0, total=16)
    JobLine.objects.update(at=now - timedelta(minutes=5))
    with kept_lines(held):
        jobs.report_progress(job=held, phase="training", done=4, total=16)
    assert [line.text for line in held.lines.all()] == ["training"]
    held.refresh_from_db()
    assert job_page(held, now).course.remaining == timedelta(minutes=15)
    assert "about 15.0 minutes left in this phase" in text_of(reader.get(f"/cases/{case.pk}/"))
    for path in (address(held), "/queues/"):
        assert "about 15 min left in this phase" in text_of(reader.get(path))


def test_a_job_that_says_itself_what_is_left_is_not_contradicted(reader):
    case, run = worlds.planned()
    held = claimed(job("UNLEARN", payload_id=run.pk), ago=timedelta(minutes=5))
    with kept_lines(held):
        for done, left in ((0, ""), (4, "about 3 min left"), (5, "about 2 min left")):
            jobs.report_progress(job=held, phase="training", done=done, total=16, left=left)
    assert [line.text for line in held.lines.all()] == ["training"]
    for path in (f"/cases/{case.pk}/", address(held), "/queues/"):
        page = text_of(reader.get(path))
        assert "raining, about 2 min left" in page
        assert "left in this phase" not in page


def test_a_paused_queue_is_told_from_a_worker_that_is_gone(reader):
    case, run = worlds.planned()
    workflow.pause_queue(queue="heavy", user=member("operator", "Model operator"))
    one = job("UNLEARN", payload_id=run.pk)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=10))
    for path in (address(one), f"/cases/{case.pk}/"):
        page = text_of(reader.get(path))
        assert "The queue heavy is paused since" in page
        assert "until a model operator resumes it" in page
        assert "goes on by itself" not in page
        assert "No worker has taken this work" not in page
        assert "A worker takes the next job of the queue within seconds" not in page
    workflow.resume_queue(queue="heavy", user=member("operator", "Model operator"))
    assert "No worker has taken this work" in text_of(reader.get(f"/cases/{case.pk}/"))


def test_a_stopped_job_names_the_event_of_the_log_that_says_when(decider):
    _, run = worlds.planned()
    for one, event in ((job(), "work_cancelled"), (job("UNLEARN", run.pk), "job_cancelled")):
        with kept_lines(one):
            jobs.logger.info("job", extra={"phase": "training"})
        jobs.request_cancel(job_id=one.pk, now=timezone.now())
        assert f"<code>{event}</code>" in text_of(decider.get(address(one)))
        one.refresh_from_db()
        assert [line.words for line in job_page(one, timezone.now()).course.lines] == ["training"]


def test_a_stop_that_comes_after_the_end_says_so_and_is_not_logged(decider, monkeypatch):
    one = job()
    claimed(one)
    real = jobs.request_cancel

    def ended(*, job_id: UUID, now: datetime):
        Job.objects.update(status="SUCCEEDED", holder=None)
        return real(job_id=job_id, now=now)

    monkeypatch.setattr(jobs, "request_cancel", ended)
    assert "had ended before" in text_of(decider.post(address(one, "cancel/"), follow=True))
    assert logged() == []


def test_a_job_that_waits_is_stopped_at_once_and_can_be_tried_again(decider):
    one = job()
    asked = text_of(decider.get(address(one, "cancel/")))
    assert "The version is not made." in asked
    page = text_of(decider.post(address(one, "cancel/"), follow=True))
    one.refresh_from_db()
    assert one.status == Job.Status.CANCELLED
    assert "Stopped" in page
    assert address(one, "retry/") in page
    decider.post(address(one, "cancel/"))  # changes nothing, and is not logged
    assert "from its first step" in text_of(decider.get(address(one, "retry/")))
    assert "waits for a worker again" in text_of(decider.post(address(one, "retry/"), follow=True))
    one.refresh_from_db()
    assert (one.status, one.attempt) == (Job.Status.QUEUED, 0)
    said = {"job": str(one.pk), "kind": "TRAIN"}
    assert logged() == [("work_cancelled", said), ("work_retried", said)]


def test_a_running_job_is_asked_to_stop_and_its_holder_hears_it(decider):
    one = job()
    held = claimed(one)
    page = text_of(decider.post(address(one, "cancel/"), follow=True))
    assert "Is being stopped" in page
    assert address(one, "cancel/") not in page
    assert jobs.renew_lease(job=held, now=timezone.now(), lease=LEASE)
    assert "There is nothing to stop" in text_of(decider.get(address(one, "cancel/")))


def test_a_job_that_failed_says_why_and_is_rung_when_it_is_tried_again(
    decider, monkeypatch, django_capture_on_commit_callbacks
):
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("audits.workflow.doorbell.send", lambda *words: sent.append(words))
    one = job("TUNE")
    failed(one)
    assert "The store is full." in text_of(decider.get(address(one)))
    assert "Unless that was put right" in text_of(decider.get(address(one, "retry/")))
    with django_capture_on_commit_callbacks(execute=True):
        decider.post(address(one, "retry/"))
    assert sent == [("lineage.run_job", str(one.pk), "heavy")]
    assert "StoreFull" not in text_of(decider.get(address(one)))


def test_the_error_itself_is_shown_to_whoever_runs_jobs_and_a_sentence_to_everybody(
    reader, decider, administrator
):
    case, run = worlds.planned()
    own, of_case = failed(job()), failed(job("UNLEARN", payload_id=run.pk))
    run.status, run.error_code, run.error = "FAILED", "StoreFull", "The store is full."
    run.save()
    type(case).objects.update(
        status="FAILED",
        failed_from="UNLEARNING",
        failure_code="StoreFull",
        failure="The store is full.",
    )
    pages = (address(own), address(of_case), f"/cases/{case.pk}/")
    for path in pages:
        page = text_of(reader.get(path))
        assert "A file or folder could not be read or written" in page
        assert "<code>StoreFull</code>" in page
        assert "is shown to the roles Model operator and Administrator" in page
        assert "The store is full." not in page
        for someone in (decider, administrator):
            assert "The store is full." in text_of(someone.get(path))
    assert "The store is full." not in text_of(decider.get("/queues/"))


def test_what_a_case_waits_for_is_left_to_the_page_of_the_case(decider):
    case, run = worlds.planned()
    one = job("UNLEARN", payload_id=run.pk)
    page = text_of(decider.get(address(one)))
    assert f'href="/cases/{case.pk}/"' in page
    assert address(one, "cancel/") not in page
    assert "on the page of the case" in text_of(decider.get(address(one, "cancel/")))
    refused = text_of(decider.post(address(one, "cancel/"), follow=True))
    assert f"The case {case.reference} waits for this job." in refused
    failed(one)
    with pytest.raises(JobOfCase, match=case.reference):
        workflow.retry_work(job_id=one.pk, user=member("operator", "Model operator"))
    one.refresh_from_db()
    assert one.status == Job.Status.FAILED
    assert logged() == []


def test_who_may_not_operate_sees_no_switch_and_is_refused(reader):
    one = job()
    page = text_of(reader.get(address(one)))
    assert address(one, "cancel/") not in page
    assert "takes the role Model operator" in page
    for ending in ("cancel/", "retry/"):
        assert reader.get(address(one, ending)).status_code == 403
        assert reader.post(address(one, ending)).status_code == 403
    one.refresh_from_db()
    assert one.status == Job.Status.QUEUED


def test_a_job_that_is_not_there_is_not_found(decider):
    for ending in ("", "progress/", "cancel/", "retry/"):
        assert decider.get(f"/queues/jobs/{uuid.uuid4()}/{ending}").status_code == 404
    assert decider.post(f"/queues/jobs/{uuid.uuid4()}/retry/").status_code == 404


def test_the_page_of_a_job_keeps_its_budget(reader, django_assert_max_num_queries):
    for kind in ("TRAIN", "TUNE", "PREVIEW", "TILES", "UNLEARN"):
        one = job(kind)
        with django_assert_max_num_queries(14):
            assert reader.get(address(one)).status_code == 200
