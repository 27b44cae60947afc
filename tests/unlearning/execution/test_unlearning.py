"""What a job unlearns, and what it finds done already."""

from __future__ import annotations

import uuid

import pytest
import torch

from lineage.models import ErasureViewOpening, ModelVersion, Run
from lineage.queries.sources import learned_by
from lineage.queries.training_view import training_view
from lineage.services import restriction
from tests.audits.world import ADA, BERT, CLEO, NOW
from tests.unlearning.execution.jobs import equal
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution import running
from unlearning.execution.loading import load_version, recipe_of
from unlearning.services import runs

pytestmark = pytest.mark.django_db


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
