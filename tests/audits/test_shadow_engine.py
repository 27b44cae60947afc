"""One way to train all shadow models of an audit: chosen once, kept to, and told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audits.core.shadows import train_shadow
from audits.execution import shadow_engine, shadows
from audits.execution.audit_sets import audit_sets
from audits.execution.judged_look import judge_look
from audits.execution.procedure import audited
from audits.execution.stored_rows import from_json
from audits.models import AuditPlan, ShadowResult
from audits.queries.designs import design_of
from audits.services import evidence
from lineage.models import Job
from lineage.services import jobs
from tests.audits.world import ADA, BERT, CLEO, DORA, runs
from unlearning.core import engine
from unlearning.core.engine import Engine, Path

pytestmark = pytest.mark.django_db
STACKED = Engine(path=Path.STACKED, reason="said beforehand", stacked_seconds=1.0)


@pytest.fixture
def chosen(monkeypatch):
    """The sizes of the chunks that a way was chosen for, which is to stack."""
    asked: list[int] = []

    def choose(_recipe, _pool, parts, _session):
        asked.append(len(parts))
        return STACKED

    monkeypatch.setattr(shadow_engine, "choose_engine", choose)
    return asked


@pytest.fixture
def chunk(world, approximate):
    """The job of an audit's first chunk, claimed as a worker would."""
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="AUDIT", status="QUEUED").exists())
    return Job.objects.get(kind="AUDIT")


def ways():
    return [row.row["engine"] for row in ShadowResult.objects.order_by("index")]


def test_a_stacked_chunk_is_the_chunk_of_training_one_after_the_other(chunk, chosen):
    shadows.train_shadows(chunk)
    assert (chosen, ways()) == ([12], ["stacked"] * 12)
    plan = AuditPlan.objects.get()
    sets, design = audit_sets(plan), design_of(plan)
    for number in (0, 7):
        row = train_shadow(number, design, audited(plan.run), sets.data)
        kept = from_json(ShadowResult.objects.get(index=number).row)
        assert kept.before == pytest.approx(row.before, abs=1e-4)
        assert kept.after == pytest.approx(row.after, abs=1e-4)
        assert kept.member == row.member


def test_both_ways_are_tried_where_nothing_was_said_beforehand(chunk, monkeypatch):
    monkeypatch.setattr(engine, "WORTHWHILE", 0.0)
    shadows.train_shadows(chunk)
    found = AuditPlan.objects.get().design["engine"]
    assert found["sequential_seconds"] > 0
    assert found["stacked_seconds"] > 0
    assert ways() == [found["path"]] * 12


def test_a_chunk_that_died_goes_on_in_the_same_way_with_what_is_missing(
    chunk, chosen, monkeypatch
):
    keep = evidence.keep_shadow
    kept: list[int] = []

    def keep_five(*, index: int, **row: Any):  # noqa: ANN401  (fields of a row)
        if len(kept) == 5:
            raise MemoryError
        kept.append(index)
        return keep(index=index, **row)

    monkeypatch.setattr(evidence, "keep_shadow", keep_five)
    with pytest.raises(MemoryError):
        shadows.train_shadows(chunk)
    monkeypatch.setattr(evidence, "keep_shadow", keep)
    before = {row.index: row.row for row in ShadowResult.objects.all()}
    assert sorted(before) == [0, 1, 2, 3, 4]
    shadows.train_shadows(chunk)
    assert (chosen, ways()) == ([12], ["stacked"] * 12)  # the second try asked nobody
    assert all(ShadowResult.objects.get(index=at).row == row for at, row in before.items())


def test_the_evidence_says_how_its_models_were_trained(world, chunk, chosen):
    world.work(until=lambda: Job.objects.filter(kind="REPORT").exists())
    (row,) = AuditPlan.objects.get().run.evidence.filter(kind="U_LIRA")
    assert row.payload["engine"] == STACKED.as_dict() | {"models": {"stacked": 12}}
    assert not any("different ways" in one for one in row.payload["findings"])


def test_the_first_choice_holds_and_models_from_before_it_decide_it(chunk, chosen):
    plan = AuditPlan.objects.get()
    evidence.keep_shadow(
        run_id=plan.pk, index=3, version=None, row={}, now=plan.fixed_at
    )  # by a release that knew one way only
    shadows.train_shadows(chunk)
    plan.refresh_from_db()
    assert chosen == []
    assert plan.design["engine"]["path"] == "sequential"
    assert evidence.fix_engine(run_id=plan.pk, engine=STACKED.as_dict())["path"] == "sequential"
    assert plan.design_digest == design_of(plan).digest()


def test_an_experiment_of_two_ways_is_faulty(world, chunk, chosen, monkeypatch):
    shadows.train_shadows(chunk)
    for row in ShadowResult.objects.filter(index__lt=4):
        row.row["engine"] = "sequential"
        row.save()
    run = AuditPlan.objects.get().run
    (found,) = judge_look(run, 0)
    assert found.outcome == "INVALID"
    assert "different ways (4 sequential, 8 stacked)" in " ".join(found.payload["findings"])


def test_a_job_that_is_asked_to_stop_does_so_between_steps(chunk, chosen, monkeypatch):
    monkeypatch.setattr(shadows, "cancel_asked", lambda _job: lambda: True)
    claimed = jobs.claim_job(
        job_id=chunk.pk, now=AuditPlan.objects.get().fixed_at, lease=timedelta(minutes=1)
    )
    shadows.train_shadows(claimed)
    chunk.refresh_from_db()
    assert chunk.status == "CANCELLED"
    assert not ShadowResult.objects.exists()


def test_a_version_rebuilt_on_a_base_is_trained_one_after_the_other(world, approximate):
    below = world.train("base", world.snapshot(BERT, CLEO, DORA))
    world.train("child", world.snapshot(ADA, BERT, CLEO, DORA), base=below)
    case = world.accepted()
    world.work(until=ShadowResult.objects.exists)
    plan = AuditPlan.objects.get(run=runs(case)[-1])
    assert plan.design["engine"]["reason"].startswith("cannot be stacked, because the version is")
