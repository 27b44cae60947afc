"""Trainings in shards: kept apart, served as one vote, rebuilt where somebody was, and no more."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import torch

from lineage.core import weights
from lineage.core.bitmaps import union
from lineage.models import Artefact, ModelVersion
from lineage.queries.artefacts import weights_of
from lineage.services import jobs, versions
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, SMALL, TUNED
from tests.unlearning.shards import only_one_knows_twos, spread
from tests.unlearning.test_execution import wanted
from unlearning.core.sharding.coverage import ClassesMissing
from unlearning.core.sharding.placement import EmptyShard
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution import again, rebuilding, running, training
from unlearning.execution.loading import load_version, recipe_of
from unlearning.execution.replaying import NoRecording
from unlearning.models import HistoryFile, TrainingHistory, UnlearningRun
from unlearning.queries import histories as kept
from unlearning.services import histories, runs

pytestmark = pytest.mark.django_db

PEOPLE = (ADA, BERT, CLEO, DORA)
STEPS = {**SMALL, "batch_size": 4}


@pytest.fixture(autouse=True)
def _sharded(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 0, False


@pytest.fixture
def base(world, monkeypatch):
    """Two people in each shard, one in each slice."""
    snapshot = world.snapshot(*PEOPLE)

    def fits(placement):
        sizes = [len(placement.records(shard)) for shard in range(2)]
        return sizes == [12, 12]

    spread(monkeypatch, snapshot, STEPS, wanted=fits)
    return world.train("base", snapshot, recipe_parameters=STEPS)


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


def vote_of(version):
    return load_version(version)


def history_of(**fields: object):
    return TrainingHistory.objects.filter(**fields).first()


def part_of(version):
    return recipe_of(version).part  # type: ignore[attr-defined]


def member(version, number):
    tensors = weights.from_bytes(weights_of(version))
    return {k: v for k, v in tensors.items() if k.startswith(f"members.{number}.")}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def states(version, number):
    files = HistoryFile.objects.filter(
        history__version=version, history__shard=number, key__contains="/states/"
    )
    return set(files.values_list("key", flat=True))


# --- training ---------------------------------------------------------------------------------


def test_a_training_is_one_version_that_votes_with_a_history_of_each_shard(world, base):
    vote = vote_of(base)
    assert isinstance(vote, SoftVote)
    assert len(vote.members) == 2
    assert part_of(base).hidden == SMALL["hidden"]
    parts = [part for part, _ in kept.parts_of(base)]
    assert [part.number for part in parts] == [0, 1]
    assert union(union(part.slices) for part in parts) == world.owned(*PEOPLE)
    assert kept.account_of(base) == b""
    files = Artefact.objects.filter(kind="CHECKPOINT", version=base).count()
    assert files == HistoryFile.objects.count() > 4


def test_everybody_is_in_one_slice_of_one_shard(world, base):
    slices = [records for part, _ in kept.parts_of(base) for records in part.slices]
    for person in PEOPLE:
        hers = world.owned(person)
        assert [records & hers for records in slices if records & hers] == [hers]


def test_the_vote_is_what_is_stored_and_read_back(base):
    vote = vote_of(base)
    inputs = torch.rand(5, 8, 8)
    members = [member(inputs).softmax(dim=1) for member in vote.members]
    assert torch.allclose(vote(inputs).exp(), sum(members) / 2, atol=1e-6)


def test_without_the_setting_nothing_is_cut(world, settings):
    settings.EXPUNGE_SHARDS = 1
    plain = world.train("plain", world.snapshot(ADA, BERT), recipe_parameters=STEPS)
    assert plain.generated_by.recipe.endswith(":DigitsMLP")
    assert not TrainingHistory.objects.exists()


def test_a_model_of_sums_is_left_whole_so_that_records_can_be_subtracted(world):
    counted = "unlearning.recipes.counted:DigitsCountedBayes"
    few = {"targets": SMALL["targets"]}
    version = world.train(
        "counted", world.snapshot(ADA, BERT), recipe=counted, recipe_parameters=few
    )
    assert version.generated_by.recipe == counted


def _job(world, *people: str):
    job = jobs.create_job(
        key="t",
        kind="TRAIN",
        queue="heavy",
        payload_id=uuid.uuid4(),
        parameters=wanted(world.snapshot(*people), recipe_parameters=STEPS),
        now=NOW,
    )
    return jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))


def test_a_shard_that_would_lack_a_class_is_refused_with_the_numbers(world, settings, monkeypatch):
    monkeypatch.setattr(training, "placed", dict)
    monkeypatch.setattr(
        "unlearning.execution.sharding.place",
        lambda subjects, **_: _all_but_one(len(subjects.of)),
    )
    with pytest.raises(ClassesMissing, match="1 of 2 shards have fewer"):
        training.train_version(_job(world, ADA, BERT))
    assert not TrainingHistory.objects.exists()


def _all_but_one(size):
    from unlearning.core.sharding.placement import Placement

    return Placement(shards=((tuple(range(1, size)),), ((0,),)))


def test_more_shards_than_people_are_refused(world, settings):
    settings.EXPUNGE_SHARDS = 5
    with pytest.raises(EmptyShard, match="of 5 shards would be empty"):
        training.train_version(_job(world, ADA, BERT, CLEO, DORA))


def test_nothing_goes_on_from_a_vote(world, base):
    parameters = wanted(world.snapshot(ADA), recipe=TUNED, base=str(base.pk))
    job = jobs.create_job(
        key="t",
        kind="TRAIN",
        queue="heavy",
        payload_id=uuid.uuid4(),
        parameters=parameters,
        now=NOW,
    )
    claimed = jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))
    with pytest.raises(training.BaseInShards, match="base v1 is a vote of shards"):
        training.train_version(claimed)


def test_a_training_that_died_is_taken_up_and_gives_the_same_bits(world, base, monkeypatch):
    job = _job(world, *PEOPLE)
    with monkeypatch.context() as patched:
        patched.setattr("expunge.capture.Captured.finish", _dies)
        with pytest.raises(RuntimeError, match="the machine went down"):
            training.train_version(job)
    before = set(kept.keys(str(job.pk)))
    training.train_version(job)
    assert set(kept.keys(str(job.pk))) == before
    found = history_of(name__startswith=str(job.pk)).version
    assert same(member(found, 0), member(base, 0))


def _dies(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the machine went down")


# --- rebuilding -------------------------------------------------------------------------------


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
