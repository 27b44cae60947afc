"""One trace for each case: what its spans say, in which process, and that they name nobody."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.test import Client

from audits import workflow
from audits.management.commands import run_job
from audits.models import ErasureRequest
from audits.workflow import tasks
from config import logs, tracing
from lineage.core import spans
from lineage.models import Job
from lineage.services import jobs
from tests.audits.bare_cases import (
    ADA,
    BERT,
    CONSENT,
    NOW,
    officer,
    queued_run,
    refuse_now,
    reviewer,
    verified_case,
)
from tests.audits.world import LEASE
from tests.config.collector import ALLOWED, collecting, exported

ROOT = Path(__file__).parents[2]


@pytest.fixture
def collector(settings, monkeypatch):
    """A real collector, to which this process exports when its work is done."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        settings.EXPUNGE_TRACES = True
        tracing.switch_on()
        yield found
        tracing.switch_off()


@pytest.fixture
def case(db, signing_key):
    return verified_case()


def job_of(case, payload, kind="UNLEARN", **more: object):
    given = {"key": f"{kind}:{payload}", "kind": kind, "queue": "heavy", "now": NOW}
    made = jobs.create_job(payload_id=payload, **given | more)
    return jobs.claim_job(job_id=made.pk, now=NOW, lease=LEASE)


def test_a_case_ends_with_the_span_in_which_all_others_lie(
    case, collector, rung, django_capture_on_commit_callbacks
):
    refuse_now(case.pk, code="ART_17_3_A")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.advance_case(str(case.pk))
    found = exported(collector)
    whole = collector.named("case")
    assert whole.parent == ""
    assert int(whole.trace, 16) == spans.trace_of(case.pk)
    assert whole.about == {
        "expunge.case": case.reference,
        "expunge.outcome": "REFUSED",
        "expunge.state": "SEALED",
    }
    sealed = ErasureRequest.objects.get(pk=case.pk).sealed_at
    assert whole.seconds == pytest.approx((sealed - case.received_at).total_seconds())
    assert collector.named("step close_early").parent == whole.id
    seal = collector.named("seal")
    assert seal.parent == collector.named("step close_early").id
    assert seal.moved == ("SEALED",)
    assert {one.trace for one in found} == {whole.trace}


def test_a_step_of_which_nothing_came_is_no_span(case, collector):
    for _ in range(3):
        tasks.advance_case(str(case.pk))
    assert exported(collector) == []


def test_a_pass_of_the_sweep_is_a_trace_of_its_own_with_a_span_for_each_step(
    case, collector, rung, monkeypatch
):
    def break_down(_now):
        raise LookupError(ADA)

    monkeypatch.setattr(tasks, "SWEPT", (*tasks.SWEPT, break_down))
    tasks.sweep()
    found = exported(collector)
    whole = collector.named("sweep")
    assert (whole.parent, whole.about) == ("", {"expunge.outcome": "FAILED"})
    steps = [one for one in found if one != whole and one.trace == whole.trace]
    assert {one.parent for one in steps} == {whole.id}
    names = [step.__name__.strip("_") for step in tasks.SWEPT]
    assert [one.name for one in steps] == [f"sweep {name}" for name in (*names, "cases")]
    assert {one.name: one.about for one in steps if one.failed} == {
        "sweep break_down": {"expunge.step": "break_down", "error.type": "LookupError"}
    }
    assert whole.seconds >= sum(one.seconds for one in steps)


def test_a_step_that_the_sweep_takes_is_in_the_trace_of_its_case_with_a_link_to_the_sweep(
    case, collector, rung, django_capture_on_commit_callbacks
):
    refuse_now(case.pk, code="ART_17_3_A")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    exported(collector)
    step, cases = collector.named("step close_early"), collector.named("sweep cases")
    assert int(step.trace, 16) == spans.trace_of(case.pk) != int(cases.trace, 16)
    assert (step.parent, step.links) == (collector.named("case").id, (cases.id,))


