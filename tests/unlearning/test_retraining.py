"""A version that was trained from scratch again can be rebuilt and replayed like the first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineage.core.bitmaps import union
from lineage.models import Job, Run
from lineage.services import jobs
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, SMALL
from tests.unlearning.shards import spread
from unlearning.core.sharding.placement import EmptyShard
from unlearning.execution import running
from unlearning.execution.histories import recording_of
from unlearning.models import TrainingHistory, UnlearningRun
from unlearning.queries import histories as kept
from unlearning.services import runs

pytestmark = pytest.mark.django_db

PEOPLE = (ADA, BERT, CLEO, DORA)
STEPS = {**SMALL, "batch_size": 4}


@pytest.fixture(autouse=True)
def _once(settings):
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 1, False


@pytest.fixture
def base(world, settings, monkeypatch):
    """Two people in each shard, one in each slice."""
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    snapshot = world.snapshot(*PEOPLE)
    spread(
        monkeypatch,
        snapshot,
        STEPS,
        wanted=lambda placed: [len(placed.records(each)) for each in range(2)] == [12, 12],
    )
    return world.train("base", snapshot, recipe_parameters=STEPS)


@pytest.fixture
def unlearned(world):
    """Take somebody out of a version by a method."""

    def one(target, method, person):
        run = runs.queue_run(
            target=target,
            space=world.dataset.space,
            forget=world.owned(person),
            method=method,
            hyperparameters={},
            seed=17,
            waiting=False,
            now=NOW,
        )
        job = jobs.create_job(
            key=f"unlearn:{run.pk}", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=NOW
        )
        running.execute_run(jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1)))
        return UnlearningRun.objects.select_related("unlearned__generated_by").get(pk=run.pk)

    return one


def people_of(world, shard):
    learned = union(shard.slices)
    return {one for one in PEOPLE if world.owned(one) & learned}


def shards_of(version):
    return [part for part, _ in kept.parts_of(version)]


def test_people_stay_in_the_shards_that_the_key_gives_them_and_the_next_case_rebuilds_one(
    world, base, unlearned
):
    gone, stays = sorted(people_of(world, shards_of(base)[0]))
    others = people_of(world, shards_of(base)[1])
    run = unlearned(base, "retrain", gone)
    assert run.unlearned.generated_by.activity == Run.Activity.UNLEARN
    assert "retrain" not in run.report
    placed = [people_of(world, part) for part in shards_of(run.unlearned)]
    assert placed == [{stays}, others]
    assert not TrainingHistory.objects.filter(version=None).exists()
    following = unlearned(run.unlearned, "replay", sorted(others)[0])
    assert following.report["replay"]["unchanged"] == 1


def test_where_too_few_are_left_records_are_dealt_and_the_report_says_so(
    world, base, unlearned, monkeypatch
):
    def empty(*_arguments: object):
        raise EmptyShard("Shard 1 would have nobody.")

    monkeypatch.setattr("unlearning.execution.sharding.placed_by_person", empty)
    run = unlearned(base, "retrain", ADA)
    assert "(EmptyShard), so their records were dealt at random" in run.report["retrain"]["dealt"]
    assert "hard 1" not in run.report["retrain"]["dealt"]
    assert run.status == "SUCCEEDED"
    assert shards_of(run.unlearned) == []


def test_a_version_as_a_whole_leaves_a_recording_too(world, unlearned):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO), recipe_parameters=STEPS)
    run = unlearned(base, "retrain", ADA)
    assert recording_of(kept.account_of(run.unlearned)) is not None
    assert unlearned(run.unlearned, "replay", BERT).status == "SUCCEEDED"


def test_without_the_setting_nothing_is_kept_of_a_whole_one(world, unlearned, settings):
    settings.EXPUNGE_REPLAY_EVERY = 0
    base = world.train("base", world.snapshot(ADA, BERT, CLEO), recipe_parameters=STEPS)
    unlearned(base, "retrain", ADA)
    assert not TrainingHistory.objects.exists()


def test_a_try_that_died_after_the_training_keeps_the_recording(
    world, base, unlearned, monkeypatch
):
    gone = sorted(people_of(world, shards_of(base)[0]))[0]
    with monkeypatch.context() as patched:
        patched.setattr("unlearning.services.histories.settle", _dies)
        with pytest.raises(RuntimeError, match="the machine went down"):
            unlearned(base, "retrain", gone)
    run = UnlearningRun.objects.get()
    assert TrainingHistory.objects.filter(version=None).count() == 2
    running.execute_run(Job.objects.get(key=f"unlearn:{run.pk}"))
    run.refresh_from_db()
    assert len(shards_of(run.unlearned)) == 2
    assert not TrainingHistory.objects.filter(version=None).exists()


def _dies(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the machine went down")
