"""What a training has left goes with whom it learned from."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from audits.services import closing
from lineage.models import Job, ModelVersion
from lineage.services import jobs, restriction
from tests.audits.world import ADA, BERT, CLEO, NOW
from tests.unlearning.execution.jobs import wanted
from tests.unlearning.histories.keeping import STEPS, told, trained
from unlearning.execution import training
from unlearning.models import HistoryFile, TrainingHistory
from unlearning.queries import histories as kept
from unlearning.services import histories

pytestmark = pytest.mark.django_db


def unfinished(world, *people: str):
    """A training that died after its first state, and may be tried again."""
    job = jobs.create_job(
        key=f"x:{uuid.uuid4()}", kind="TRAIN", queue="heavy", payload_id=uuid.uuid4(), now=NOW
    )
    history = histories.begin(
        name=str(job.pk),
        job=job,
        space=world.dataset.space,
        ordinals=world.owned(*people),
        now=NOW,
    )
    histories.keep_file(history=history, key=f"{job.pk}/states/0", data=b"of a person", now=NOW)
    return job


def test_what_a_training_that_will_not_go_on_has_left_is_destroyed(world, base):
    job = unfinished(world, ADA)
    assert histories.discard_unfinished(records={}, now=NOW) == 0
    Job.objects.filter(pk=job.pk).update(status="FAILED")
    assert histories.discard_unfinished(records={}, now=NOW) == 1
    assert kept.keys(str(job.pk)) == []
    assert TrainingHistory.objects.get().version == base


def test_what_a_training_has_left_that_may_go_on_goes_with_whom_it_learned_from(world):
    case = world.erased()
    job, stays = unfinished(world, ADA, BERT), unfinished(world, BERT)
    closing.destroy_superseded(request=case, now=NOW)
    assert (kept.keys(str(job.pk)), len(kept.keys(str(stays.pk)))) == ([], 1)


def test_the_sweep_finds_what_came_back_with_a_backup(world):
    world.erased()
    job = unfinished(world, ADA, BERT)
    histories.discard_unfinished(records=kept.erased_in_unfinished(), now=NOW)
    assert kept.keys(str(job.pk)) == []


def test_a_training_whose_record_was_restricted_since_its_first_try_begins_anew(
    world, monkeypatch
):
    job = jobs.create_job(
        key="t",
        kind="TRAIN",
        queue="heavy",
        payload_id=uuid.uuid4(),
        parameters=wanted(world.snapshot(ADA, BERT, CLEO), recipe_parameters=STEPS),
        now=NOW,
    )
    claimed = jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))
    with monkeypatch.context() as patched:
        patched.setattr("expunge.capture.Captured.finish", _dies)
        with pytest.raises(RuntimeError, match="the machine went down"):
            training.train_version(claimed)
    assert kept.keys(str(job.pk))
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(ADA), now=NOW
    )
    training.train_version(claimed)
    version = ModelVersion.objects.get(model_name="model")
    assert told(version).size == len(world.owned(BERT, CLEO))
    assert (
        HistoryFile.objects.count() == HistoryFile.objects.filter(history__version=version).count()
    )


def _dies(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the machine went down")


def test_the_account_goes_with_the_version(world, settings):
    settings.EXPUNGE_METHOD = "retrain"
    version = trained(world, "model", ADA, BERT)
    assert kept.account_of(version)
    world.erased()
    assert kept.account_of(version) == b""
    assert not HistoryFile.objects.filter(artefact__destroyed_at__isnull=False).exists()
