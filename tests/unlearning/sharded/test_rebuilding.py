"""A shard is rebuilt where somebody was, and no more."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from lineage.core.bitmaps import union
from lineage.models import ModelVersion
from lineage.services import jobs, versions
from tests.audits.world import ADA, NOW
from tests.unlearning.sharded.votes import PEOPLE, STEPS, history_of, member, same
from tests.unlearning.shards import only_one_knows_twos
from unlearning.core.sharding.coverage import ClassesMissing
from unlearning.execution import again, rebuilding, running
from unlearning.execution.replaying import NoRecording
from unlearning.models import HistoryFile, UnlearningRun
from unlearning.queries import histories as kept
from unlearning.services import histories, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(world, base):
    """Somebody in the last slice of the first shard."""
    slices = kept.parts_of(base)[0][0].slices
    return next(one for one in PEOPLE if world.owned(one) == slices[1])


@pytest.fixture
def others(world, late, base):
    """Who shares her shard, and somebody who does not."""
    first = union(kept.parts_of(base)[0][0].slices)
    rest = [one for one in PEOPLE if one != late]
    mate = next(one for one in rest if world.owned(one) & first)
    return mate, next(one for one in rest if one != mate)


@pytest.fixture
def rebuilt(world, base, late):
    """Rebuild the shards of a version without somebody."""

    def one(target=base, *people: str):
        run = runs.queue_run(
            target=target,
            space=world.dataset.space,
            forget=world.owned(*(people or (late,))),
            method="replay",
            hyperparameters={},
            seed=3,
            waiting=False,
            now=NOW,
        )
        job = jobs.create_job(
            key=f"UNLEARN:{run.pk}", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=NOW
        )
        running.execute_run(jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1)))
        return UnlearningRun.objects.select_related("unlearned__generated_by", "target").get(
            pk=run.pk
        )

    return one


def states(version, number):
    files = HistoryFile.objects.filter(
        history__version=version, history__shard=number, key__contains="/states/"
    )
    return set(files.values_list("key", flat=True))


@pytest.fixture
def twice(settings, monkeypatch):
    """Execute again in this process, as if it were another; what came out, run by run."""
    found = []

    def elsewhere(run, _limit):
        found.append([replace(one, process="another") for one in again.executed(str(run.pk))])
        return found[-1]

    monkeypatch.setattr(rebuilding, "elsewhere", elsewhere)
    return found


def test_only_the_shard_that_held_the_person_changes(base, rebuilt):
    run = rebuilt()
    assert (run.status, run.guarantee) == ("SUCCEEDED", "EXACT")
    assert same(member(base, 1), member(run.unlearned, 1))
    assert not same(member(base, 0), member(run.unlearned, 0))
    said = run.report["replay"]
    assert (said["shards"], said["unchanged"], len(said["rebuilt"])) == (2, 1, 1)
    assert said["sample_visits"] < said["of_training"] / 2


def test_a_rebuilt_shard_has_the_bits_of_the_same_plan_from_scratch(rebuilt, twice):
    (said,) = rebuilt().report["replay"]["rebuilt"]
    ((execution,),) = twice
    assert (execution.first, said["first_step"]) == (0, 2)
    assert said["digest"] == execution.digest
    assert said["claim"] == "bit_exact"


def test_what_is_kept_passes_on_and_what_knew_the_person_goes_with_the_old_one(base, rebuilt):
    others, had = states(base, 1), states(base, 0)
    run = rebuilt()
    assert states(run.unlearned, 1) == others
    clean = had & states(run.unlearned, 0)
    assert clean
    assert states(base, 0) == had - clean
    gone = versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    histories.forget(version=base)
    assert all(one.file_removed for one in gone)
    assert not set(kept.keys("")) & (had - clean)
    assert states(run.unlearned, 1) == others


def test_a_second_person_is_taken_out_of_the_new_version(
    world, base, rebuilt, late, others, twice
):
    first = rebuilt(base, others[1]).unlearned
    versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    histories.forget(version=base)
    second = rebuilt(first)
    assert second.report["replay"]["claim"] == "bit_exact"
    learned = union(union(part.slices) for part, _ in kept.parts_of(second.unlearned))
    assert learned == world.owned(*PEOPLE) - world.owned(late, others[1])


def test_two_people_one_after_the_other_leave_the_bits_of_both_at_once(
    world, base, rebuilt, late, others
):
    _, elsewhere = others
    one_by_one = rebuilt(rebuilt(base).unlearned, elsewhere).unlearned
    fresh = world.train("base", world.snapshot(*PEOPLE), recipe_parameters=STEPS)
    at_once = rebuilt(fresh, late, elsewhere)
    assert at_once.report["replay"]["unchanged"] == 0
    assert all(same(member(one_by_one, n), member(at_once.unlearned, n)) for n in (0, 1))


def test_without_a_second_execution_no_bits_are_claimed(rebuilt):
    assert rebuilt().report["replay"]["claim"] == "same_recipe"


def test_one_shard_that_came_out_otherwise_weakens_the_claim(
    base, rebuilt, late, others, monkeypatch
):
    def elsewhere(run, _limit):
        one, two = [replace(one, process="another") for one in again.executed(str(run.pk))]
        return [one, replace(two, digest="other")]

    monkeypatch.setattr(rebuilding, "elsewhere", elsewhere)
    said = rebuilt(base, late, others[1]).report["replay"]
    assert said["claim"] == "same_recipe"
    assert "gave the digest other" in said["reason"]
    assert [one["claim"] for one in said["rebuilt"]] == ["bit_exact", "same_recipe"]


def test_without_the_history_of_a_shard_it_says_what_to_do(base, rebuilt):
    histories.discard(history=history_of(version=base), now=NOW)
    with pytest.raises(NoRecording, match="Not every shard of base v1 was kept"):
        rebuilt()


def test_a_shard_that_would_never_learn_a_class_again_is_not_rebuilt(world, monkeypatch):
    base = only_one_knows_twos(monkeypatch, world, STEPS)
    run = runs.queue_run(
        target=base,
        space=world.dataset.space,
        forget=world.owned(ADA),
        method="replay",
        hyperparameters={},
        seed=3,
        waiting=False,
        now=NOW,
    )
    job = jobs.create_job(key="u", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=NOW)
    claimed = jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))
    with pytest.raises(ClassesMissing, match="1 of 2 shards would have no record left"):
        running.execute_run(claimed)
    assert [each.pk for each in ModelVersion.objects.all()] == [base.pk]
