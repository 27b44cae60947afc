"""What a private training promised: written down as it ends, and for whom it holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from lineage.models import DataRecord, LineageEdge, LineageNode
from tests.audits.private_worlds import private
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW
from unlearning.core.order import Plan
from unlearning.core.private.accounting import Mechanism
from unlearning.execution.privacy import bound
from unlearning.models import TrainingHistory, TrainingPrivacy
from unlearning.recipes.digits import DigitsMLP

pytestmark = pytest.mark.django_db


def test_what_a_training_promised_each_person_is_written_down_as_it_ends(world):
    version = private(world, ADA, BERT, CLEO)
    kept = version.privacy
    assert (kept.people, kept.largest, kept.rate, kept.steps) == (3, 6, 6 / 18, 6)
    alone = Mechanism(noise=8.0, rate=6 / 18, steps=6, delta=1e-5)
    assert kept.epsilon == alone.epsilon()
    assert kept.epsilon < 1


def test_the_steps_of_a_plan_that_a_recipe_has_of_its_own_are_counted(world, monkeypatch):
    def longer(self, size, seed):
        return Plan(size=size, batch_size=9, epochs=5, seed=seed)

    monkeypatch.setattr(DigitsMLP, "plan", longer)
    kept = private(world, ADA, BERT, CLEO).privacy
    assert (kept.rate, kept.steps) == (9 / 18, 10)


def test_a_record_of_nobody_is_a_person_of_its_own(world):
    DataRecord.objects.filter(space=world.dataset.space, ordinal__in=world.owned(BERT)).update(
        subject=None
    )
    kept = private(world, ADA, BERT).privacy
    assert (kept.people, kept.largest) == (7, 6)


def test_two_trainings_with_one_seed_have_different_noise(world):
    digests = {private(world, ADA, BERT).artefacts.get(kind="WEIGHTS").sha256 for _ in range(2)}
    assert len(digests) == 2


def test_a_private_training_is_not_recorded_for_replay(world, settings):
    settings.EXPUNGE_REPLAY_EVERY = 1
    assert private(world, ADA, BERT).privacy
    assert not TrainingHistory.objects.exists()


def test_the_database_keeps_a_promise_as_it_is(world):
    kept = private(world, ADA, BERT).privacy
    for change in (
        lambda: TrainingPrivacy.objects.update(epsilon=0.0),
        kept.delete,
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_several_people_are_met_by_the_privacy_of_their_group(world):
    version = private(world, ADA, BERT, CLEO, DORA)
    space = world.dataset.space
    one: Any = bound(version, space, world.owned(ADA))
    both: Any = bound(version, space, world.owned(ADA, BERT))
    assert (one.people, both.people) == (1, 2)
    kept = version.privacy
    mechanism = Mechanism(noise=8.0, rate=kept.rate, steps=kept.steps, delta=1e-5)
    assert both.epsilon == mechanism.epsilon(2)
    assert both.epsilon > 2 * one.epsilon


def test_records_that_reached_it_otherwise_are_not_covered(world):
    version = private(world, ADA, BERT)
    said = bound(version, world.dataset.space, world.owned(ADA, CLEO))
    assert (
        said == "The records reached the version otherwise than through its own private training."
    )


@pytest.mark.parametrize("role", ["EARLY_STOPPING", "SCALER"])
def test_records_of_its_training_that_reached_it_another_way_too_are_not_covered(world, role):
    version = private(world, ADA, BERT, CLEO)
    space, ada = world.dataset.space, world.owned(ADA)
    assert not isinstance(bound(version, space, ada), str)
    other = (
        world.snapshot(ADA) if role == "EARLY_STOPPING" else world.bare("s", world.snapshot(ADA))
    )
    src, dst = (LineageNode.objects.get(object_id=one.pk) for one in (other, version))
    LineageEdge.objects.create(
        src=src, dst=dst, role=role, influence="INDIRECT", run=version.generated_by, valid_from=NOW
    )
    assert str(bound(version, space, ada)).startswith("The records reached the version otherwise")
    assert not isinstance(bound(version, space, world.owned(BERT)), str)
