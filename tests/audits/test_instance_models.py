"""A pool that learns surrogates has models of its own for the test of the deployed model."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from audits.core import certified
from audits.core.likelihood import instance_test
from audits.core.scores import scores_of
from audits.core.shadows import train_shadow
from audits.core.verdict import Outcome
from audits.execution import instance_models, judging, shadow_engine, shadows
from audits.execution.audit_sets import audit_sets
from audits.execution.judged_look import judge_look
from audits.execution.procedure import audited
from audits.execution.stored_rows import ShadowsMissing
from audits.models import AuditPlan, ShadowResult
from audits.queries.designs import cohort_at, design_of, instances_of
from audits.queries.footprint import footprint
from audits.services import evidence, expiry
from lineage.models import Job, ModelVersion
from tests.audits.rulings import made_up, make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, logged, runs
from unlearning.core.engine import Engine, Path
from unlearning.core.examples import count
from unlearning.execution.loading import load_version

pytestmark = pytest.mark.django_db
# Six models for the instance test: p cannot be less than 1 in 7, which lies below 0.3.
POLICY = {
    "looks": [6, 8],
    "max_trainings": 16,
    "alpha_instance": 0.3,
    "attacks": ["u_lira"],
    "margin_utility": 0.99,
}
BROKEN = certified.broken
POOL, INSTANCES = range(12), range(16, 22)  # numbers 12 to 15 are of the second look


@pytest.fixture
def asked(world, approximate, settings, monkeypatch):
    """An audit on surrogates of which nobody trained the models; call it with the outcomes."""
    settings.EXPUNGE_POLICY = POLICY
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    own = np.random.default_rng(0)

    def drawn(_procedure, sets) -> list[float]:
        found: list[float] = own.normal(size=count(sets.own)).tolist()
        return found

    def until(kind: str, *outcomes: Outcome, nodes: bool = False):
        make_up(monkeypatch, outcomes, nodes=nodes)
        monkeypatch.setattr(shadows, "_own_scores", drawn)
        monkeypatch.setattr(instance_models, "broken", lambda *_, **__: ())
        case = world.accepted()
        world.work(until=lambda: Job.objects.filter(kind=kind, status="QUEUED").exists())
        return world.current(case)

    return until


def rows():
    return {row.index: row.row for row in ShadowResult.objects.order_by("index")}


def chunks():
    jobs = Job.objects.filter(kind="AUDIT").values_list("parameters", flat=True)
    return sorted((job["start"], job["stop"]) for job in jobs)


def plan():
    return AuditPlan.objects.select_related("run").get()


def deployed_scores(run):
    own = audit_sets(plan()).own
    assert own is not None
    return scores_of(load_version(run.unlearned), own)[0]


def test_they_are_asked_for_once_and_numbered_after_all_that_the_looks_can_need(asked, world):
    case = asked("AUDIT", Outcome.INCONCLUSIVE, Outcome.PASS_LEAK)
    assert chunks() == [(0, 12), (16, 22)]
    case = world.finish(case)
    assert chunks() == [(0, 12), (12, 16), (16, 22)]
    first, second = runs(case)[0].evidence.filter(kind="U_LIRA").order_by("look")
    told = first.payload["kept"]["instance"]
    assert len(told["never_seen"]) == first.payload["instance_models"] == len(INSTANCES)
    assert second.payload["kept"]["instance"] == told  # no other p-value at another look
    assert first.payload["engine"]["models"] == {"sequential": len(POOL) + len(INSTANCES)}
    assert logged(case, "shadows_purged") == [{"count": 22, "remaining": 0}]


def test_they_learn_the_whole_retain_set_and_twins_and_only_they_are_asked(asked):
    asked("JUDGE", Outcome.PASS_LEAK)
    of_pool, own = audit_sets(plan()), audit_sets(plan(), instances=True)
    records = count(own.data.forget)
    # Of the pool's models nobody retains a record whose other records stand in for the person.
    assert count(own.data.retain) >= count(of_pool.data.retain) + records
    assert (count(own.data.twins), count(own.data.canaries)) == (records, 0)
    assert not cohort_at(plan(), 16).design.learns.any()
    assert [index for index, row in rows().items() if row["own"]] == list(INSTANCES)
    assert sorted(rows()) == [*POOL, *INSTANCES]


def test_the_verdict_compares_the_deployed_model_with_them(asked):
    asked("JUDGE", Outcome.PASS_LEAK)
    run = plan().run
    never_seen = np.array([rows()[index]["own"] for index in INSTANCES])
    deployed = deployed_scores(run)
    (found,) = judge_look(run, 0)
    test = instance_test(never_seen, deployed)
    assert found.payload["kept"]["instance"]["never_seen"] == pytest.approx(test.never_seen)
    assert found.payload["kept"]["instance"]["deployed"] == pytest.approx(test.deployed)
    assert found.payload["instance_p"] == test.p_value


def test_a_plan_of_before_compares_with_the_models_of_its_pool(asked, monkeypatch):
    monkeypatch.setattr(evidence, "instances_fixed", lambda _: {})
    asked("JUDGE", Outcome.PASS_LEAK)
    assert instances_of(plan()) is None
    assert (chunks(), sorted(rows())) == ([(0, 12)], list(POOL))
    (found,) = judge_look(plan().run, 0)
    test = instance_test(
        np.array([row["own"] for row in rows().values()]), deployed_scores(plan().run)
    )
    assert found.payload["kept"]["instance"]["never_seen"] == pytest.approx(test.never_seen)
    assert (found.payload["instance_p"], found.payload["instance_models"]) == (test.p_value, 0)


def test_a_model_that_is_none_of_their_kind_makes_the_audit_faulty(asked, monkeypatch):
    asked("JUDGE", Outcome.PASS_LEAK)
    monkeypatch.setattr(instance_models, "broken", BROKEN)
    (found,) = judge_look(plan().run, 0)  # all of theirs have a made-up accuracy of 0.9
    (told,) = [one for one in found.payload["findings"] if "models that never saw" in one]
    assert told.startswith("The deployed model's test accuracy after unlearning is 0.")


def test_a_look_without_one_of_them_is_never_judged(asked):
    asked("JUDGE", Outcome.PASS_LEAK)
    ShadowResult.objects.filter(index=20).delete()
    with pytest.raises(ShadowsMissing, match="needs 6 shadow models, and 5 are stored"):
        judge_look(plan().run, 0)


def test_a_killed_chunk_of_them_goes_on_with_what_is_missing(asked, monkeypatch):
    asked("AUDIT", Outcome.PASS_LEAK)
    trained: list[int] = []
    phases: list[str] = []
    told: list[tuple[str, int, int]] = []

    def train(model: int, *rest: object):
        if len(trained) == 4:
            trained.append(-1)
            raise MemoryError
        trained.append(model)
        return made_up(model, *rest)

    def reporter(_job, phase, **_: object):
        phases.append(phase)
        return lambda *progress: told.append(progress)

    monkeypatch.setattr(shadows, "train_shadow", train)
    monkeypatch.setattr(shadows, "reporter", reporter)
    job = Job.objects.get(kind="AUDIT", parameters__start=16)
    with pytest.raises(MemoryError):
        shadows.train_shadows(job)
    kept = rows()
    assert sorted(kept) == [16, 17, 18, 19]
    shadows.train_shadows(job)
    assert trained == [0, 1, 2, 3, -1, 4, 5]
    assert sorted(rows()) == list(INSTANCES)
    assert all(rows()[index] == row for index, row in kept.items())
    assert plan().difficulty is None  # which is the surrogates', and is noted by their chunk
    assert phases == ["Models for the instance test, 1 to 6"] * 2
    assert told[-3:] == [("", 4, 6), ("", 5, 6), ("", 6, 6)]


def test_they_are_purged_with_the_case_and_nothing_is_left_of_them(asked, world):
    case = world.finish(asked("JUDGE", Outcome.PASS_LEAK, nodes=True))
    found = footprint(case, now=NOW)
    assert (case.status, found.left) == ("SEALED", [])
    assert found.destroyed["shadows"] == len(POOL) + len(INSTANCES)
    assert logged(case, "shadows_purged") == [{"count": 18, "remaining": 0}]


def test_they_expire_with_the_pool(asked):
    case = asked("JUDGE", Outcome.PASS_LEAK, nodes=True)
    of_test = ShadowResult.objects.filter(index__in=INSTANCES).values("version")
    late = ModelVersion.objects.filter(kind="SHADOW").exclude(pk__in=of_test)
    late.update(expires_at=None)
    assert expiry.expire_shadows(now=NOW + timedelta(days=4000)) == 1
    assert not ShadowResult.objects.exists()
    assert not ModelVersion.objects.filter(kind="SHADOW").exclude(state="DESTROYED").exists()
    assert [one["count"] for one in logged(case, "shadows_expired")] == [18]
    judging.judge_run(Job.objects.get(kind="JUDGE"))  # finds that the audit is over
    assert [one.outcome for one in plan().run.verdicts.all()] == ["INCONCLUSIVE"]


def test_they_are_really_trained_in_the_same_way_as_the_pool(
    world, approximate, settings, monkeypatch
):
    """With the training, the twins, the scores and the verdict in earnest, all in stacks."""
    stacked = Engine(path=Path.STACKED, reason="said beforehand")
    monkeypatch.setattr(shadow_engine, "choose_engine", lambda *_: stacked)
    settings.EXPUNGE_POLICY = {**POLICY, "looks": [6], "max_trainings": 12}
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    assert [row["engine"] for row in rows().values()] == ["stacked"] * 18
    run, beside = plan().run, instances_of(plan())
    data = audit_sets(plan(), instances=True).data
    assert beside is not None
    again = train_shadow(3, beside.design, audited(run), data)
    assert rows()[12 + 3]["own"] == pytest.approx(again.after, abs=1e-4)
    (found,) = judge_look(run, 0)
    assert found.payload["engine"]["models"] == {"stacked": 18}
    assert len(found.payload["kept"]["instance"]["never_seen"]) == 6
    assert design_of(plan()).digest() == plan().design_digest
