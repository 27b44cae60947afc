"""Cases of different shards of one version: one batch after the other, each on what is there."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from audits import workflow
from audits.execution import gating
from audits.models import Release
from audits.queries.schedule import latest_start
from audits.views.weighing import predicted_and_actual
from lineage.core.bitmaps import union
from lineage.models import Job, ModelVersion
from lineage.queries.availability import restricted_ordinals
from lineage.queries.sources import learned_by
from tests.audits.coalescing import age, sweep
from tests.audits.world import ADA, BERT, CLEO, DORA, SMALL, officer, runs
from tests.unlearning.shards import two_people_a_shard
from tests.unlearning.toys import equal
from unlearning.execution import rebuilding
from unlearning.execution.loading import load_version, retain_snapshot
from unlearning.models import TrainingHistory
from unlearning.queries import histories as kept

pytestmark = pytest.mark.django_db

PEOPLE = (ADA, BERT, CLEO, DORA)
STEPS = {**SMALL, "batch_size": 4}


@pytest.fixture(autouse=True)
def _sharded(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 1, False
    settings.EXPUNGE_COALESCE_DAYS = 7


@pytest.fixture
def base(world, monkeypatch):
    return two_people_a_shard(monkeypatch, world, STEPS)


def held(version, shard):
    return union(kept.parts_of(version)[shard][0].slices)


def last_of(world, version, shard):
    """Somebody in the last slice of a shard."""
    slices = kept.parts_of(version)[shard][0].slices
    return next(one for one in PEOPLE if world.owned(one) == slices[-1])


def in_use():
    return ModelVersion.objects.filter(state="ACTIVE").get()


def shard_of(version, number):
    vote: Any = load_version(version)
    return vote.members[number]


def test_two_shards_of_one_version_are_rebuilt_by_two_batches_in_turn(world, base):
    first, second = (last_of(world, base, shard) for shard in range(2))
    one, two = age(world.accepted(first), 9), age(world.accepted(second), 8)
    old, theirs, space = shard_of(base, 1), world.owned(second), world.dataset.space
    sweep(world)
    assert world.current(one).batch is not None
    assert world.current(two).batch is None

    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    assert equal(shard_of(in_use(), 1), old)
    assert learned_by(in_use(), space) & theirs == theirs
    sweep(world)
    assert world.current(two).batch is None, "a case is at work at the version"
    world.work()
    (run,) = runs(one)
    assert (world.current(one).status, world.current(two).status) == ("SEALED", "RESTRICTED")
    assert run.unlearned == in_use()
    assert Release.objects.get(run=run).state == "RELEASED"
    assert learned_by(in_use(), space) & world.owned(first, second) == theirs
    assert (run.report["replay"]["shards"], run.report["replay"]["unchanged"]) == (2, 1)
    assert equal(shard_of(run.unlearned, 1), old)

    between = shard_of(run.unlearned, 0)
    sweep(world)
    world.work()
    (last,) = runs(two)
    assert (world.current(two).status, last.target) == ("SEALED", run.unlearned)
    assert last.unlearned == in_use()
    assert world.touched(world.owned(first, second)) == []
    assert equal(shard_of(last.unlearned, 0), between)
    assert set(TrainingHistory.objects.values_list("version", flat=True)) == {last.unlearned_id}
    for each in (run, last):
        predicted, actual = predicted_and_actual(each) or (0, 1)
        assert predicted == actual


def test_staff_may_use_what_was_held_though_somebody_waits_in_another_shard(
    world, base, monkeypatch
):
    worse = {**gating._unknown("-"), "allowed": False, "reasons": ["Accuracy fell."]}
    monkeypatch.setattr(gating, "_compared", lambda *_: worse)
    first, second = (last_of(world, base, shard) for shard in range(2))
    one, two = age(world.accepted(first), 9), world.accepted(second)
    sweep(world)
    world.work()
    (run,) = runs(one)
    assert (world.current(one).status, world.current(two).status) == ("SEALED", "RESTRICTED")
    assert Release.objects.get(run=run).state == "HELD"
    world.do(workflow.release_held, run_id=run.pk, user=officer())
    assert in_use() == run.unlearned


def test_a_page_says_behind_which_case_another_one_waits(world, base, admin_client):
    first, second = (last_of(world, base, shard) for shard in range(2))
    one, two = age(world.accepted(first), 9), age(world.accepted(second), 3)

    def page():
        text = admin_client.get(reverse("audits:case", args=[two.pk])).content.decode()
        return re.sub(r"</?time[^>]*>", "", text)

    assert f"until {latest_start(two):%-d %B %Y} at the latest" in page()
    sweep(world)
    age(two, 8)  # it could start, were it not for the other
    sweep(world)
    assert world.current(two).batch is None
    assert f'waits for <a href="/cases/{one.pk}/">{one.reference}</a>' in page()
    assert "at the latest" not in page()
    call_command("schedule", stdout=(told := StringIO()))
    assert told.getvalue().startswith("Behind another case at one of their versions: 1.")


def test_who_is_restricted_in_the_same_shard_is_left_out_with_the_others(world, base):
    """Nothing trains on them from then on, so nothing of theirs is left for a batch of their own.

    The shard would be empty without them; so everything is trained again, and lacks both.
    """
    first = last_of(world, base, 0)
    hers = held(base, 0)
    mate = next(one for one in PEOPLE if one != first and world.owned(one) & hers)
    other = last_of(world, base, 1)
    one, two = age(world.accepted(first), 9), world.accepted(mate)
    far = world.accepted(other)
    sweep(world)
    assert world.current(two).batch == world.current(one).batch is not None
    assert world.current(far).batch is None
    world.work()
    assert {run.method for run in runs(one)} == {"retrain"}
    assert world.touched(world.owned(first, mate)) == []


def test_a_rebuild_is_the_same_whoever_is_restricted_in_other_shards(world, base, settings):
    settings.EXPUNGE_COALESCE_DAYS = 0
    highest = max(world.owned(*PEOPLE))
    own, other = sorted(range(2), key=lambda shard: highest not in held(base, shard))
    case = world.accepted(last_of(world, base, own))
    world.work(until=Job.objects.filter(kind="UNLEARN", status="QUEUED").exists)
    (run,) = runs(case)
    (alone,) = rebuilding.execute_again(run)
    somebody = last_of(world, base, other)  # whose records count before the last of this shard
    world.accepted(somebody)
    assert world.owned(somebody) & restricted_ordinals(world.dataset.space)
    (beside,) = rebuilding.execute_again(run)
    assert beside.digest == alone.digest


def test_who_is_restricted_in_the_shard_after_its_rebuild_began_is_not_read(world, base, settings):
    settings.EXPUNGE_COALESCE_DAYS = 0
    first = last_of(world, base, 0)
    hers = held(base, 0)
    mate = next(one for one in PEOPLE if one != first and world.owned(one) & hers)
    case = world.accepted(first)
    queued = Job.objects.filter(kind="UNLEARN", status="QUEUED")
    world.work(until=queued.exists)
    (run,) = runs(case)
    retain_snapshot(run)  # an earlier try took it, and died
    world.accepted(mate)
    job = world.run(queued.get())
    assert (job.status, job.error_code) == ("FAILED", "RestrictedSince")
    assert job.error.startswith("6 records of a shard were restricted")
    world.work()
    assert [run.method for run in runs(case)] == ["replay", "retrain"]
    assert world.current(case).status == "SEALED"
