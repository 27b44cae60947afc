"""What a job trains and stores, and what is loaded of it."""

from __future__ import annotations

import uuid

import pytest
import torch

from lineage.models import ModelVersion, Run
from lineage.queries.sources import learned_by
from lineage.services import restriction, versions
from tests.audits.world import ADA, BERT, CLEO, MLP, NOW, TUNED
from tests.unlearning.execution.jobs import claimed, equal, wanted
from unlearning.core.recipe import Recipe
from unlearning.execution import running, training
from unlearning.execution.device import NoDevice
from unlearning.execution.loading import NoRecipe, TargetDestroyed, load_version, recipe_of

pytestmark = pytest.mark.django_db

# --- training ---------------------------------------------------------------------------------


def test_a_training_is_captured_with_recipe_seed_environment_and_members(world, base):
    run = base.generated_by
    assert (run.state, run.capture_level, run.activity, run.seed) == (
        "COMPLETE",
        "SAMPLER",
        "TRAIN",
        3,
    )
    assert (run.recipe, run.recipe_digest) == (MLP, recipe_of(base).digest())
    assert run.environment["torch"]["version"] == torch.__version__
    assert learned_by(base, world.dataset.space) == world.owned(ADA, BERT, CLEO)


@pytest.fixture
def heard(settings, monkeypatch):
    """Allow mixed precision, and return the sessions in which models are trained."""
    settings.EXPUNGE_DEVICE, settings.EXPUNGE_MIXED_PRECISION = "auto", True
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    sessions, train = [], Recipe.train

    def listening(recipe, examples, session):
        sessions.append(session)
        return train(recipe, examples, session)

    monkeypatch.setattr(Recipe, "train", listening)
    return sessions


def test_trainings_and_runs_are_placed_as_the_installation_says(world, queue, heard):
    version = world.train("placed", world.snapshot(ADA, BERT, CLEO))
    assert version.generated_by.environment["device"] == "cpu"
    assert version.generated_by.environment["mixed_precision"] is False
    running.execute_run(queue("retrain")[1])
    assert [(each.device.type, each.amp) for each in heard] == [("cpu", True)] * 2


def test_a_training_on_a_device_that_is_not_there_fails_and_says_so(world, settings, monkeypatch):
    settings.EXPUNGE_DEVICE = "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    job = claimed("TRAIN", uuid.uuid4(), **wanted(world.snapshot(BERT)))
    with pytest.raises(NoDevice, match=r"^EXPUNGE_DEVICE is cuda"):
        training.train_version(job)
    assert not Run.objects.exists()


def test_a_training_is_reproducible(world, base):
    assert equal(base, world.train("again", world.snapshot(ADA, BERT, CLEO)))
    assert not equal(base, world.train("other", world.snapshot(ADA, BERT, CLEO), seed=4))


def test_a_training_does_not_see_restricted_records(world):
    snapshot = world.snapshot(ADA, BERT)
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(ADA), now=NOW
    )
    version = world.train("model", snapshot)
    assert learned_by(version, world.dataset.space) == world.owned(BERT)
    assert equal(version, world.train("apart", world.snapshot(BERT)))


def test_a_training_that_died_after_its_version_is_not_done_again(world):
    job = claimed("TRAIN", uuid.uuid4(), **wanted(world.snapshot(BERT)))
    training.train_version(job)
    training.train_version(job)
    assert ModelVersion.objects.count() == Run.objects.count() == 1


def test_a_fine_tuned_version_is_a_child_of_its_base(world, base):
    job = claimed(
        "TRAIN",
        uuid.uuid4(),
        **wanted(world.snapshot(BERT), recipe=TUNED, base=str(base.pk)),
    )
    training.train_version(job)
    child = ModelVersion.objects.get(model_name="model")
    assert child.generated_by.activity == "FINE_TUNE"
    roles = child.generated_by.inputs.values_list("role", flat=True)
    assert sorted(roles) == ["BASE_MODEL", "TRAINING"]
    assert child in world.touched(world.owned(ADA))


# --- loading ----------------------------------------------------------------------------------


def test_a_version_without_a_recipe_says_what_can_be_done(world):
    bare = world.bare("bare", world.snapshot(BERT))
    with pytest.raises(NoRecipe, match=r"without a recipe\. Destroy it, or train it again"):
        recipe_of(bare)


def test_a_destroyed_version_is_not_loaded(base):
    versions.destroy_version(version=base, by_case=uuid.uuid4(), now=NOW)
    base.refresh_from_db()
    with pytest.raises(TargetDestroyed, match="base v1 was destroyed; there is nothing left"):
        load_version(base)


def test_loading_leaves_the_random_state_alone(base):
    before = torch.get_rng_state()
    load_version(base)
    assert torch.equal(before, torch.get_rng_state())
