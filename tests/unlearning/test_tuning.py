"""Hyperparameters are searched on proxy problems, and a search that was stopped goes on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils.data import ConcatDataset, TensorDataset

from tests.unlearning.toys import equal
from unlearning.core.catalogue import registry
from unlearning.core.claims import NotEligible
from unlearning.core.comparison import Sets, accuracies
from unlearning.core.examples import Held
from unlearning.core.indiscernibility import indiscernibility
from unlearning.core.problem import Problem, attacked, score, unlearn
from unlearning.core.proxy import proxy_problem
from unlearning.core.proxy_people import TooFewToTune, forgotten
from unlearning.core.ranges import hyperparameters
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU, Session
from unlearning.core.training import LossNotFinite
from unlearning.core.tuning import (
    EPOCHS,
    PARTS,
    NothingFound,
    best,
    bounds,
    distributions,
    new_study,
    search,
    settled,
)
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
@pytest.mark.parametrize("epochs", [10, 30])
def test_every_declared_range_can_be_searched(problem, name, epochs):
    cls = registry().get(name)
    most = bounds(cls, replace(problem, recipe=replace(RECIPE, epochs=epochs)))
    searched = [one for one in hyperparameters(cls) if not one.optional]
    study, space = new_study(name, seed=1), distributions(cls, most)
    for _ in range(40):
        numbers = settled(cls, study.ask(space).params, most)
        assert set(numbers) == {one.name for one in searched}
        for one in searched:
            assert numbers[one.name] in one.allowed
            assert isinstance(numbers[one.name], one.kind)
            assert space[one.name]._contains(space[one.name].to_internal_repr(numbers[one.name]))
        cls(**numbers)  # accepts them
        counted = {name: at for name, at in numbers.items() if name in (*EPOCHS, *PARTS)}
        fewest = 3 if name == "rni" else 1
        assert all(at <= max(fewest, epochs // 5) for at in counted.values())


@pytest.mark.parametrize("name", ["scrub", "rni", "l1_sparse"])
def test_nearly_all_trials_of_a_method_with_parts_of_its_epochs_end(problem, name):
    study = new_study(name, seed=0)
    search(registry().get(name), [problem], study, trials=4)
    found = best(study)
    assert found.completed == 4
    # A step too small leaves SCRUB's student where the teacher is, which is a failure of its own.
    assert found.failed <= (2 * found.completed if name == "scrub" else 0)
    registry().get(name)(**found.hyperparameters)  # accepts them


def test_a_setting_gives_way_no_more_than_it_must():
    scrub, rni = registry().get("scrub"), registry().get("rni")
    most = {"epochs": 6, "msteps": 6}
    assert settled(scrub, {"epochs": 3, "msteps": 5}, most) == {"epochs": 3, "msteps": 3}
    assert settled(scrub, {"epochs": 3, "msteps": 2}, most) == {"epochs": 3, "msteps": 2}
    drawn_, given = {"epochs": 2, "fine_epochs": 4, "reset_epochs": 1}, {"epochs": 6}
    assert settled(rni, drawn_, given) == {"epochs": 3, "fine_epochs": 1, "reset_epochs": 1}
    assert settled(scrub, {"epochs": 1, "msteps": 2, "gamma": 0, "alpha": 0}, most)["epochs"] == 6


def test_weight_decay_is_searched_on_a_log_scale_and_may_still_be_nothing():
    space: Any = distributions(Finetune, {})["weight_decay"]
    assert (space.low, space.high, space.log) == (1e-5, 1e-1, True)
    assert Finetune(weight_decay=0).weight_decay == 0


def test_batch_sizes_are_powers_of_two_whatever_they_are_called():
    space: Any = distributions(registry().get("scrub"), {})
    assert space["retain_batch_size"] == space["forget_batch_size"]
    assert space["retain_batch_size"].choices == (32, 64, 128, 256)


def test_a_number_that_may_be_left_out_keeps_its_default():
    optional = {one.name for one in hyperparameters(GradientAscent) if one.optional}
    assert optional
    assert optional.isdisjoint(distributions(GradientAscent, {}))


def numbered(size: int) -> TensorDataset:
    """Records whose first pixel tells which of them it is."""
    inputs, labels = drawn(size, 7).all()
    inputs[:, 0, 0, 0] = torch.arange(size) / size
    return TensorDataset(inputs, labels)


def test_a_proxy_forgets_what_it_is_told_and_judges_with_what_it_never_trained_on():
    problem = proxy_problem(RECIPE, numbered(240), range(20, 40), Session(seed=3))
    sets = problem.sets
    parts = [
        (each.all()[0][:, 0, 0, 0] * 240).round().int().tolist()
        for each in (sets.forget, sets.retain, sets.validation, sets.test, problem.calibration)
    ]
    assert parts[0] == list(range(20, 40))
    assert sorted(at for part in parts for at in part) == list(range(240))
    again = proxy_problem(RECIPE, numbered(240), range(20, 40), Session(seed=3))
    assert equal(problem.original, again.original)


def test_a_method_that_renews_weights_does_not_draw_those_of_the_retrained_model():
    problem = proxy_problem(RECIPE, numbered(240), range(20), Session(seed=3))
    with isolated(3, CPU):
        begun = RECIPE.build()
    with isolated(problem.seed, CPU):
        renewed = RECIPE.build()
    assert not equal(begun, renewed)
    retrained = RECIPE.train(problem.sets.retain, Session(seed=3))
    assert score(problem, retrained).objectives(problem) == (0, 0, 0, 0)


def test_whole_people_are_forgotten_and_the_seed_decides_whom():
    owners = {at: at // 4 if at < 100 else None for at in range(300)}
    found = forgotten(owners, seed=1)
    assert len(found) == round(0.07 * 300)
    people = {at // 4 for at in found if at < 100}
    assert [at for at in found if at < 100] == sorted(
        4 * one + each for one in people for each in range(4)
    )
    assert found == forgotten(dict(reversed(owners.items())), seed=1) != forgotten(owners, seed=2)


@pytest.mark.parametrize(
    ("owners", "sentence"),
    [
        (dict.fromkeys(range(199)), "has 199 usable records; tuning needs at least 200"),
        ({at: at % 3 for at in range(300)}, "belong to so few people that none"),
    ],
)
def test_too_few_records_or_people_are_said_to_be_too_few(owners, sentence):
    with pytest.raises(TooFewToTune, match=sentence):
        forgotten(owners, seed=1)
