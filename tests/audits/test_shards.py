"""A version in shards in a case: weighed, rebuilt where somebody was, sealed."""

from __future__ import annotations

import pytest

from audits.queries import case_file, limit_sentences, limits
from audits.queries.serving import exposed
from audits.services.serving import give_version
from audits.views.weighing import predicted_and_actual, weighed_ways
from lineage.core.bitmaps import union
from lineage.models import Job, ModelVersion, Run
from lineage.queries.sources import learned_by
from lineage.services import versions
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, SMALL, runs
from tests.unlearning.shards import only_one_knows_twos, two_people_a_shard
from tests.unlearning.toys import equal
from unlearning.core.replay.engine import model_at
from unlearning.execution.histories import Borrowed, recording_of
from unlearning.execution.loading import load_version, recipe_of
from unlearning.models import HistoryFile, TrainingHistory
from unlearning.queries import histories as kept

pytestmark = pytest.mark.django_db

PEOPLE = (ADA, BERT, CLEO, DORA)
STEPS = {**SMALL, "batch_size": 4}


@pytest.fixture(autouse=True)
def _sharded(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 1, False


@pytest.fixture
def base(world, monkeypatch):
    return two_people_a_shard(monkeypatch, world, STEPS)


@pytest.fixture
def person(world, base):
    """Somebody in the last slice of the first shard."""
    slices = kept.parts_of(base)[0][0].slices
    return next(one for one in PEOPLE if world.owned(one) == slices[1])


def only(case):
    (run,) = runs(case)
    return run


def vote_of(version):
    return load_version(version)


def rebuilt_account(version):
    return recording_of(kept.parts_of(version)[0][1])


def part_of(version):
    return recipe_of(version).part  # type: ignore[attr-defined]


def reasons(run):
    return {row["key"]: row["reason"] for row in run.weighed["refused"]}


def test_a_case_rebuilds_the_shard_at_the_predicted_cost_and_another_goes_on_from_it(
    world, base, person
):
    case = world.erased(person)
    run = only(case)
    assert (case.status, run.method, run.status) == ("SEALED", "replay", "CLEARED")
    assert run.weighed["winner"] == "shard_rebuild"
    assert "full_retrain" in [row["option"]["way"] for row in run.weighed["ranked"]]
    assert reasons(run)["rewind_and_replay"].startswith("It was trained in shards")
    predicted, actual = predicted_and_actual(run) or (0, 1)
    assert predicted == actual
    taken = [way.title for way in weighed_ways(run) if way.taken]
    assert taken == ["Rebuild the shards it touched"]
    base.refresh_from_db()
    assert (base.state, run.unlearned.state) == ("DESTROYED", "ACTIVE")
    assert set(TrainingHistory.objects.values_list("version", flat=True)) == {run.unlearned.pk}
    assert not HistoryFile.objects.exclude(artefact__version=run.unlearned).exists()

    said, part = run.report["replay"], run.unlearned.generated_by.seconds
    whole = part * said["of_training"] / said["sample_visits"]
    hers = union(kept.parts_of(run.unlearned)[1][0].slices)
    second = next(one for one in PEOPLE if world.owned(one) & hers)
    case = world.erased(second)
    run = only(case)
    assert (case.status, run.method, run.weighed["winner"]) == (
        "SEALED",
        "replay",
        "shard_rebuild",
    )
    assert ModelVersion.objects.filter(state="ACTIVE").get() == run.unlearned
    assert run.retrain_seconds_predicted == pytest.approx(whole)
    assert whole > part


def give(version):
    return give_version(reader="shop", version_id=version.pk, now=NOW)


def in_use():
    return set(ModelVersion.objects.filter(state="ACTIVE"))


def test_until_the_rebuild_may_serve_a_vote_that_never_saw_the_records_does(world, base, person):
    case = world.accepted(person)
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    run = only(case)
    assert in_use() == {run.interim}
    base.refresh_from_db()
    assert (base.state, base.invalidated_by) == ("WITHDRAWN", None)
    give(run.interim)
    vote, old = vote_of(run.interim), vote_of(base)
    assert not learned_by(run.interim, world.dataset.space) & world.owned(person)
    assert equal(vote.members[1], old.members[1])
    rebuilt = rebuilt_account(run.unlearned)
    clean = [state for state in rebuilt.states if not state.key.startswith(str(run.pk))]
    assert equal(vote.members[0], model_at(part_of(base), Borrowed(), clean[-1]))
    case = world.finish(case)
    assert in_use() == {run.unlearned}
    give(run.unlearned)  # who had neither the old one nor what it differs from by an erasure
    assert exposed() == ()
    base.refresh_from_db(), run.interim.refresh_from_db()
    assert (base.state, base.invalidated_by) == ("DESTROYED", case.pk)
    assert (run.interim.state, run.interim.invalidated_by) == ("DESTROYED", case.pk)
    told = runs(case)[0].report["interim"]
    assert (told["name"], told["promise"]) == (str(run.interim), "INFLUENCE_FREE")
    assert (told["shards"], told["rolled_back"], told["left_out"]) == (2, 1, 0)
    assert limit_sentences.STOOD_IN in limits.limits_of(case, runs(case))


def test_a_shard_without_a_clean_state_leaves_the_vote(world, base, person):
    first = kept.parts_of(base)[0][0].slices[0]
    early = next(one for one in PEOPLE if world.owned(one) == first)
    case = world.accepted(early)
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    run = only(case)
    vote = vote_of(run.interim)
    assert len(vote.members) == 1
    assert equal(vote.members[0], vote_of(base).members[1])
    assert run.report["interim"]["left_out"] == 1
    world.finish(case)
    assert in_use() == {run.unlearned}


def test_a_try_that_died_while_the_rollback_served_goes_on_with_it(
    world, base, person, monkeypatch
):
    case = world.accepted(person)
    with monkeypatch.context() as patched:
        patched.setattr("unlearning.methods.replay.Replay._unlearn", _dies)
        world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="FAILED").exists())
    (interim,) = in_use()
    case = world.finish(case)
    assert ModelVersion.objects.get(pk=interim.pk).state == "DESTROYED"
    assert case.status == "SEALED"
    stood_in = case_file.findings(case)["runs"][0]["stood_in"]
    assert (stood_in["version"], stood_in["name"]) == (str(interim.pk), str(interim))
    assert stood_in["digest"] in {
        one["digest"] for one in case_file.findings(case)["erasure"]["artefacts"]
    }