def test_a_job_that_the_sweep_rings_again_carries_on_the_trace_of_its_case(
    case, collector, monkeypatch
):
    told = {}
    monkeypatch.setattr(tasks, "send", lambda _task, job, _: told.update({job: spans.carried()}))
    ours = jobs.create_job(key="a", kind="PLAN", queue="lineage", payload_id=case.pk, now=NOW)
    nobodys = jobs.create_job(key="b", kind="TRAIN", queue="heavy", payload_id=uuid4(), now=NOW)
    tasks.sweep()
    for job in (ours, nobodys):
        with spans.received(told[str(job.pk)]["traceparent"], f"runs {job.kind}"):
            pass
    exported(collector)
    ring, runs = collector.named("ring"), collector.named("runs PLAN")
    step, sweep = collector.named("sweep ring"), collector.named("sweep")
    assert (int(ring.trace, 16), ring.links) == (spans.trace_of(case.pk), (step.id,))
    assert (runs.trace, runs.links) == (ring.trace, (ring.id,))
    assert ring.about == {
        "expunge.case": case.reference,
        "expunge.job": str(ours.pk),
        "expunge.job.kind": "PLAN",
        "messaging.destination.name": "lineage",
    }
    alone = collector.named("runs TRAIN")
    assert (alone.trace, alone.parent, alone.links) == (sweep.trace, sweep.id, (step.id,))


def test_a_page_that_is_only_read_is_no_span(case, collector):
    client = Client()
    client.force_login(officer())
    assert client.get(f"/cases/{case.pk}/").status_code == 200
    assert exported(collector) == []


def test_a_refused_action_is_a_span_that_failed_with_a_kind_and_no_sentence(case, collector):
    decision = workflow.accept(case_id=case.pk, ground=CONSENT, user=officer())
    with pytest.raises(Exception, match="may not approve"):
        workflow.approve_decision(decision=decision, user=officer())
    exported(collector)
    refused = collector.named("action approve_decision")
    assert refused.failed
    assert set(refused.about) == {"expunge.action", "error.type"}


def test_a_job_says_which_run_version_method_and_try_and_what_came_of_it(
    case, collector, monkeypatch
):
    run = queued_run(case)
    job = job_of(case, run.pk)
    monkeypatch.setitem(run_job.HANDLERS, "UNLEARN", "builtins:len")  # fails as any fault does
    run_job.Command().handle(job_id=job.pk, holder=None)
    exported(collector)
    span = collector.named("job UNLEARN")
    assert span.failed
    assert span.about == {
        "expunge.case": case.reference,
        "expunge.job": str(job.pk),
        "expunge.job.kind": "UNLEARN",
        "messaging.destination.name": "heavy",
        "expunge.attempt": 1,
        "expunge.run": str(run.pk),
        "expunge.version": str(run.target_id),
        "expunge.method": "finetune",
        "expunge.outcome": "FAILED",
        "error.type": "TypeError",
    }


def test_a_job_that_serves_two_cases_is_in_the_trace_of_each(case, collector, monkeypatch):
    other, run = verified_case(BERT), queued_run(case)
    other.runs.add(run)
    monkeypatch.setitem(run_job.HANDLERS, "UNLEARN", "builtins:id")
    with spans.of_case(other.pk, "rings"):
        monkeypatch.setenv("TRACEPARENT", spans.carried()["traceparent"])
    run_job.Command().handle(job_id=job_of(case, run.pk).pk, holder=None)
    done = {int(one.trace, 16): one for one in exported(collector) if one.name == "job UNLEARN"}
    assert done.keys() == {spans.trace_of(case.pk), spans.trace_of(other.pk)}
    theirs, ours = done[spans.trace_of(other.pk)], done[spans.trace_of(case.pk)]
    assert theirs.parent == collector.named("rings").id
    assert ours.links == (theirs.id,)
    assert {one.about["expunge.outcome"] for one in done.values()} == {"SUCCEEDED"}


