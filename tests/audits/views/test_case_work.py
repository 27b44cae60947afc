"""Work for a case as its page shows it: how far it is, and how it is stopped."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audits.core import said
from audits.execution import shadows
from audits.models import JobLine
from audits.queries.case_jobs import remaining
from audits.services import cancelling, closing, job_lines, retention
from audits.services.job_lines import KEPT, kept_lines
from audits.services.transitions import MoveNotAllowed
from lineage.models import Job
from lineage.services import jobs
from tests.audits.views import worlds
from tests.audits.views.test_views_cases import at, text_of
from tests.audits.views.working import running
from tests.audits.world import logged, member

ROOT = Path(__file__).parents[3]


def test_running_work_says_how_long_it_takes_and_what_it_said_last(decider):
    case, _ = worlds.planned()
    made = running(case, started_at=timezone.now() - timedelta(seconds=60))
    with kept_lines(made):
        jobs.report_progress(job=made, phase="training", done=0, total=16)
        jobs.report_progress(job=made, phase="training", done=4, total=16)
    assert [line.text for line in made.lines.all()] == ["training"]
    JobLine.objects.update(at=timezone.now() - timedelta(seconds=40))
    page = text_of(decider.get(at(case)))
    assert "4 of 16" in page
    assert "about 2.0 minutes left in this phase" in page
    assert "</time> training</li>" in page


@pytest.mark.parametrize(
    ("done", "total", "seconds", "left"),
    [(4, 16, 40, 120), (16, 16, 40, 0), (0, 16, 40, None), (1, 0, 40, None), (1, 16, 1, None)],
)
def test_what_is_left_goes_on_as_it_went(done, total, seconds, left):
    rest = remaining(done=done, total=total, spent=timedelta(seconds=seconds))
    assert rest == (None if left is None else timedelta(seconds=left))


def test_only_the_newest_lines_of_a_job_are_kept():
    case, _ = worlds.planned()
    made = running(case)
    with kept_lines(made):
        for number in range(KEPT + 3):
            jobs.report_progress(job=made, phase=f"phase {number}", done=0, total=0)
    assert made.lines.count() == KEPT
    assert made.lines.last().text.endswith(f"phase {KEPT + 2}")


def test_work_is_stopped_by_who_may_decide_about_models(decider, reader):
    case, _ = worlds.planned()
    made = running(case)
    stop = at(case, f"jobs/{made.pk}/cancel/")
    assert stop in text_of(decider.get(at(case)))
    assert stop not in text_of(reader.get(at(case)))
    assert reader.post(stop).status_code == 403
    assert decider.get(stop).status_code == 405
    decider.post(stop)
    made.refresh_from_db()
    assert made.cancel_requested
    assert logged(case, "job_cancelled") == [{"kind": "AUDIT"}]
    assert "It is being stopped." in text_of(decider.get(at(case, "progress/")))


def test_work_that_is_over_or_of_another_case_is_not_stopped(decider):
    case, _ = worlds.planned()
    made = running(case)
    user = member("ann", "Model operator")
    Job.objects.update(status="SUCCEEDED", holder=None)
    with pytest.raises(MoveNotAllowed, match="has ended"):
        cancelling.cancel_job(case_id=case.pk, job_id=made.pk, user=user, now=timezone.now())
    assert logged(case, "job_cancelled") == []
    Job.objects.update(payload_id=made.pk)
    assert decider.post(at(case, f"jobs/{made.pk}/cancel/")).status_code == 404


def test_work_that_ends_while_it_is_stopped_is_not_said_to_be_stopped(monkeypatch):
    case, _ = worlds.planned()
    made = running(case)
    real = jobs.request_cancel

    def ended(*, job_id: UUID, now: datetime):
        Job.objects.update(status="SUCCEEDED", holder=None)
        return real(job_id=job_id, now=now)

    monkeypatch.setattr(jobs, "request_cancel", ended)
    user = member("ann", "Model operator")
    with pytest.raises(MoveNotAllowed, match="has ended"):
        cancelling.cancel_job(case_id=case.pk, job_id=made.pk, user=user, now=timezone.now())
    assert logged(case, "job_cancelled") == []


def test_whoever_stops_work_waits_for_the_log_before_the_job():
    """A job appends first and asks for its row at the commit: the other order is a deadlock."""
    case, _ = worlds.planned()
    made = running(case)
    user = member("ann", "Model operator")
    with CaptureQueriesContext(connection) as asked:
        cancelling.cancel_job(case_id=case.pk, job_id=made.pk, user=user, now=timezone.now())
    asked_of = [one["sql"].partition("FROM ")[2].split()[:1] for one in asked.captured_queries]
    assert asked_of.index(['"audits_loghead"']) < asked_of.index(['"lineage_job"'])


FOLLOWS = ("stays sealed", "waits for a decision of staff", "until somebody retries it")


@pytest.mark.parametrize(
    ("kind", "follows", "after"),
    [
        ("REPORT", FOLLOWS[0], "a case officer can have the report written later"),
        ("SEARCH", FOLLOWS[1], "then waits for a decision of staff"),
        ("AUDIT", FOLLOWS[2], "retry it to go on"),
    ],
)
def test_what_follows_on_a_stop_is_said_for_each_kind_of_work(decider, kind, follows, after):
    case, _ = worlds.planned()
    made = running(case)
    Job.objects.update(kind=kind)
    stop = text_of(decider.get(at(case))).split(f'id="stop-{made.pk}"')[1].split("</details>")[0]
    assert [one for one in FOLLOWS if one in stop] == [follows]
    assert after in text_of(decider.post(at(case, f"jobs/{made.pk}/cancel/"), follow=True))


def test_a_page_shows_only_words_of_ours_that_are_known_beforehand(decider):
    case, _ = worlds.planned()
    made = running(case)
    log = logging.getLogger("expunge.unlearning")
    with kept_lines(made):
        log.warning("The second execution failed: %s", "Ada", extra={"said": "SECOND_FAILED"})
        log.warning("Ada Lovelace, 12 June Street")
        log.warning("%s", "Ada", extra={"said": "ADA"})
    assert [line.text for line in made.lines.all()] == ["!SECOND_FAILED"]
    page = text_of(decider.get(at(case)))
    assert said.SENTENCES["SECOND_FAILED"] in page
    assert "Ada Lovelace" not in page


def test_each_code_that_is_logged_is_known_and_each_that_is_known_is_logged():
    logged_codes = set()
    for app in ("audits", "unlearning", "lineage"):
        for file in (ROOT / app).rglob("*.py"):
            logged_codes |= set(re.findall(r'extra=\{"said": "(\w+)"\}', file.read_text()))
    assert logged_codes == set(said.SENTENCES)


def test_what_stopped_work_said_is_shown_until_its_case_is_sealed(decider):
    case, _ = worlds.judged(worlds.u_lira())
    made = running(case)
    with kept_lines(made):
        jobs.report_progress(job=made, phase="until it was stopped", done=0, total=0)
    Job.objects.update(status="CANCELLED", holder=None)
    cases = type(case).objects.filter(pk=case.pk)
    cases.update(status="FAILED", failed_from="AUDITING")
    assert "until it was stopped" in text_of(decider.get(at(case)))
    cases.update(status="AUDITING", failed_from="")
    closing.mark_erased(case_id=case.pk, now=timezone.now())
    worlds.sealed(case)
    assert not made.lines.exists()


def test_lines_go_after_their_days_or_with_the_identity_of_the_case(settings):
    case = worlds.erased()
    settings.EXPUNGE_JOB_LINE_DAYS = 3
    now, made = timezone.now(), running(case)
    for days in (4, 2):
        JobLine.objects.create(job=made, at=now - timedelta(days=days), level="INFO", text="x")
    assert job_lines.expire_lines(now=now) == 1
    assert made.lines.get().at == now - timedelta(days=2)
    retention.destroy_identity(case_id=case.pk, now=now)
    assert not made.lines.exists()


def test_lines_of_a_job_that_somebody_else_has_by_now_are_not_forgotten(monkeypatch):
    case, _ = worlds.planned()
    made = running(case)
    JobLine.objects.create(job=made, at=timezone.now(), level="INFO", text="of the other")

    def lost(job):
        Job.objects.filter(pk=job.pk).update(holder=uuid4())

    monkeypatch.setattr(shadows, "train_shadows", lost)
    with pytest.raises(CommandError, match="was taken back while it was done"):
        call_command("run_job", str(made.pk))
    assert made.lines.get().text == "of the other"
