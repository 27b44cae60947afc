"""The records that a job trains on again, and those that it leaves out."""

from __future__ import annotations

import uuid

import pytest

from lineage.models import DatasetSnapshot
from lineage.queries.sources import NoTrainingSnapshot, learned_by, training_snapshot
from lineage.queries.training_view import training_view
from lineage.services import restriction
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits.world import ADA, BERT, CLEO, NOW
from unlearning.execution.loading import forget_snapshot, retain_snapshot

pytestmark = pytest.mark.django_db


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