def test_what_a_span_may_say_is_what_the_documentation_lists():
    page = (ROOT / "docs/operations.md").read_text()
    table = page.partition("<!-- spans: begin -->")[2].partition("<!-- spans: end -->")[0]
    listed = re.findall(r"`([a-z_.]+\.[a-z_.]+)`", table)
    assert sorted(listed) == sorted(ALLOWED)


def test_a_worker_loses_no_span_while_its_collector_is_away_and_asks_it_rarely(
    case, collector, monkeypatch
):
    collector.status = 400
    for step in ("one", "two"):
        with spans.of_case(case.pk, step):
            pass
        assert exported(collector) == []
    collector.status = 200
    assert exported(collector) == []  # it was asked a moment ago
    monkeypatch.setattr("config.recording.time.monotonic", lambda: float("inf"))
    assert [one.name for one in exported(collector)] == ["one", "two"]


@pytest.mark.parametrize(("share", "kept"), [("0", False), ("1", True)])
def test_a_sampler_keeps_a_case_whole_or_not_at_all(case, collector, monkeypatch, share, kept):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    with spans.of_case(case.pk, "sends"):
        told = spans.carried()["traceparent"]
    assert told.endswith("-01") is kept
    with spans.received(told, "receives"):
        pass
    spans.over(case.pk, NOW, NOW)
    assert len(exported(collector)) == (3 if kept else 0)


def test_a_line_of_the_log_names_the_span_in_which_it_is_written(case, collector):
    line = logging.LogRecord("x", logging.INFO, "x.py", 1, "said", None, None)
    with spans.of_case(case.pk, "writes"):
        said = json.loads(logs.JsonLine().format(line))
    exported(collector)
    assert (said["trace_id"], said["span_id"]) == (
        collector.named("writes").trace,
        collector.named("writes").id,
    )
    assert "trace_id" not in json.loads(logs.JsonLine().format(line))


def test_a_span_may_not_say_what_is_not_allowed(case, collector):
    with (
        pytest.raises(ValueError, match="A span may not say email; it may say action, attempt"),
        spans.of_case(case.pk, "tells", email=ADA),
    ):
        pass
    assert exported(collector)[0].about == {"error.type": "ValueError"}


def test_a_message_with_a_traceparent_that_is_none_is_worked_on_without_a_span(case, collector):
    for told in ("", "00-0-0-00", "é", f"00-{'0' * 32}-{'0' * 16}-01"):
        with spans.received(told, "receives") as opened:
            assert opened.place is None
    assert exported(collector) == []


def test_without_the_packages_the_product_works_and_says_what_is_missing(
    case, settings, monkeypatch
):
    settings.EXPUNGE_TRACES = True
    monkeypatch.setattr("config.tracing.NEEDED", "opentelemetry_that_is_not.installed")
    tracing.switch_on()
    assert not spans.on()
    (said,) = [one for one in run_checks() if one.id == "expunge.W073"]
    assert "pip install" in said.msg
    tasks.advance_case(str(case.pk))
    assert spans.carried() == {}


@pytest.mark.parametrize("address", ["jaeger.example/{trace_id}", "https://jaeger.example/", "x"])
def test_an_address_of_traces_that_leads_nowhere_is_refused(settings, address):
    settings.EXPUNGE_TRACE_URL = address
    (said,) = [one for one in run_checks() if one.id == "expunge.E073"]
    assert address in said.msg


def test_the_page_of_a_case_leads_operators_to_its_trace(case, settings):
    settings.EXPUNGE_TRACES = True
    settings.EXPUNGE_TRACE_URL = "https://jaeger.example/trace/{trace_id}"
    link = f'href="https://jaeger.example/trace/{spans.trace_of(case.pk):032x}"'
    shown = {}
    for user in (officer(), reviewer()):
        client = Client()
        client.force_login(user)
        shown[user.username] = link in client.get(f"/cases/{case.pk}/").content.decode()
    assert shown == {"officer": True, "reviewer": False}
    assert Job.objects.count() == 0
