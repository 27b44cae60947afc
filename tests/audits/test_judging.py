"""From scores to verdicts: what is kept suffices."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from pyroaring import BitMap

from audits.core.contrast import recompute_all
from audits.core.kept import kept_by_attack
from audits.core.policy import EvidencePolicy
from audits.core.verdict import Outcome
from audits.execution import judging, shadows
from audits.execution.procedure import audited
from audits.execution.stored_rows import as_json, from_json
from audits.models import Evidence, ShadowResult, Verdict
from lineage.models import Artefact, Job, ModelVersion
from lineage.queries.closure import affected
from tests.audits import world as worlds
from tests.audits.rulings import made_up, make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, logged, runs
from unlearning.core.training import LossNotFinite
from unlearning.execution.loading import load_version
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


def until(kind, status="QUEUED"):
    return lambda: Job.objects.filter(kind=kind, status=status).exists()


@pytest.fixture
def scored(approximate, monkeypatch):
    """Shadow models with scores that are made up, and verdicts that are said beforehand."""
    return lambda *outcomes, **options: make_up(monkeypatch, outcomes, **options)


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


# --- attacks ----------------------------------------------------------------------------------


def test_the_verdict_recomputes_from_what_is_kept(world, base, approximate):
    """Real shadow models, and the conclusion drawn again from the sealed numbers alone."""
    case = world.erased()
    row = runs(case)[0].evidence.get(kind="U_LIRA")
    stored = json.loads(json.dumps(row.payload))
    again = recompute_all(kept_by_attack(stored), EvidencePolicy.from_dict(case.policy))
    verdict = Verdict.objects.get(evidence=row)
    assert (again.outcome.value, list(again.reasons)) == (verdict.outcome, verdict.reasons)
    assert row.plot is not None
    assert row.plot.kind == Artefact.Kind.PLOT
    assert row.models_per_arm == 6


def test_an_inconclusive_look_is_followed_by_the_next(world, base, scored, settings):
    settings.EXPUNGE_POLICY = {"audit_data": "own_records", "looks": [6, 8], "max_trainings": 16}
    scored(Outcome.INCONCLUSIVE, Outcome.PASS_LEAK)
    case = world.erased()
    (run,) = runs(case)
    told = [(one.outcome, one.final) for one in run.verdicts.order_by("created_at")]
    assert told == [("INCONCLUSIVE", False), ("PASS_LEAK", True)]
    assert [row["models_per_arm"] for row in logged(case, "look_taken")] == [6, 8]
    assert logged(case, "shadows_purged") == [{"count": 16, "remaining": 0}]
    spent = [row.payload["alpha"] for row in run.evidence.filter(kind="U_LIRA")]
    assert sum(spent) == pytest.approx(0.05)


def test_the_last_look_ends_the_audit_even_without_a_conclusion(world, base, scored):
    scored(Outcome.INCONCLUSIVE)
    case = world.erased()
    first, second = runs(case)
    assert (first.status, first.verdicts.get().final) == ("REJECTED", True)
    assert second.status == "CLEARED"


def test_judging_again_after_a_crash_changes_nothing(world, base, scored):
    scored(Outcome.PASS_LEAK)
    case = world.accepted()
    world.work(until=until("ERASE"))
    before = (Evidence.objects.count(), Verdict.objects.count(), len(logged(case, "run_finished")))
    job = Job.objects.get(kind="JUDGE")
    judging.judge_run(job)
    assert before == (
        Evidence.objects.count(),
        Verdict.objects.count(),
        len(logged(case, "run_finished")),
    )


def test_a_chunk_that_died_half_way_trains_only_what_is_missing(world, base, scored, monkeypatch):
    scored(Outcome.FAIL, nodes=True)
    world.accepted()
    world.work(until=until("AUDIT"))
    trained: list[int] = []

    def train(model: int, *rest: object):
        trained.append(model)
        return made_up(model, *rest)

    def train_five(model: int, *rest: object):
        if len(trained) == 5:
            raise MemoryError
        return train(model, *rest)

    monkeypatch.setattr(shadows, "train_shadow", train_five)
    job = Job.objects.get(kind="AUDIT")
    with pytest.raises(MemoryError):
        shadows.train_shadows(job)
    nodes = ModelVersion.objects.filter(kind="SHADOW")
    assert nodes.count() == ShadowResult.objects.count() == 5
    monkeypatch.setattr(shadows, "train_shadow", train)
    shadows.train_shadows(job)
    assert trained == list(range(12))
    assert nodes.count() == ShadowResult.objects.count() == 12


def test_a_shadow_and_its_node_are_kept_together_or_not_at_all(world, base, scored, monkeypatch):
    scored(Outcome.FAIL, nodes=True)
    world.accepted()
    world.work(until=until("AUDIT"))
    monkeypatch.setattr(
        "audits.services.evidence.keep_shadow",
        lambda **_: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        shadows.train_shadows(Job.objects.get(kind="AUDIT"))
    assert not ModelVersion.objects.filter(kind="SHADOW").exists()


def test_a_method_that_diverges_on_a_shadow_ends_the_audit_as_not_computed(
    world, base, approximate, monkeypatch
):
    def diverge(*_: object):
        raise LossNotFinite("The loss of train is nan at step 0 of 2.")

    monkeypatch.setattr(shadows, "train_shadow", diverge)
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    first, second = runs(case)
    assert first.verdicts.get().outcome == "INCONCLUSIVE"
    assert first.verdicts.get().reasons == ["The loss of train is nan at step 0 of 2."]
    assert second.status == "CLEARED"


def test_shadow_models_that_learned_the_person_are_nodes_of_lineage(world, base, scored):
    scored(Outcome.PASS_LEAK, nodes=True)
    world.accepted()
    world.work(until=until("JUDGE"))
    found = shadows_of(world, ADA)
    assert [one.influence for one in found].count("DIRECT") == 6
    assert {one.version.state for one in found} == {"CANDIDATE"}


def shadows_of(world, person):
    """How each shadow model has to do with somebody's records."""
    found = affected(world.dataset.space, world.owned(person), include_shadows=True)
    return [one for one in found.versions if one.version.kind == "SHADOW"]


