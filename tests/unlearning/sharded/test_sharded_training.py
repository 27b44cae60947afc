"""Trainings in shards: kept apart, and served as one vote."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import torch

from lineage.core.bitmaps import union
from lineage.models import Artefact
from lineage.services import jobs
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, SMALL, TUNED
from tests.unlearning.execution.jobs import wanted
from tests.unlearning.sharded.votes import PEOPLE, STEPS, history_of, member, same
from unlearning.core.sharding.coverage import ClassesMissing
from unlearning.core.sharding.placement import EmptyShard
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution import training
from unlearning.execution.loading import load_version, recipe_of
from unlearning.models import HistoryFile, TrainingHistory
from unlearning.queries import histories as kept

pytestmark = pytest.mark.django_db


def vote_of(version):
    return load_version(version)


def part_of(version):
    return recipe_of(version).part  # type: ignore[attr-defined]


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
