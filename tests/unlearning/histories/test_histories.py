"""Trainings whose states are kept, and replayed without a person."""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import torch

from lineage.core import weights
from lineage.models import Artefact
from lineage.queries.artefacts import weights_of
from lineage.queries.training_view import training_view
from lineage.services import jobs, restriction, versions
from tests.audits.world import ADA, BERT, CLEO, NOW
from tests.unlearning.histories.keeping import told, trained
from unlearning.core.replay.log import LogBroken
from unlearning.core.replay.rewind import NumbersUnclear
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution import again, replaying, running
from unlearning.execution import histories as writing
from unlearning.execution.histories import recording_of
from unlearning.execution.loading import recipe_of, retain_snapshot
from unlearning.models import HistoryFile, TrainingHistory, UnlearningRun
from unlearning.queries import histories as kept
from unlearning.services import histories, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def replayed(world, base):
    """Replay a version without some people."""

    def one(target=base, *people: str):
        run = runs.queue_run(
            target=target,
            space=world.dataset.space,
            forget=world.owned(*(people or (ADA,))),
            method="replay",
            hyperparameters={},
            seed=target.generated_by.seed,
            waiting=False,
            now=NOW,
        )
        job = jobs.create_job(
            key=f"UNLEARN:{run.pk}", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=NOW
        )
        running.execute_run(jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1)))
        return UnlearningRun.objects.select_related("unlearned__generated_by").get(pk=run.pk)

    return one


def tensors(version):
    return weights.from_bytes(weights_of(version))


def equal(one, other):
    mine, theirs = tensors(one), tensors(other)
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def states(version):
    files = HistoryFile.objects.filter(history__version=version, key__contains="/states/")
    return set(files.values_list("key", flat=True))


def test_keeping_states_changes_no_bit_of_the_training(world, base, settings):
    settings.EXPUNGE_REPLAY_EVERY = 0
    plain = trained(world, "plain")
    assert equal(base, plain)
    assert kept.account_of(plain) == b""
    recording = told(base)
    assert recording.size == len(world.owned(ADA, BERT, CLEO))
    assert {each.key for each in recording.states} == states(base)


def test_what_is_kept_belongs_to_the_version_and_goes_with_it(base):
    files = Artefact.objects.filter(kind="CHECKPOINT", version=base)
    assert files.count() == HistoryFile.objects.count() > 2
    gone = versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    assert sum(one.kind == "CHECKPOINT" and one.file_removed for one in gone) == files.count()
    assert kept.keys("") == []


def test_a_replay_gives_the_bits_of_the_same_plan_from_scratch_with_the_same_holes(
    world, base, replayed
):
    run = replayed()
    assert (run.status, run.guarantee) == ("SUCCEEDED", "EXACT")
    rewind = replaying.rewind_of(run, writing.Borrowed(), name="from-scratch")
    scratch = replace(rewind, origin=rewind.origin.cut(0))
    scratch = replace(scratch, origin=replace(scratch.origin, digest=rewind.origin.digest))
    assert scratch.origin.states == ()
    again = _executed(run, scratch)
    assert run.report["replay"]["digest"] == again.recording.digest
    assert run.report["replay"]["sample_visits"] <= again.recording.spent
    assert not equal(base, run.unlearned)


def _executed(run, rewind):
    recipe = recipe_of(run.target)
    retain = StoredExamples(recipe, training_view(retain_snapshot(run)))
    return rewind.replay(retain, recipe, Session())


def test_a_replay_can_be_replayed_again_without_somebody_else(world, base, replayed):
    first = replayed().unlearned
    second = replayed(first, BERT)
    both = replayed(base, ADA, BERT)
    assert second.report["replay"]["digest"] == both.report["replay"]["digest"]
    assert equal(second.unlearned, both.unlearned)


def test_others_who_were_restricted_meanwhile_become_holes_too(world, base, replayed):
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(BERT), now=NOW
    )
    run = replayed()
    recording = told(run.unlearned)
    assert len(recording.holes) == len(world.owned(ADA, BERT))


def test_clean_states_pass_to_the_new_version_and_the_others_go_with_the_old(base, replayed):
    had = states(base)
    run = replayed()
    recording = told(run.unlearned)
    assert {each.key for each in recording.states} == states(run.unlearned)
    assert states(base) == had - states(run.unlearned)
    gone = versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    assert all(one.file_removed for one in gone)
    assert replayed(run.unlearned, BERT).status == "SUCCEEDED"


def test_bits_are_claimed_only_after_a_second_execution(base, replayed, settings, monkeypatch):
    assert replayed().report["replay"]["claim"] == "same_recipe"
    settings.EXPUNGE_REPLAY_TWICE = True

    def elsewhere(run, _limit):
        return [replace(one, process="another") for one in again.executed(str(run.pk))]

    monkeypatch.setattr(replaying, "elsewhere", elsewhere)
    said = replayed().report["replay"]
    assert (said["claim"], said["digest"]) == ("bit_exact", said["second_digest"])
    monkeypatch.setattr(
        replaying,
        "elsewhere",
        lambda *run: [replace(one, digest="other") for one in elsewhere(*run)],
    )
    said = replayed().report["replay"]
    assert said["claim"] == "same_recipe"
    assert "gave the digest other" in said["reason"]


def test_a_second_execution_that_fails_weakens_the_claim(base, replayed, settings, monkeypatch):
    settings.EXPUNGE_REPLAY_TWICE = True
    module = (sys.executable, "-m", "unlearning.no_such_module")
    monkeypatch.setattr("unlearning.execution.elsewhere.COMMAND", module)
    said = replayed().report["replay"]
    assert (said["claim"], said["second_digest"]) == ("same_recipe", None)
    assert said["reason"].startswith("The second execution did not come to its end")


def test_a_second_execution_that_takes_too_long_is_stopped_and_weakens_the_claim(
    base, replayed, settings, monkeypatch
):
    settings.EXPUNGE_REPLAY_TWICE = True
    monkeypatch.setattr("unlearning.execution.elsewhere.COMMAND", ("sh", "-c", "exec sleep 60"))
    monkeypatch.setattr("unlearning.execution.replaying.limit_of", lambda *_: 0.1)
    said = replayed().report["replay"]
    assert (said["claim"], said["second_digest"]) == ("same_recipe", None)
    assert said["reason"].startswith("The second execution was stopped after 0 seconds")


def test_an_altered_log_is_not_replayed(base, replayed):
    logs = HistoryFile.objects.filter(key__contains="/log/").order_by("key")
    one, two = (each.artefact for each in logs[:2])
    assert one.uri != two.uri
    Artefact.objects.filter(pk=one.pk).update(uri=two.uri, sha256=two.sha256)
    with pytest.raises(LogBroken):
        replayed()


def test_without_a_history_or_with_another_size_it_says_what_to_do(world, base, replayed):
    histories.discard(history=TrainingHistory.objects.get(version=base), now=NOW)
    with pytest.raises(replaying.NoRecording, match="retrain it from scratch"):
        replayed()
    other = trained(world, "other", ADA, BERT)
    history = TrainingHistory.objects.get(version=other)
    known = recording_of(bytes(history.account))
    assert known is not None
    changed = replace(known, size=known.size + 1)
    histories.keep_account(history=history, account=changed.to_json())
    with pytest.raises(NumbersUnclear, match="train it again from the start"):
        replayed(other)
