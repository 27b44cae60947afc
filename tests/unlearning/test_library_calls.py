"""What a notebook calls does what the platform's own calls do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, TensorDataset

from lineage.core.registry import UnknownName
from tests.unlearning.toys import Toy
from unlearning.core.context import Context
from unlearning.core.examples import Examples, count
from unlearning.core.method import EmptySet
from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import NoExamples
from unlearning.core.replay.states import model_digest
from unlearning.core.seeding import derive
from unlearning.core.session import Session
from unlearning.library import (
    Experiment,
    NoSuchRecord,
    SetsOverlap,
    UnknownSetting,
    decoded,
    method_named,
    methods,
    quiet,
)
from unlearning.methods.finetune import Finetune
from unlearning.recipes.digits import DigitsMLP, digit_records

RECIPE = Toy()


def examples(size: int = 40) -> TensorDataset:
    draw = torch.Generator().manual_seed(5)
    return TensorDataset(torch.randn(size, 4, generator=draw), torch.arange(size) % 3)


def case(progress=quiet) -> Experiment:
    return Experiment.of(
        RECIPE, examples(), forget=[3, 1], unseen=range(30, 40), seed=4, progress=progress
    )


def test_the_sets_are_parted_by_number_and_what_is_not_named_stays():
    found = case()
    assert [*map(count, (found.retain, found.forget, found.unseen))] == [28, 2, 10]
    assert torch.equal(found.forget[0][0], examples()[3][0])
    with pytest.raises(SetsOverlap, match=r"^Record 4 and 1 more are in forget and in unseen"):
        Experiment.of(RECIPE, examples(), forget=range(6), unseen=range(4, 9))


def test_numbers_that_come_as_a_tensor_or_array_part_the_sets_alike():
    for numbers in (torch.tensor([3, 1]), np.array([3, 1])):
        found = Experiment.of(RECIPE, examples(), forget=numbers)
        assert [*map(count, (found.retain, found.forget))] == [38, 2]
        assert torch.equal(found.forget[1][0], examples()[1][0])


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        (
            [2, -1],
            r"has -1; allowed are whole numbers in range\(40\), which number the examples\.$",
        ),
        ([40], r"has 40; allowed are whole numbers in range\(40\)"),
        ([1.0], r"has 1\.0; allowed are whole numbers"),
        (["1"], r"has '1'; allowed are whole numbers"),
        ([5, 7, 5], r"has 5 twice; allowed is each number once\.$"),
    ],
)
@pytest.mark.parametrize("name", ["forget", "unseen"])
def test_numbers_of_no_record_and_doubles_are_refused(name, numbers, sentence):
    with pytest.raises(NoSuchRecord, match=f"^{name} {sentence}"):
        Experiment.of(RECIPE, examples(), **{"forget": [0], name: numbers})


def test_a_training_is_that_of_the_recipe():
    found = case()
    learned: Examples = ConcatDataset([found.retain, found.forget])
    same = RECIPE.train(learned, Session(seed=4))
    assert model_digest(found.train()) == model_digest(same)
    without = RECIPE.train(found.retain, Session(seed=4))
    assert model_digest(found.retrain()) == model_digest(without) != model_digest(same)


def test_a_method_is_called_by_name_with_its_settings():
    found = case()
    original = found.train()
    before = model_digest(original)
    unlearned = found.unlearn("finetune", original, epochs=2)
    context = Context(recipe=RECIPE, seed=derive(4, "unlearn", "finetune") % 2**31)
    same = Finetune(epochs=2).unlearn(original, found.retain, found.forget, context)
    assert model_digest(unlearned.model) == model_digest(same) != before
    assert model_digest(original) == before
    assert unlearned.report.hyperparameters["epochs"] == 2


def test_an_unlearning_does_not_begin_with_the_weights_of_the_retrained_model():
    found = case()
    renewed = found.unlearn("retrain", found.train()).model
    assert model_digest(renewed) != model_digest(found.retrain())
    assert model_digest(renewed) == model_digest(found.unlearn("retrain", found.train()).model)


def test_names_and_settings_that_there_are_not_are_refused_in_a_sentence():
    assert method_named("finetune") == Finetune()
    assert "finetune" in methods()
    with pytest.raises(UnknownName, match=r"has no 'amnesia'; it has amnesiac, amun"):
        method_named("amnesia")
    with pytest.raises(UnknownSetting, match=r"^finetune has no setting depth; it has learning_"):
        method_named("finetune", depth=3)
    with pytest.raises(OutOfRange, match=r"epochs is 0"):
        method_named("finetune", epochs=0)


def test_a_method_that_reads_validation_data_is_refused_without_and_runs_with_it():
    found = case()
    original = found.train()
    with pytest.raises(EmptySet, match=r"reads the validation set, and it is empty"):
        found.unlearn("scrub_rewind", original)
    given = replace(found, validation=found.unseen)
    assert given.unlearn("scrub_rewind", original).report.read == (
        "retain",
        "forget",
        "validation",
    )


def test_progress_is_heard_of_training_and_unlearning():
    heard: list[tuple[str, int, int]] = []
    found = case(progress=lambda *told: heard.append(told))
    found.unlearn("finetune", found.train(), epochs=1)
    assert {phase for phase, _, _ in heard} >= {"train", "fine-tune"}
    assert all(0 <= done <= total for _, done, total in heard)


def test_stored_records_become_tensors_and_accuracy_is_a_share():
    recipe = DigitsMLP(hidden=8, epochs=1)
    stored = list(digit_records())[:12]
    inputs, targets = decoded(recipe, stored)[:]
    assert inputs.shape == (12, 1, 8, 8)
    assert targets.tolist() == [int(target) for _, target in stored]
    measured = replace(case(), recipe=recipe)
    model = recipe.build()
    right = (model(inputs).argmax(1) == targets).double().mean()
    assert measured.accuracy(model, TensorDataset(inputs, targets)) == pytest.approx(float(right))


def test_sets_without_a_record_are_refused_by_name():
    with pytest.raises(NoExamples, match=r"^records is empty; give at least one pair"):
        decoded(DigitsMLP(), [])
    found = Experiment.of(RECIPE, examples(), forget=[1])
    with pytest.raises(NoExamples, match=r"^examples is empty, so no share of it is right"):
        found.accuracy(RECIPE.build(), found.unseen)
