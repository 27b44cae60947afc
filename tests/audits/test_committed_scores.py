"""From a look to the purge: what is committed to, who can check it, and when nobody can."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audits.core import evidence_file
from audits.core.policy import AuditData, EvidencePolicy
from audits.core.recheck import committed_to
from audits.core.verdict import Outcome
from audits.models import AuditPlan, ErasureRequest, ShadowResult
from audits.queries.footprint import footprint
from audits.queries.look_scores import look_scores, salt_name
from audits.services import closing, evidence, log, score_salts
from audits.services.expiry import expire_shadows
from lineage import keys
from lineage.models import Job
from lineage.services import runs as lineage_runs
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, awaiting_audit, events, logged, runs

pytestmark = pytest.mark.django_db
LOOKS = EvidencePolicy(looks=(6, 8), max_trainings=16, audit_data=AuditData.SURROGATE).as_dict()


# --- from the request to the sealed record ------------------------------------------------------


def as_file(row):
    plan = row.run.audit_plan
    return evidence_file.write(
        kind=row.kind,
        payload=row.payload,
        policy=plan.policy,
        outcome=row.verdict.outcome,
        reasons=row.verdict.reasons,
    )


def exported(case, folder):
    out = StringIO()
    call_command("scores", case.reference, str(folder), stdout=out)
    (name, warning) = out.getvalue().splitlines()
    assert "Delete them before the case closes" in warning
    return Path(name)


def test_whoever_is_given_scores_and_salt_can_check_them_until_both_are_purged(
    world, approximate, monkeypatch, tmp_path
):
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    make_up(monkeypatch, [Outcome.PASS_LEAK])
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    row = runs(case)[0].evidence.get(kind="U_LIRA")
    said = row.payload["scores"]
    assert logged(case, "scores_committed") == [
        {"run": str(row.run_id), "look": 0, "models": 12, "commitment": said["commitment"]}
    ]
    kinds = events(case)
    assert kinds.index("look_taken") < kinds.index("scores_committed")
    assert kinds.index("scores_committed") < kinds.index("verdict_reached")
    path = exported(case, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert committed_to(as_file(row), path.read_bytes())
    changed = json.loads(path.read_bytes())
    changed["rows"]["7"]["after"][0] += 1e-9
    assert not committed_to(as_file(row), json.dumps(changed).encode())
    assert world.finish(world.current(case)).status == "SEALED"
    with pytest.raises(keys.KeyDestroyed):
        keys.get(salt_name(row.run_id))
    with pytest.raises(CommandError, match="they were purged"):
        exported(case, tmp_path)
    row.refresh_from_db()
    assert row.payload["scores"] == {**said, "models": 12}


# --- on rows that nobody trained ----------------------------------------------------------------


@pytest.fixture
def run(signing_key):
    """A run that waits for its second look, with the models of both."""
    run = awaiting_audit(worlds.verified_case())
    ErasureRequest.objects.filter(pk=run.requests.get().pk).update(policy=LOOKS)
    evidence.fix_audit(run_id=run.pk, now=NOW)
    for index in (*range(16), *range(16, 36)):
        row = {"before": [index / 7], "engine": "sequential"}
        evidence.keep_shadow(run_id=run.pk, index=index, version=None, row=row, now=NOW)
    return run


@pytest.fixture
def case(run):
    return run.requests.get()


def test_a_look_is_about_its_models_and_those_of_the_instance_test(run):
    plan = AuditPlan.objects.get(run=run)
    beside = list(range(16, 36))  # numbered after all that the looks can need
    assert sorted(look_scores(plan, 0).rows) == [*range(12), *beside]
    assert sorted(look_scores(plan, 1).rows) == [*range(16), *beside]
    salt = score_salts.salt_of(run_id=run.pk)
    assert salt is not None
    assert salt == score_salts.salt_of(run_id=run.pk)
    earlier = look_scores(plan, 0).commitment(salt)
    ShadowResult.objects.filter(index=13).update(row={})
    assert look_scores(plan, 0).commitment(salt) == earlier
    assert look_scores(plan, 1).commitment(salt) != earlier


def test_the_salt_goes_before_the_scores_where_a_purge_dies_between_both(run, case, monkeypatch):
    def dies(**_: object):
        raise KeyboardInterrupt

    assert score_salts.salt_of(run_id=run.pk)
    with monkeypatch.context() as dying:
        dying.setattr(log, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            closing.purge_shadows(request=case, now=NOW)
    assert ShadowResult.objects.count() == 36
    assert score_salts.salt_of(run_id=run.pk) is None
    closing.purge_shadows(request=case, now=NOW)
    assert not ShadowResult.objects.exists()


def test_scores_that_expire_take_the_salt_along(run):
    begun = lineage_runs.begin_run(plan=lineage_runs.RunPlan(activity="SHADOW"), now=NOW)
    result = lineage_runs.RunResult(model_name="s", weights=b"", kind="SHADOW", expires_at=NOW)
    node = lineage_runs.finish_run(run=begun, result=result, now=NOW)
    ShadowResult.objects.filter(index=0).update(version=node)
    assert score_salts.salt_of(run_id=run.pk)
    assert expire_shadows(now=NOW) == 1
    assert score_salts.salt_of(run_id=run.pk) is None


def test_a_salt_whose_scores_are_gone_is_left_over(run, case):
    assert score_salts.salt_of(run_id=run.pk)
    sentence = "1 salt(s) of commitments to their purged scores are still stored."
    assert sentence not in footprint(case, now=NOW).left
    ShadowResult.objects.all().delete()
    assert sentence in footprint(case, now=NOW).left
    score_salts.destroy_salts(run_ids=[run.pk])
    assert sentence not in footprint(case, now=NOW).left


def test_a_case_or_a_folder_that_is_not_there(case, tmp_path):
    with pytest.raises(CommandError, match="There is no case 'ER-0000-0000'"):
        call_command("scores", "ER-0000-0000", str(tmp_path))
    with pytest.raises(CommandError, match="it must be a folder that exists"):
        call_command("scores", case.reference, str(tmp_path / "none"))
    with pytest.raises(CommandError, match="none was judged yet"):
        call_command("scores", case.reference, str(tmp_path))
