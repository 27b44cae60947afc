"""Hyperparameters are searched on proxy problems, and a search that was stopped goes on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, TensorDataset

from unlearning.core.catalogue import registry
from unlearning.core.claims import NotEligible
from unlearning.core.comparison import Sets, accuracies
from unlearning.core.examples import Held
from unlearning.core.indiscernibility import indiscernibility
from unlearning.core.problem import Problem, attacked, score, unlearn
from unlearning.core.ranges import hyperparameters
from unlearning.core.session import Session
from unlearning.core.training import LossNotFinite
from unlearning.core.tuning import NothingFound, best, bounds, distributions, new_study, search
from unlearning.methods.eu_k import ExactUnlearningLastBlocks
from unlearning.methods.finetune import Finetune
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.recipes.digits import DigitsMLP

RECIPE = DigitsMLP(targets=("0", "1"), hidden=4, epochs=10)


def drawn(size: int, seed: int) -> Held:
    """Two classes that overlap, as digits would lie."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(size) % 2
    inputs = torch.randn(size, 1, 8, 8, generator=generator) + 0.3 * labels[:, None, None, None]
    return Held(TensorDataset(inputs, labels))


@pytest.fixture(scope="module")
def problem() -> Problem:
    sets = Sets(
        retain=drawn(60, 1), forget=drawn(20, 2), validation=drawn(20, 3), test=drawn(40, 4)
    )
    original = RECIPE.train(ConcatDataset([sets.retain, sets.forget]), Session(seed=1))
    retrained = RECIPE.train(sets.retain, Session(seed=1))
    return Problem(
        recipe=RECIPE,
        original=original,
        sets=sets,
        retrained=accuracies(RECIPE, retrained, sets),
        chance=indiscernibility(attacked(RECIPE, retrained, sets, 1)),
        calibration=drawn(20, 5),
        seed=1,
    )


def test_the_retrained_model_is_what_all_objectives_aim_at(problem):
    retrained = RECIPE.train(problem.sets.retain, Session(seed=1))
    found = score(problem, retrained)
    assert found.ret_dev == 0
    assert found.objectives(problem) == (0, 0, 0, 0)
    assert score(problem, problem.original).objectives(problem)[1] > 0


def test_a_search_finds_the_setting_with_the_smallest_norm(problem):
    study = new_study("finetune", seed=0)
    search(Finetune, [problem], study, trials=4)
    found = best(study)
    assert found.completed == len(study.trials) == 4
    norms = [math.hypot(*trial.values) for trial in study.trials]
    assert study.trials[found.trial].params == found.hyperparameters
    assert math.hypot(*found.objectives.values()) == min(norms)
    numbers: Any = found.hyperparameters
    again = score(problem, unlearn(problem, Finetune(**numbers), {}).model)
    assert again.objectives(problem) == tuple(study.trials[found.trial].values)


def test_a_search_that_was_stopped_goes_on_where_it_was(problem, tmp_path):
    storage = f"sqlite:///{tmp_path / 'study.sqlite3'}"
    search(Finetune, [problem], new_study("one", seed=0, storage=storage), trials=2)
    ended: list[int] = []
    study = new_study("one", seed=0, storage=storage)
    search(Finetune, [problem], study, trials=3, ended=lambda trial: ended.append(trial.number))
    assert (best(study).completed, ended) == (3, [2])


def test_a_search_stops_when_others_have_done_the_rest(problem):
    study = new_study("shared", seed=0)
    search(Finetune, [problem], study, trials=9, ended=lambda trial: trial.number == 1)
    assert len(study.trials) == 2


def test_equal_problems_have_the_objectives_of_one(problem):
    study = new_study("two", seed=0)
    search(Finetune, [problem, problem], study, trials=1)
    alone = new_study("alone", seed=0)
    search(Finetune, [problem], alone, trials=1)
    assert study.trials[0].values == alone.trials[0].values


def test_no_more_blocks_are_searched_than_the_model_has(problem):
    assert bounds(ExactUnlearningLastBlocks, problem) == {"epochs": 2, "k": 1}
    study = new_study("eu_k", seed=0)
    search(ExactUnlearningLastBlocks, [problem], study, trials=2)
    found = best(study)
    assert (found.hyperparameters["k"], found.failed) == (1, 0)


def test_a_setting_that_runs_away_counts_as_failed(problem, monkeypatch):
    runs = iter([LossNotFinite("away"), None])
    apply: Any = Finetune._unlearn

    def sometimes(*given: Any) -> Any:  # noqa: ANN401  (passed on)
        if failure := next(runs, None):
            raise failure
        return apply(*given)

    monkeypatch.setattr(Finetune, "_unlearn", sometimes)
    study = new_study("away", seed=0)
    search(Finetune, [problem], study, trials=2)
    found = best(study)
    assert (found.completed, found.failed) == (2, 1)


def test_a_search_in_which_everything_fails_ends(problem, monkeypatch):
    monkeypatch.setattr(Finetune, "eligible", lambda *_: None)
    monkeypatch.setattr(
        Finetune, "_unlearn", lambda *_: (_ for _ in ()).throw(NotEligible("never"))
    )
    study = new_study("never", seed=0)
    search(Finetune, [problem], study, trials=2)
    assert len(study.trials) == 20
    with pytest.raises(NothingFound, match="No trial of never"):
        best(study)


@pytest.mark.parametrize("name", registry().names())
def test_every_declared_range_can_be_searched(name):
    cls = registry().get(name)
    searched = [one for one in hyperparameters(cls) if not one.optional]
    study, space = new_study(name, seed=1), distributions(cls, {"epochs": 2})
    for _ in range(5):
        numbers = study.ask(space).params
        assert set(numbers) == {one.name for one in searched}
        for one in searched:
            assert numbers[one.name] in one.allowed
            assert isinstance(numbers[one.name], one.kind)
        assert numbers.get("epochs", 1) <= 2


def test_a_number_that_may_be_left_out_keeps_its_default():
    optional = {one.name for one in hyperparameters(GradientAscent) if one.optional}
    assert optional
    assert optional.isdisjoint(distributions(GradientAscent, {}))