def test_scores_of_the_person_under_models_that_never_saw_them_are_found_too(world, base, scored):
    scored(Outcome.PASS_LEAK, nodes=True)
    world.accepted()
    world.work(until=until("JUDGE"))
    found = {one.version.pk: one for one in shadows_of(world, ADA)}
    rows = ShadowResult.objects.all()
    assert {row.version_id for row in rows} == set(found)
    for row in rows:
        learned = row.row["member"]
        assert found[row.version_id].influence == ("DIRECT" if learned else "INDIRECT")


def test_under_surrogates_no_shadow_model_learns_the_person(world, scored, settings):
    settings.EXPUNGE_POLICY = {"looks": [6], "max_trainings": 12}
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    scored(Outcome.PASS_LEAK, nodes=True)
    world.accepted()
    world.work(until=until("JUDGE"))
    found, models = shadows_of(world, ADA), 12 + 20  # the pool's, and the instance test's
    assert [one.influence for one in found] == ["INDIRECT"] * models
    assert {one.path[-1].role for one in found} == {"VALIDATION"}
    assert ModelVersion.objects.filter(kind="SHADOW").count() == models


def test_the_population_attack_is_shown_and_draws_no_conclusion(world):
    """With more than thirty records, so that it is computed."""
    worlds.imported("digits", [(ADA, digit) for digit in worlds.digits()[60:92]])
    world.train("base", world.take(world.owned(ADA, BERT) | BitMap(range(60, 92))))
    case = world.accepted()
    world.work(until=until("ERASE"))
    row = runs(case)[0].evidence.get(kind="POPULATION")
    assert row.payload["not_computed"] == ""
    assert 0 <= row.payload["unlearned"]["auc"]["estimate"] <= 1
    assert row.payload["original"]["records"] == row.payload["unlearned"]["records"] >= 30
    assert not Verdict.objects.filter(evidence=row).exists()


def test_a_row_is_read_as_it_was_written():
    class Design:
        member = np.array([True])
        canary_member = np.array([[True, False]])
        canaries = 2

    class Data:
        forget = [0, 1, 2]

    row = made_up(0, Design, None, Data)
    again = from_json(json.loads(json.dumps({**as_json(row), "own": [0.5]})))
    assert np.array_equal(again.before, row.before)
    assert np.array_equal(again.canary_member, row.canary_member)
    assert (again.model, again.member, again.test_after) == (0, True, 0.9)


# --- what is audited --------------------------------------------------------------------------


def test_shadows_of_a_child_whose_base_never_saw_the_person_start_from_that_base(
    world, approximate
):
    base = world.train("base", world.snapshot(BERT, CLEO))
    world.train("child", world.snapshot(ADA, DORA), base)
    world.accepted()
    world.work(until=until("AUDIT"))
    run = UnlearningRun.objects.select_related("target__generated_by", "base", "space").get()
    procedure = audited(run)
    assert (run.base, procedure.base) == (base, None)
    assert procedure.start is not None
    started = procedure.start.state_dict()
    stored = load_version(base).state_dict()
    assert all(torch.equal(started[name], stored[name]) for name in stored)


def test_shadows_of_a_child_on_a_base_of_the_same_case_are_trained_with_it(world, scored):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("child", world.snapshot(BERT, DORA), base)
    scored(Outcome.PASS_LEAK)
    world.accepted()
    of_child = UnlearningRun.objects.filter(target__model_name="child")
    world.work(until=lambda: of_child.filter(status="SUCCEEDED").exists())
    run = of_child.select_related("target__generated_by", "base", "space").get()
    procedure = audited(run)
    assert procedure.start is None
    assert procedure.base is not None
    methods = (procedure.method.title, procedure.base.method.title)
    assert methods == ("Retrain from scratch", "Fine-tune on the retain set")
    assert (procedure.saw_forget_set, procedure.base.saw_forget_set) == (False, True)
