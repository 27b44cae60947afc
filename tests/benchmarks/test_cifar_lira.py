"""The attack on CIFAR-10: nothing is told where there is nothing, and what is there is told."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from audits.core.design import TwinDesign
from benchmarks import cifar_attack, cifar_lira
from benchmarks.cifar_attack import (
    ATTACKS,
    MAIN,
    TooFewShadows,
    attacked,
    control,
    leave_one_out,
)
from benchmarks.cifar_lira import OddShadows, Sizes, measure
from benchmarks.cifar_models import ChannelsLast, Place
from benchmarks.cifar_unlearning import METHODS, Experiment, shadow_rows
from benchmarks.unlearning_cells import CLASSES

if TYPE_CHECKING:
    from audits.core.attack import Observations

MODELS, IMAGES = 8, 400


@pytest.fixture
def made_up():
    """Margins [8, 400, 2] whose records differ widely, and who learned what."""
    rng = np.random.default_rng(1)
    difficulty = rng.normal(scale=3, size=(IMAGES, 1))
    margins = difficulty + rng.normal(size=(MODELS, IMAGES, 2))
    return margins, rng.random((MODELS, IMAGES)).argsort(0) < MODELS // 2


def test_equal_models_cannot_be_told_apart_by_leaving_one_out(made_up):
    margins, learned = made_up
    found, _ = attacked(margins, learned, margins, seed=0)
    for name in ATTACKS:
        assert found[name]["pooled"]["auc"] == pytest.approx(0.5, abs=0.035), name


def test_learned_records_are_told_and_better_than_by_one_threshold(made_up):
    margins, learned = made_up
    found, alone = attacked(margins + 2 * learned[..., None], learned, margins, seed=0)
    main, plain = (found[name]["pooled"] for name in (MAIN, "global_threshold"))
    assert main["auc"] > 0.85
    assert plain["auc"] < 0.75
    low, high = main["tpr_at_1_percent_interval"]
    assert low < main["tpr_at_1_percent"] < high
    assert main["tpr_at_1_percent"] > 5 * plain["tpr_at_1_percent"]
    assert len(alone) == MODELS


def test_the_answers_of_the_attacked_model_do_not_reach_its_references(made_up, monkeypatch):
    """Whatever model 3 says, its own references are the same, and all of others."""
    margins, learned = made_up
    seen: list[Observations] = []

    def score(given: Observations) -> np.ndarray:
        seen.append(given)
        return np.zeros(IMAGES)

    monkeypatch.setattr(cifar_attack, "ATTACKS", {MAIN: SimpleNamespace(score=score)})
    margins[3] = 1e9
    leave_one_out(margins, learned, margins, seed=0)
    arms = [[each for each in (one.learned, one.never_saw) if each] for one in seen]
    assert {len(each.margins) for pair in arms for each in pair} == {3}
    highest = [max(each.margins.max() for each in pair) for pair in arms]
    assert highest[3] < 100
    assert highest[0] == 1e9


def test_membership_that_was_made_up_is_not_told(made_up):
    margins, _ = made_up
    assert control(margins, seed=0)[MAIN]["pooled"]["auc"] == pytest.approx(0.5, abs=0.035)


def test_too_few_models_are_refused_with_their_number(made_up):
    margins, learned = made_up
    with pytest.raises(TooFewShadows, match="has 1 models of an arm"):
        attacked(margins[:4], np.arange(4)[:, None] < np.full(IMAGES, 2), margins[:4], seed=0)
    assert learned.shape == (MODELS, IMAGES)


@pytest.mark.parametrize("shadows", [4, 7])
def test_half_of_the_models_must_be_able_to_learn_a_record(tmp_path, shadows):
    with pytest.raises(OddShadows, match=f"--shadows is {shadows}; it must be even"):
        measure(data_root=tmp_path, shadows=shadows)


@pytest.fixture
def pictures(tmp_path):
    """A folder of images that was decoded before: 120 of training, 40 of test, in ten classes."""
    for part, size in (("train", 120), ("test", 40)):
        (tmp_path / part).mkdir()
        rng = np.random.default_rng(size)
        images = rng.integers(0, 255, (size, 32, 32, 3), dtype=np.uint8)
        np.savez(tmp_path / f"{part}.npz", images=images, labels=np.arange(size) % 10)
    return tmp_path


def test_the_quick_form_trains_and_keeps_what_it_attacks(pictures, monkeypatch):
    small = Sizes(
        most=80,
        architecture="thin_resnet",
        width=1,
        retained=40,
        forgotten=2,
        looks=(6,),
        tested=20,
        most_shadows=6,
        most_epochs=1,
    )
    monkeypatch.setattr(cifar_lira.Sizes, "quick", lambda: small)
    kept = pictures / "margins.npz"
    found = measure(quick=True, data_root=pictures, margins=kept)
    lira = found["lira"]
    assert (lira["models"], lira["images"]) == (6, 80)
    assert set(lira["attacks"]) == set(lira["control_on_test_images"]) == set(ATTACKS)
    assert sum(lira["images_of_a_model"]) == 6 * 80 / 2
    monkeypatch.setattr(cifar_lira, "_answers", None)
    again = measure(quick=True, data_root=pictures, margins=kept)["lira"]
    assert again["attacks"] == lira["attacks"]
    json.dumps(found, allow_nan=False)


def test_no_model_is_begun_when_the_time_is_over(pictures, monkeypatch):
    small = Sizes(most=80, architecture="thin_resnet", width=1, retained=40, forgotten=2)
    monkeypatch.setattr(cifar_lira.Sizes, "quick", lambda: small)
    found = measure(quick=True, data_root=pictures, part="unlearning", seconds=-1)
    assert (found["unlearning"]["models"], found["unlearning"]["methods"]) == (0, {})


def test_one_training_serves_every_way_to_erase(pictures):
    recipe = ChannelsLast(targets=CLASSES, architecture="thin_resnet", width=1, epochs=1)
    experiment = Experiment(
        place=Place(root=pictures, device="cpu"),
        recipe=recipe,
        design=TwinDesign(seed=1, looks=(6,), canaries=8),
        retained=40,
        forgotten=2,
        tested=20,
        until=time.monotonic() + 60,
    )
    found = shadow_rows((experiment, 0))
    assert found is not None
    rows = found.rows
    assert set(rows) == set(METHODS)
    for row in rows.values():
        np.testing.assert_array_equal(row.before, rows["nothing"].before)
    changed = {name for name, row in rows.items() if (row.after != row.before).any()}
    assert changed == set(METHODS) - {"nothing"}
