"""Queues and workers: what waits and runs, and the switch that pauses a queue."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits import workflow
from audits.core import events
from audits.models import LogLeaf
from audits.services.worker_signs import give_sign
from audits.views.queues import _pace
from lineage.models import Job, PausedQueue
from lineage.services import jobs
from tests.audits.views import worlds
from tests.audits.views.visits import text_of
from tests.audits.world import member

LEASE = timedelta(seconds=60)


def queued(count=1, kind="TRAIN", queue="heavy", payload_id=None, now=None):
    return [
        jobs.create_job(
            key=uuid.uuid4().hex,
            kind=kind,
            queue=queue,
            payload_id=payload_id or uuid.uuid4(),
            now=now or timezone.now(),
        )
        for _ in range(count)
    ]


def claim(job):
    return jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)


def logged():
    found = LogLeaf.objects.filter(type__startswith="queue_").order_by("index")
    return [(leaf.type, events.parse(bytes(leaf.data))) for leaf in found]


def test_a_model_operator_pauses_a_queue_and_lets_it_go_on(decider):
    (job,) = queued()
    page = text_of(decider.post("/queues/heavy/pause/", follow=True))
    assert "The queue heavy is paused." in page
    assert "Paused, drained" in page
    with pytest.raises(jobs.JobNotClaimable):
        claim(job)
    assert "goes on" in text_of(decider.post("/queues/heavy/resume/", follow=True))
    assert claim(job).status == Job.Status.RUNNING
    assert [kind for kind, _ in logged()] == ["queue_paused", "queue_resumed"]
    assert {event.actor[:6] for _, event in logged()} == {"staff:"}
    assert [dict(event.data) for _, event in logged()] == [{"queue": "heavy"}] * 2


def test_a_switch_that_changes_nothing_is_not_logged(decider):
    decider.post("/queues/heavy/resume/")
    decider.post("/queues/heavy/pause/")
    assert "was paused before" in text_of(decider.post("/queues/heavy/pause/", follow=True))
    assert len(logged()) == 1


def test_who_may_not_operate_sees_no_switch_and_is_refused(reader, decider):
    assert "<button" not in text_of(reader.get("/queues/")).partition("<main")[2]
    assert reader.post("/queues/heavy/pause/").status_code == 403
    assert decider.get("/queues/heavy/pause/").status_code == 405
    assert decider.post("/queues/intake/pause/").status_code == 404
    assert not PausedQueue.objects.exists()


def test_a_resumed_queue_is_rung_at_once(monkeypatch, django_capture_on_commit_callbacks):
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("audits.workflow.doorbell.send", lambda *words: sent.append(words))
    (job,) = queued()
    jobs.mark_rung(job_id=job.pk, now=timezone.now())
    user = member("operator", "Model operator")
    workflow.pause_queue(queue="heavy", user=user)
    with django_capture_on_commit_callbacks(execute=True):
        workflow.resume_queue(queue="heavy", user=user)
    assert sent == [("lineage.run_job", str(job.pk), "heavy")]


def test_the_command_lists_pauses_and_resumes():
    queued(2)

    def said(*words: str):
        out = StringIO()
        call_command("queues", *words, stdout=out)
        return out.getvalue()

    assert "heavy: 2 waiting, 0 running, 0 failed, no worker\n" in said()
    assert "heavy: 2 waiting, 0 running, 0 failed, paused, no worker\n" in said("pause", "heavy")
    give_sign(name="heavy@one", queues=["heavy"], now=timezone.now())
    assert "heavy: 2 waiting, 0 running, 0 failed, paused, workers: 1\n" in said()
    assert "heavy was paused before." in said("pause", "heavy")
    assert "paused" not in said("resume", "heavy")
    assert "heavy was not paused." in said("resume", "heavy")
    assert [event.actor for _, event in logged()] == ["system", "system"]
    with pytest.raises(CommandError, match="invalid choice: 'intake'"):
        said("pause", "intake")


def test_the_page_shows_progress_failures_and_whose_they_are(
    reader, django_assert_max_num_queries
):
    case = worlds.planned()[0]
    run = case.runs.get()
    for number in range(12):
        (job,) = queued(kind="UNLEARN", payload_id=run.pk)
        held = claim(job)
        if number % 2:
            jobs.fail_job(job=held, now=timezone.now(), code="DISK_FULL", message="No space.")
        else:
            jobs.report_progress(job=held, phase="epoch", done=3, total=4)
    with django_assert_max_num_queries(24):
        page = text_of(reader.get("/queues/"))
    assert page.count("epoch 3 of 4") == 6
    assert page.count('value="75"') == 6
    assert page.count("the disk is full. <code>DISK_FULL</code>") == 6
    assert "No space." not in page
    assert page.count(f'href="/cases/{case.pk}/">{case.reference}') == 12


def test_a_queue_that_nobody_serves_and_a_lapsed_lease_are_seen(reader):
    ago = timezone.now() - timedelta(hours=1)
    queued(queue="report", now=ago)
    (job,) = queued()
    jobs.claim_job(job_id=job.pk, now=ago, lease=LEASE)
    page = text_of(reader.get("/queues/"))
    assert "Nobody takes its jobs" in page
    assert "Lease lapsed" in page
    assert page.count("No worker is there") == 1  # of lineage, which has nothing to do
    give_sign(name="light@one", queues=["lineage", "report"], now=timezone.now())
    page = text_of(reader.get("/queues/"))
    assert "No worker is there" not in page
    assert "Nobody takes its jobs" in page  # though somebody says that they are there
    assert "No worker" in text_of(reader.get("/home/"))


def test_the_capacity_is_held_against_the_bound(reader, settings):
    version = worlds.version("faces")
    type(version.generated_by).objects.update(recipe="unlearning.recipes.digits:DigitsMLP")
    settings.EXPUNGE_REBUILDS_PER_DAY = 0.05
    page = text_of(reader.get("/queues/"))
    assert "1, in 1 shard<" in page
    assert "40 days" in page  # (S - 1 + 2) / c
    assert "Beyond the deadline" in page


@pytest.mark.parametrize(
    ("per_day", "said"),
    [
        (20251.9, "about 20,000 shards a day"),
        (1.04, "about 1 shard a day"),
        (0.25, "one shard in about 4 days"),
        (0.0, "nothing"),
    ],
)
def test_the_pace_is_said_in_round_words(per_day, said):
    assert _pace(per_day) == said
