"""Somebody whose records an audit borrows asks for erasure while its shadow models are trained."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from audits.core.verdict import Outcome
from audits.execution import judging, shadows
from audits.execution.audit_sets import audit_sets
from audits.models import AuditPlan, ShadowResult
from lineage.models import Job
from lineage.services.restriction import restrict
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, STRANGERS, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(world, approximate, monkeypatch):
    """An audit of twelve shadow models of which six are there."""
    make_up(monkeypatch, [Outcome.PASS_LEAK])
    worlds.imported("digits", [("eve@example.org", one) for one in worlds.digits()[60:90]])
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=until("AUDIT"))
    shadows.train_shadows(Job.objects.get(kind="AUDIT"))
    ShadowResult.objects.filter(index__gte=6).delete()
    return AuditPlan.objects.get()


def until(kind):
    return lambda: Job.objects.filter(kind=kind, status="QUEUED").exists()


def restricted(world, ordinals):
    space = world.dataset.space
    space.refresh_from_db()
    restrict(case_id=uuid.uuid4(), space=space, ordinals=BitMap(ordinals), now=NOW)


def trained_on(plan):
    shadows.train_shadows(Job.objects.get(kind="AUDIT"))
    plan.run.refresh_from_db()
    return plan.run.status, ShadowResult.objects.count()


def test_where_it_is_a_twin_or_a_canary_the_audit_ends_as_not_computed(world, plan):
    restricted(world, [audit_sets(plan).learned.max()])
    assert trained_on(plan) == ("REJECTED", 6)
    verdict = plan.run.verdicts.get()
    assert (verdict.outcome, verdict.final) == ("INCONCLUSIVE", True)
    assert "some were restricted" in verdict.reasons[0]


def test_a_test_record_less_changes_nothing(world, plan):
    before = audit_sets(plan)
    restricted(world, [before.asked.max()])
    after = audit_sets(plan)
    assert after.asked == before.asked - BitMap([before.asked.max()])
    assert (after.learned, after.drawn) == (before.learned, before.drawn)
    assert trained_on(plan) == ("SUCCEEDED", 12)


def test_scores_of_two_draws_are_not_judged_together(world, plan):
    trained_on(plan)
    row = ShadowResult.objects.get(index=3)
    row.row["drawn"] = "another"
    row.save()
    world.finish(plan.run.requests.get())
    plan.run.refresh_from_db()
    assert [one.outcome for one in plan.run.verdicts.all()] == ["INCONCLUSIVE"]


def test_a_pool_that_became_too_small_leads_to_retraining(world, plan):
    trained_on(plan)
    restricted(world, world.owned(*STRANGERS))
    case = world.finish(plan.run.requests.get())
    assert (case.status, case.failure) == ("SEALED", "")
    assert [run.status for run in runs(case)] == ["REJECTED", "CLEARED"]


def test_rows_of_before_a_draw_was_noted_are_judged(world, plan):
    trained_on(plan)
    for row in ShadowResult.objects.all():
        del row.row["drawn"]
        row.save()
    world.work(until=until("JUDGE"))
    judging.judge_run(Job.objects.get(kind="JUDGE"))
    assert [one.outcome for one in plan.run.verdicts.all()] == ["PASS_LEAK"]
