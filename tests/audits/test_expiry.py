"""Shadow models have a time to live, whatever becomes of the case."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core import checks
from django.db import connection
from django.utils import timezone

from audits import workflow
from audits.core.verdict import Outcome
from audits.execution import judging, shadows
from audits.execution.stored_rows import ShadowsMissing
from audits.models import ErasureRequest, LogLeaf, OperatorCase, ScoredRecord, ShadowResult
from audits.services import evidence, expiry, requests, verdicts
from audits.workflow import tasks
from config.checks import shadows_live_as_long_as_needed
from lineage import migrations
from lineage.models import Job, ModelVersion
from lineage.services import runs, versions
from tests.audits import world as worlds
from tests.audits.rulings import made_up, make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, awaiting_audit, logged
from unlearning.services import runs as unlearning_runs

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=60)


@pytest.fixture
def run(signing_key):
    """A run that waits for its verdict, with four shadow models."""
    run = awaiting_audit(worlds.verified_case())
    for index in range(4):
        evidence.keep_shadow(run_id=run.pk, index=index, version=shadow(), row={}, now=NOW)
    return run


@pytest.fixture
def case(run):
    return run.requests.get()


def shadow():
    made = runs.begin_run(plan=runs.RunPlan(activity="SHADOW"), now=NOW)
    kept = runs.RunResult(model_name="s", weights=b"", kind="SHADOW", expires_at=NOW + DAYS)
    return runs.finish_run(run=made, result=kept, now=NOW)


@pytest.fixture
def audited(world, approximate, monkeypatch):
    """A case whose shadow models are there, and whose look is to be judged."""
    make_up(monkeypatch, [Outcome.PASS_LEAK], nodes=True)
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    return world.current(case)


def shadows_there():
    return ModelVersion.objects.filter(kind="SHADOW").exclude(state="DESTROYED")


def expire(days=61):
    return expiry.expire_shadows(now=NOW + timedelta(days=days))


def outcomes(run):
    run.refresh_from_db()
    return run.status, [(one.outcome, one.final) for one in run.verdicts.all()]


def test_before_their_time_nothing_goes(run):
    assert expire(days=59) == 0
    assert (ShadowResult.objects.count(), shadows_there().count()) == (4, 4)


def test_the_sweep_destroys_what_a_failed_case_keeps_and_logs_it_once(run, case):
    ErasureRequest.objects.filter(pk=case.pk).update(status="FAILED")
    for _ in range(2):
        tasks.sweep()  # these shadow models are of long ago
    assert not ShadowResult.objects.exists()
    assert not shadows_there().exists()
    assert logged(case, "shadows_expired") == [{"run": str(run.pk), "count": 4, "remaining": 0}]
    case.refresh_from_db()
    assert case.status == "FAILED"


def test_an_audit_without_a_verdict_says_what_it_lacks(run):
    assert expire() == 1
    assert outcomes(run) == ("REJECTED", [("INCONCLUSIVE", True)])
    assert run.verdicts.get().reasons == [
        "not computed: the 4 shadow models of this audit expired before there was a verdict, and "
        "were destroyed with their scores on 2026-05-02."
    ]


def test_all_models_of_a_run_go_with_the_first(run):
    ModelVersion.objects.filter(kind="SHADOW", version__gt=1).update(expires_at=NOW + 9 * DAYS)
    assert expire() == 1
    assert not ShadowResult.objects.exists()
    assert not shadows_there().exists()


def test_a_verdict_that_there_was_stays(run):
    unlearning_runs.judge_run(run_id=run.pk, cleared=True)
    assert expire() == 1
    assert outcomes(run) == ("CLEARED", [])
    assert not shadows_there().exists()


def test_what_comes_after_the_end_of_an_audit_is_not_kept(run):
    expire()
    with pytest.raises(evidence.AuditOver, match="is over \\(REJECTED\\); shadow model 7 is not"):
        evidence.keep_shadow(run_id=run.pk, index=7, version=None, row={}, now=NOW)
    assert not ShadowResult.objects.exists()


def test_shadow_models_of_before_the_upgrade_get_a_time_to_live(run):
    lost = shadow()
    ModelVersion.objects.update(expires_at=None)
    ModelVersion.objects.filter(pk=lost.pk).update(state="DESTROYED")
    names = [one.name for one in iter_modules(migrations.__path__)]
    (name,) = (one for one in names if one.endswith("_expiry"))
    migration = import_module(f"lineage.migrations.{name}")
    migration.limit(apps, SimpleNamespace(connection=connection))
    assert {one.expires_at for one in shadows_there()} == {NOW + DAYS}
    given = ModelVersion.objects.exclude(expires_at=None)
    assert not given.filter(state="DESTROYED").exists()
    assert not given.filter(kind="MODEL").exists()


# --- a case with real jobs --------------------------------------------------------------------


def test_a_case_goes_on_after_the_expiry_and_trains_the_version_again(world, audited, monkeypatch):
    for one in shadows_there():
        assert one.expires_at - one.generated_at == DAYS
    fail = {"code": "CHILD_DIED", "message": "It died."}
    requests.fail_case(case_id=audited.pk, now=NOW, **fail)
    expiry.expire_shadows(now=timezone.now() + DAYS)
    judging.judge_run(Job.objects.get(kind="JUDGE"))  # whose worker had been slow
    with monkeypatch.context() as context:
        context.setattr(shadows, "_train_chunk", lambda *_: pytest.fail("it was trained"))
        shadows.train_shadows(Job.objects.get(kind="AUDIT"))
    world.do(workflow.retry, case_id=audited.pk, user=worlds.officer())
    case = world.finish(world.wake(audited))
    first, second = worlds.runs(case)
    assert outcomes(first) == ("REJECTED", [("INCONCLUSIVE", True)])
    assert (case.status, second.method, second.status) == ("SEALED", "retrain", "CLEARED")
    assert (len(logged(case, "shadows_expired")), logged(case, "shadows_purged")) == (1, [])
    assert [one["count"] for one in sealed(case)["erasure"]["expired"]] == [12]


def sealed(case):
    envelope = json.loads(bytes(case.record.data))["envelope"]
    return json.loads(base64.b64decode(envelope["payload"]))["predicate"]["findings"]


def test_a_part_of_the_models_is_never_judged_and_a_late_one_not_kept(audited, monkeypatch):
    ShadowResult.objects.filter(index=11).delete()
    with pytest.raises(ShadowsMissing, match="needs 12 shadow models, and 11 are stored"):
        judging.judge_run(Job.objects.get(kind="JUDGE"))

    def slowly(model, design, procedure, data):
        expiry.expire_shadows(now=timezone.now() + DAYS)
        return made_up(model, design, procedure, data)

    monkeypatch.setattr(shadows, "train_shadow", slowly)
    shadows.train_shadows(Job.objects.get(kind="AUDIT"))
    assert not ShadowResult.objects.exists()


# --- crashes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["destroy_version", "not_computed"])
def test_an_expiry_that_dies_leaves_all_and_is_done_again(run, monkeypatch, step):
    where = versions if step == "destroy_version" else verdicts
    real, calls = getattr(where, step), []

    def stumble(**given: object):
        calls.append(given)
        if step == "not_computed" or len(calls) == 3:
            raise KeyboardInterrupt
        return real(**given)

    with monkeypatch.context() as broken:
        broken.setattr(where, step, stumble)
        with pytest.raises(KeyboardInterrupt):
            expire()
    assert (ShadowResult.objects.count(), shadows_there().count()) == (4, 4)
    assert outcomes(run)[0] == "SUCCEEDED"
    assert expire() == 1
    assert not shadows_there().exists()


def test_a_node_that_no_row_leads_to_goes_too_and_is_logged(run):
    lost = shadow()
    assert expire() == 1
    lost.refresh_from_db()
    assert lost.state == "DESTROYED"
    leaf = LogLeaf.objects.get(type="version_withdrawn")
    assert json.loads(bytes(leaf.data))["data"] == {"version": str(lost.pk)}


# --- scores of operator's cases, settings -----------------------------------------------------


def test_scores_of_single_records_expire_and_what_was_chosen_stays(run, case):
    space = run.space
    operators = OperatorCase.objects.create(
        request=case, reason="POISONED", space=space, seeds=b"s", chosen=b"c"
    )
    ScoredRecord.objects.create(case=operators, ordinal=1, score=0.5, cluster=0)
    assert expiry.expire_scores(now=case.received_at + timedelta(days=59)) == 0
    assert expiry.expire_scores(now=case.received_at + DAYS) == 1
    assert not ScoredRecord.objects.exists()
    assert logged(case, "scores_expired") == [{"count": 1, "remaining": 0}]
    operators.refresh_from_db()
    assert bytes(operators.chosen) == b"c"


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (367, "EXPUNGE_SHADOW_DAYS is 367; it must be at most 366"),
        (22, "EXPUNGE_SHADOW_DAYS is 22, and EXPUNGE_DEADLINE_DAYS is 23"),
    ],
)
def test_a_time_to_live_that_makes_no_sense_is_refused(settings, days, sentence):
    settings.EXPUNGE_SHADOW_DAYS = days
    (found,) = shadows_live_as_long_as_needed()
    assert isinstance(found, checks.Error)
    assert str(found.msg).startswith(sentence)


def test_two_months_make_sense(settings):
    assert settings.EXPUNGE_SHADOW_DAYS == 60
    assert shadows_live_as_long_as_needed() == []
