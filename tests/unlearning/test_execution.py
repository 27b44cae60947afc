"""Where torch meets the database: what a job trains, stores, and finds done already."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
import torch

from lineage.core import weights
from lineage.models import DatasetSnapshot, ErasureViewOpening, Job, ModelVersion, Run
from lineage.queries.artefacts import weights_of
from lineage.queries.sources import NoTrainingSnapshot, learned_by, training_snapshot
from lineage.queries.training_view import training_view
from lineage.services import jobs, restriction, versions
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits.world import ADA, BERT, CLEO, MLP, NOW, SMALL, TUNED
from unlearning.core.recipe import Recipe
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution import reporting, running, training
from unlearning.execution.device import NoDevice
from unlearning.execution.loading import (
    NoRecipe,
    TargetDestroyed,
    forget_snapshot,
    load_version,
    recipe_of,
    retain_snapshot,
)
from unlearning.services import runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO))


@pytest.fixture
def queue(world, base):
    """Queue a run on the base and claim its job."""

    def one(method="retrain", **fields: object):
        given: dict[str, object] = {
            "target": base,
            "space": world.dataset.space,
            "forget": world.owned(ADA),
            "method": method,
            "hyperparameters": {},
            "seed": 11,
            "waiting": False,
            "now": NOW,
        }
        run = runs.queue_run(**given | fields)  # type: ignore[arg-type]  # as given
        return run, claimed("UNLEARN", run.pk)

    return one


def claimed(kind, payload_id, **parameters: object):
    job = jobs.create_job(
        key=f"{kind}:{payload_id}",
        kind=kind,
        queue="heavy",
        payload_id=payload_id,
        parameters=parameters,
        now=NOW,
    )
    return jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))


def wanted(snapshot, **more: object):
    return {
        "model_name": "model",
        "recipe": MLP,
        "recipe_parameters": SMALL,
        "snapshot": str(snapshot.pk),
        "base": None,
        "seed": 3,
        **more,
    }


def equal(one, other):
    mine, theirs = (weights.from_bytes(weights_of(each)) for each in (one, other))
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


# --- training ---------------------------------------------------------------------------------


def test_a_training_is_captured_with_recipe_seed_environment_and_members(world, base):
    run = base.generated_by
    assert (run.state, run.capture_level, run.activity, run.seed) == (
        "COMPLETE",
        "SAMPLER",
        "TRAIN",
        3,
    )
    assert (run.recipe, run.recipe_digest) == (MLP, recipe_of(base).digest())
    assert run.environment["torch"]["version"] == torch.__version__
    assert learned_by(base, world.dataset.space) == world.owned(ADA, BERT, CLEO)


@pytest.fixture
def heard(settings, monkeypatch):
    """Allow mixed precision, and return the sessions in which models are trained."""
    settings.EXPUNGE_DEVICE, settings.EXPUNGE_MIXED_PRECISION = "auto", True
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    sessions, train = [], Recipe.train

    def listening(recipe, examples, session):
        sessions.append(session)
        return train(recipe, examples, session)

    monkeypatch.setattr(Recipe, "train", listening)
    return sessions


def test_trainings_and_runs_are_placed_as_the_installation_says(world, queue, heard):
    version = world.train("placed", world.snapshot(ADA, BERT, CLEO))
    assert version.generated_by.environment["device"] == "cpu"
    assert version.generated_by.environment["mixed_precision"] is False
    running.execute_run(queue("retrain")[1])
    assert [(each.device.type, each.amp) for each in heard] == [("cpu", True)] * 2


def test_a_training_on_a_device_that_is_not_there_fails_and_says_so(world, settings, monkeypatch):
    settings.EXPUNGE_DEVICE = "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    job = claimed("TRAIN", uuid.uuid4(), **wanted(world.snapshot(BERT)))
    with pytest.raises(NoDevice, match=r"^EXPUNGE_DEVICE is cuda"):
        training.train_version(job)
    assert not Run.objects.exists()


def test_a_training_is_reproducible(world, base):
    assert equal(base, world.train("again", world.snapshot(ADA, BERT, CLEO)))
    assert not equal(base, world.train("other", world.snapshot(ADA, BERT, CLEO), seed=4))


def test_a_training_does_not_see_restricted_records(world):
    snapshot = world.snapshot(ADA, BERT)
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(ADA), now=NOW
    )
    version = world.train("model", snapshot)
    assert learned_by(version, world.dataset.space) == world.owned(BERT)
    assert equal(version, world.train("apart", world.snapshot(BERT)))


def test_a_training_that_died_after_its_version_is_not_done_again(world):
    job = claimed("TRAIN", uuid.uuid4(), **wanted(world.snapshot(BERT)))
    training.train_version(job)
    training.train_version(job)
    assert ModelVersion.objects.count() == Run.objects.count() == 1


def test_a_fine_tuned_version_is_a_child_of_its_base(world, base):
    job = claimed(
        "TRAIN",
        uuid.uuid4(),
        **wanted(world.snapshot(BERT), recipe=TUNED, base=str(base.pk)),
    )
    training.train_version(job)
    child = ModelVersion.objects.get(model_name="model")
    assert child.generated_by.activity == "FINE_TUNE"
    roles = child.generated_by.inputs.values_list("role", flat=True)
    assert sorted(roles) == ["BASE_MODEL", "TRAINING"]
    assert child in world.touched(world.owned(ADA))


# --- unlearning -------------------------------------------------------------------------------


def test_retraining_gives_the_tensors_of_a_training_without_the_records(world, queue):
    """The oracle: the recipe, from scratch, on the others only."""
    run, job = queue()
    running.execute_run(job)
    run.refresh_from_db()
    recipe = recipe_of(run.target)
    view = training_view(world.snapshot(BERT, CLEO))
    oracle = recipe.train(StoredExamples(recipe, view), Session(seed=run.seed))
    found = load_version(run.unlearned)
    assert all(
        torch.equal(oracle.state_dict()[name], tensor)
        for name, tensor in found.state_dict().items()
    )
    assert (run.status, run.guarantee) == ("SUCCEEDED", "EXACT")
    assert (run.unlearned.state, run.unlearned.revision_of) == ("CANDIDATE", run.target)


COUNTED = {
    "recipe": "unlearning.recipes.counted:DigitsRidge",
    "recipe_parameters": {"targets": ["0", "1", "2"]},
}


@pytest.fixture
def counted(world):
    return world.train("counted", world.snapshot(ADA, BERT, CLEO), **COUNTED)


def test_subtraction_gives_the_bits_of_retraining_and_its_lineage(world, queue, counted):
    found = []
    for method in ("decrement", "retrain"):
        run, job = queue(method, target=counted)
        running.execute_run(job)
        run.refresh_from_db()
        found.append(run.unlearned)
        assert (run.status, run.guarantee) == ("SUCCEEDED", "EXACT")
        assert learned_by(run.unlearned, world.dataset.space) == world.owned(BERT, CLEO)
    assert equal(*found)
    assert not equal(counted, found[0])


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (
            {"threads": "64"},
            "The environment is not that of the training: threads was '64' and is",
        ),
        ({}, "The environment of the training was not kept"),
    ],
)
def test_bits_are_claimed_of_a_subtraction_only_where_the_sums_were_counted(
    queue, counted, kept, reason
):
    run, job = queue("decrement", target=counted)
    running.execute_run(job)
    run.refresh_from_db()
    assert run.report["decrement"]["claim"] == "bit_exact"
    made = counted.generated_by
    before = made.environment["arithmetic"]
    made.environment = made.environment | {"arithmetic": kept and before | kept}
    Run.objects.filter(pk=made.pk).update(environment=made.environment)
    run, job = queue("decrement", target=counted)
    running.execute_run(job)
    run.refresh_from_db()
    assert run.report["decrement"]["claim"] == "same_recipe"
    assert run.report["decrement"]["reason"].startswith(reason)


@pytest.mark.parametrize("method", ["decrement", "certified_newton"])
def test_what_is_taken_out_alone_must_be_all_that_has_to_go(world, queue, counted, method):
    run, job = queue(method, target=counted)
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(CLEO), now=NOW
    )
    more = len(world.owned(CLEO))
    with pytest.raises(
        running.OthersWouldStay, match=f"learned from {more} records more that are"
    ):
        running.execute_run(job)
    run.refresh_from_db()
    assert run.unlearned is None


def test_a_result_names_what_it_was_made_from(world, queue):
    run, job = queue("finetune")
    running.execute_run(job)
    run.refresh_from_db()
    inputs = run.unlearned.generated_by.inputs
    assert sorted(inputs.values_list("role", flat=True)) == ["FORGET", "TEACHER", "TRAINING"]
    assert run.guarantee == "APPROXIMATE"
    assert run.report["method"] == "finetune"
    assert world.touched(world.owned(ADA)) == [run.target]


def test_a_child_inherits_the_weaker_guarantee_of_its_base(world, base, queue):
    weak = world.train("weak", world.snapshot(BERT))
    ModelVersion.objects.filter(pk=weak.pk).update(guarantee="APPROXIMATE")
    child = world.train("child", world.snapshot(ADA, CLEO), base)
    run, job = queue(target=child)
    runs.set_base(run_id=run.pk, base=weak)
    running.execute_run(job)
    run.refresh_from_db()
    assert (run.guarantee, run.unlearned.guarantee) == ("APPROXIMATE", "APPROXIMATE")
    assert run.unlearned.generated_by.inputs.get(role="BASE_MODEL").node.object_id == weak.pk


def test_a_crash_between_the_result_and_its_record_trains_nothing_twice(queue, monkeypatch):
    run, job = queue()
    with monkeypatch.context() as broken:
        broken.setattr(runs, "finish_run", lambda **_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            running.execute_run(job)
    run.refresh_from_db()
    assert (run.status, ModelVersion.objects.count()) == ("RUNNING", 2)
    monkeypatch.setattr(running, "_unlearn", lambda *_: pytest.fail("trained twice"))
    running.execute_run(job)
    run.refresh_from_db()
    assert (run.status, ModelVersion.objects.count()) == ("SUCCEEDED", 2)
    assert run.seconds == run.unlearned.metrics["seconds"]


def test_a_run_that_has_ended_is_not_executed_again(queue):
    _, job = queue()
    running.execute_run(job)
    before = ModelVersion.objects.count()
    running.execute_run(job)
    assert ModelVersion.objects.count() == before


def test_what_a_killed_try_left_open_is_closed_by_the_next(queue, monkeypatch):
    _, job = queue()
    with monkeypatch.context() as broken:
        broken.setattr(running, "_apply", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            running.execute_run(job)
    assert Run.objects.filter(activity="UNLEARN").get().state == "RUNNING"
    running.execute_run(job)
    states = Run.objects.filter(activity="UNLEARN").order_by("started_at")
    assert [one.state for one in states] == ["INCOMPLETE", "COMPLETE"]


def test_a_failed_try_closes_its_run_and_names_the_kind_of_error(queue, monkeypatch):
    _, job = queue()
    monkeypatch.setattr(running, "_apply", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        running.execute_run(job)
    left = Run.objects.get(activity="UNLEARN")
    assert (left.state, left.sampler["failure"]) == ("INCOMPLETE", "ZeroDivisionError")


def test_destroying_makes_no_model(queue):
    run, job = queue(waiting=True)
    runs.decide_destroy(run_id=run.pk)
    running.execute_run(job)
    run.refresh_from_db()
    assert (run.status, run.unlearned, run.guarantee) == ("SUCCEEDED", None, "EXACT")


@pytest.mark.parametrize(("method", "records"), [("scrub", 6), ("retrain", 0)])
def test_only_a_method_that_reads_the_forget_set_opens_it_and_that_is_recorded(
    queue, method, records
):
    run, job = queue(method)
    running.execute_run(job)
    opened = ErasureViewOpening.objects.get(run_id=run.pk)
    assert (opened.purpose, opened.record_count) == ("UNLEARN", records)


# --- sets -------------------------------------------------------------------------------------


def test_the_retain_set_is_taken_once_without_what_is_restricted(world, queue):
    run, _ = queue()
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(CLEO), now=NOW
    )
    first = retain_snapshot(run)
    assert training_view(first).ordinals == world.owned(BERT)
    assert retain_snapshot(run) == first
    assert first.parent == training_snapshot(run.target)


def test_the_forget_set_is_a_snapshot_of_its_own(world, queue):
    run, _ = queue()
    snapshot = forget_snapshot(run)
    assert forget_snapshot(run) == snapshot
    assert snapshot.record_count == 6
    assert (
        DatasetSnapshot.objects.filter(selection_rule={"forget_set_of": str(run.pk)}).count() == 1
    )


def test_a_run_without_a_training_snapshot_cannot_be_repeated(db):
    run = begin_run(plan=RunPlan(activity="TRAIN"), now=NOW)
    blind = finish_run(run=run, result=RunResult(model_name="blind", weights=b""), now=NOW)
    with pytest.raises(NoTrainingSnapshot, match="captured with 0 training snapshots; one is"):
        training_snapshot(blind)


def test_a_version_trained_on_two_data_sets_has_no_one_retain_set(world):
    two = [world.snapshot(ADA), world.snapshot(BERT)]
    plan = RunPlan(activity="TRAIN", inputs=tuple(Input(source=one) for one in two))
    run = begin_run(plan=plan, now=NOW)
    both = finish_run(run=run, result=RunResult(model_name="both", weights=b""), now=NOW)
    with pytest.raises(NoTrainingSnapshot, match="captured with 2 training snapshots"):
        training_snapshot(both)
    assert learned_by(both, world.dataset.space) == world.owned(ADA, BERT)


# --- loading ----------------------------------------------------------------------------------


def test_a_version_without_a_recipe_says_what_can_be_done(world):
    bare = world.bare("bare", world.snapshot(BERT))
    with pytest.raises(NoRecipe, match=r"without a recipe\. Destroy it, or train it again"):
        recipe_of(bare)


def test_a_destroyed_version_is_not_loaded(base):
    versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    base.refresh_from_db()
    with pytest.raises(TargetDestroyed, match="base v1 was destroyed; there is nothing left"):
        load_version(base)


def test_loading_leaves_the_random_state_alone(base):
    before = torch.get_rng_state()
    load_version(base)
    assert torch.equal(before, torch.get_rng_state())


# --- progress ---------------------------------------------------------------------------------


def test_progress_is_written_at_most_once_a_second_and_at_the_end(world, monkeypatch):
    clock = iter([10.0, 10.2, 10.4, 11.1, 11.2])
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written = []
    monkeypatch.setattr(jobs, "report_progress", lambda **told: written.append(told["done"]))
    report = reporting.reporter(Job(), "Training")
    for done in range(1, 6):
        report("", done, 5)
    assert written == [1, 4, 5]


def test_progress_tells_how_long_the_rest_takes_where_it_is_asked_to(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: clock.now))
    written = []
    monkeypatch.setattr(jobs, "report_progress", lambda **told: written.append(told["left"]))
    report = reporting.reporter(Job(), "Shadow models 1 to 16", estimate=True)
    for done in (6, 7, 9, 16):  # six were there before
        clock.now += 20
        report("", done, 16)
    assert written == [
        "",
        "about 3 min left",
        "about 2 min left",
        "",
    ]


def test_a_job_is_asked_at_most_once_a_second_whether_it_is_to_stop(monkeypatch):
    clock, asked = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: clock.now))

    class Rows:
        def filter(self, **sought: object) -> Rows:
            asked.append(sought)
            return self

        def exists(self) -> bool:
            return len(asked) == 2

    monkeypatch.setattr(reporting, "Job", SimpleNamespace(objects=Rows()))
    cancelled, job = reporting.cancel_asked(Job()), []
    for _ in range(6):
        clock.now += 0.5
        job.append(cancelled())
    assert job == [False, False, False, True, True, True]
    assert len(asked) == 2