def _dies(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the machine went down")


def test_an_approximate_method_gives_way_to_a_rebuild(world, base, person, settings):
    settings.EXPUNGE_METHOD = "finetune"
    case = world.erased(person)
    run = only(case)
    assert run.method == "replay"
    assert "vote of shards" in case.plan["affected"][0]["method_refused"]


def test_a_shard_of_which_nothing_would_be_left_is_trained_again_with_the_others(
    world, base, person
):
    hers = union(kept.parts_of(base)[0][0].slices)
    mate = next(one for one in PEOPLE if one != person and world.owned(one) & hers)
    world.erased(mate)
    case = world.erased(person)
    run = only(case)
    assert (run.method, run.status) == ("retrain", "CLEARED")
    assert reasons(run)["shard_rebuild"].startswith("Nothing would be left")
    assert run.unlearned.generated_by.recipe_parameters["shards"] == 2


def test_a_log_that_was_altered_is_followed_by_training_again(world, base, person):
    logs = HistoryFile.objects.filter(key__contains="/0/", artefact__kind="CHECKPOINT")
    one, two = (each.artefact for each in logs.filter(key__contains="/log/").order_by("key")[:2])
    type(one).objects.filter(pk=one.pk).update(uri=two.uri, sha256=two.sha256)
    case = world.erased(person)
    first, second = runs(case)
    assert (first.method, first.status, first.error_code) == ("replay", "FAILED", "LogBroken")
    assert (second.method, second.status, case.status) == ("retrain", "CLEARED", "SEALED")


def test_what_died_before_the_rollback_took_over_leaves_no_version_behind(
    world, base, person, monkeypatch
):
    case = world.accepted(person)
    with monkeypatch.context() as patched:
        patched.setattr("unlearning.services.runs.set_interim", _dies)
        world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="FAILED").exists())
    assert [str(each) for each in ModelVersion.objects.all()] == ["base v1"]
    assert not Run.objects.filter(state="RUNNING").exists()
    world.finish(case)
    assert {each.state for each in ModelVersion.objects.all()} == {"DESTROYED", "ACTIVE"}


def test_a_rollback_that_must_not_serve_is_not_kept_and_not_said_to_have_served(
    world, base, person, monkeypatch
):
    case = world.accepted(person)
    with monkeypatch.context() as patched:
        patched.setattr("lineage.services.versions.release", _refuses)
        world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    run = only(case)
    assert (run.interim, run.report["interim"]) == (None, {})
    assert in_use() == {base}
    case = world.finish(case)
    assert limit_sentences.STOOD_IN not in limits.limits_of(case, runs(case))
    assert case_file.describe_run(only(case))["stood_in"] is None


def _refuses(*_arguments: object, **_named: object) -> None:
    raise versions.VersionNotReleasable("somebody was restricted meanwhile")


def test_a_shard_that_would_forget_a_class_is_trained_again_with_the_others(world, monkeypatch):
    only_one_knows_twos(monkeypatch, world, STEPS)
    case = world.erased(ADA)
    run = only(case)
    assert (run.method, run.status) == ("retrain", "CLEARED")
    assert reasons(run)["shard_rebuild"].startswith("1 of 2 shards would have no record left")
