"""Two cases that share a run are judged from one pool of shadow models, each by itself."""

from __future__ import annotations

import json

import pytest
from pyroaring import BitMap

from audits.core.verdict import Outcome
from audits.execution.judged_look import judge_look
from audits.models import AuditPlan, Evidence, ShadowResult
from audits.queries import case_file
from audits.queries.designs import design_of
from lineage.models import Job
from tests.audits import world as worlds
from tests.audits.coalescing import age, settled, sweep
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, logged, told
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(world, approximate, settings):
    """Two people whose cases are to be unlearned together."""
    settings.EXPUNGE_COALESCE_DAYS = 7
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    worlds.imported("digits", [("eve@example.org", one) for one in worlds.digits()[60:90]])
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    age(ada, 8)
    return ada, bert


def judged(case):
    """The U-LiRA evidence that a case shows."""
    found = case_file.findings(case)["evidence"]
    return [one for one in found if one["kind"] == "U_LIRA"]


def to_be_judged():
    return Job.objects.filter(kind="JUDGE", status="QUEUED").exists()


def test_both_are_judged_from_the_models_that_one_would_need(world, two, monkeypatch):
    make_up(monkeypatch, [Outcome.PASS_LEAK, Outcome.PASS_LEAK])
    ada, bert = settled(world, *two)
    assert (ada.status, bert.status) == ("SEALED", "SEALED")
    (run,) = UnlearningRun.objects.all()
    assert run.status == "CLEARED"
    design = design_of(AuditPlan.objects.get(run=run))
    assert (design.subjects, design.models) == (2, 12)
    for case in (ada, bert):
        (mine,) = judged(case)
        assert mine["digest"] == logged(case, "verdict_reached")[0]["evidence"]
        assert len(mine["payload"]["kept"]["leak"]["right_in"]) == 6
        assert logged(case, "shadows_purged") == [{"count": 12, "remaining": 0}]
    assert Evidence.objects.filter(kind="U_LIRA", request=None).count() == 0
    sealed = json.dumps(case_file.findings(ada))
    assert str(judged(bert)[0]["evidence"]) not in sealed


def test_who_is_not_cleared_takes_the_run_of_both_to_exact_retraining(world, two, monkeypatch):
    make_up(monkeypatch, [Outcome.PASS_LEAK, Outcome.FAIL])
    ada, bert = settled(world, *two)
    assert told(case_file.ordered_runs(ada)) == told(case_file.ordered_runs(bert))
    assert [status for *_, status in told(case_file.ordered_runs(ada))] == ["REJECTED", "CLEARED"]
    assert (ada.status, bert.status) == ("SEALED", "SEALED")


def test_a_run_goes_on_while_somebody_needs_another_look(world, two, monkeypatch, settings):
    settings.EXPUNGE_POLICY = {"audit_data": "own_records", "looks": [6, 8], "max_trainings": 16}
    first, second = [Outcome.INCONCLUSIVE, Outcome.PASS_LEAK], [Outcome.PASS_LEAK] * 2
    make_up(monkeypatch, [*first, *second])
    ada, bert = settled(world, *two)
    for case in (ada, bert):
        assert [one["look"] for one in judged(case)] == [0, 1]
    assert ShadowResult.objects.count() == 0
    (run,) = UnlearningRun.objects.all()
    assert sorted(run.verdicts.values_list("final", flat=True)) == [False, False, True, True]


def test_the_other_attack_of_the_policy_is_made_on_real_models(world, two):
    """Without anything said beforehand: U-LiRA and the neighbourhood, of both people."""
    sweep(world)
    world.work(until=to_be_judged)
    (run,) = UnlearningRun.objects.all()
    findings = judge_look(run, 0)
    assert {one.case for one in findings} == set(two)
    for one in findings:
        beside = one.payload["attacks"]["neighbourhood"]
        assert beside["decides"]
        assert beside["kept"]["models_per_arm"] == 6
        assert beside["contrasts"]["leak"]["subject"]["n_in"] == 2
        assert one.payload["not_made"] == {}
        assert "Neighbourhood attack" not in json.dumps(one.payload["not_run"])


def test_on_surrogates_both_are_tested_beside_the_models_that_saw_neither(
    world, approximate, settings
):
    settings.EXPUNGE_POLICY = {
        "looks": [6],
        "max_trainings": 12,
        "alpha_instance": 0.3,  # six models are enough for it
        "attacks": ["u_lira"],
    }
    settings.EXPUNGE_COALESCE_DAYS = 7
    others = worlds.digits()[60:]
    worlds.imported("digits", [(f"eve{at}@example.org", one) for at, one in enumerate(others)])
    learned = world.owned(ADA, BERT, CLEO, DORA) | BitMap(range(60, 90))
    world.train("base", world.take(learned))
    two = world.accepted(ADA), world.accepted(BERT)
    age(two[0], 8)
    sweep(world)
    world.work(until=to_be_judged)
    (run,) = UnlearningRun.objects.all()
    first, second = judge_look(run, 0)
    assert {first.case, second.case} == set(two)
    tests = [one.payload["kept"]["instance"] for one in (first, second)]
    assert [len(one["never_seen"]) for one in tests] == [6, 6]
    assert tests[0] != tests[1]  # each by their own records


def test_an_attack_that_cannot_be_made_is_named_and_nothing_passes(world, two, monkeypatch):
    monkeypatch.setattr("audits.execution.audit_sets.copies_of", lambda *_: None)
    sweep(world)
    world.work(until=to_be_judged)
    (run,) = UnlearningRun.objects.all()
    for one in judge_look(run, 0):
        assert "needs" in one.payload["not_made"]["Neighbourhood attack"]
        assert one.outcome not in {"PASS_LEAK", "PASS_STRICT"}
