"""What is made from the data before a step decides how far back a replay must go."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from tests.unlearning.replay.pairs import (
    PAIRS,
    RECORDS,
    SECRET,
    SIZE,
    Pair,
    late,
    trainer,
    without,
)
from unlearning.core.examples import Held, labels_of
from unlearning.core.order import Plan
from unlearning.core.phase import Phase
from unlearning.core.replay.engine import StateIncomplete
from unlearning.core.replay.review import check_log
from unlearning.core.replay.states import model_digest
from unlearning.core.session import Session
from unlearning.core.training import descend
from unlearning.core.weights import trainable


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, inputs):
        return inputs - self.mean


@dataclass(frozen=True, kw_only=True)
class Shifted(Pair):
    """Subtracts a mean that was fitted beforehand: to all digits, or to whole numbers."""

    coarse: bool = False

    def build(self):
        return nn.Sequential(Shift(), super().build())

    def prepare(self, model, examples):
        mean = examples.all()[0].mean()
        model[0].mean.copy_(mean.round() if self.coarse else mean)


def scratch(recipe, *holes: int) -> str:
    return model_digest(recipe.train(without(*holes), Session(seed=11)))


@pytest.mark.parametrize(("coarse", "first"), [(False, 0), (True, 9)])
def test_a_scaler_that_comes_out_differently_sends_the_replay_to_the_start(coarse, first):
    recipe = Shifted(coarse=coarse)
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes))
    assert after.recording.digest == scratch(recipe, *holes)
    assert after.execution.first == first
    assert {state.key for state in after.recording.states}.isdisjoint(
        state.key for state in origin.states
    ) is (first == 0)
    assert check_log(bench.store, after.recording, SECRET) == 24


def test_an_environment_that_nothing_is_left_of_does_not_count(monkeypatch):
    recipe = Shifted()
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    after = bench.replay("after", origin, without(*holes)).recording
    assert [each["MKL_CBWR"] for each in after.fingerprints] == ["COMPATIBLE"]
    kept = replace(origin, holes=()).rewound("other", holes)
    assert [each["MKL_CBWR"] for each in kept.fingerprints] == [""]


def test_a_scaler_fitted_on_all_records_is_noticed(monkeypatch):
    recipe = Shifted()
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    source = without(*holes)
    monkeypatch.setattr(source, "retained", lambda: Held(RECORDS))
    after = bench.replay("after", origin, source)
    assert after.execution.first == 9
    assert after.recording.digest != scratch(recipe, *holes)


@dataclass(frozen=True, kw_only=True)
class TwoPhases(Pair):
    """First some of the records, then a new last layer and all of them."""

    weighted: bool = False

    def _fit(self, model, examples, session):
        self._phase("early", model, examples, session, Plan(
            size=SIZE, batch_size=8, epochs=1, seed=session.seed, stages=((1, 60),)
        ))  # fmt: skip
        nn.init.normal_(model[-1].weight)  # draws from the global random state
        weight = labels_of(examples).bincount(minlength=10).float() if self.weighted else None
        plan = self.plan(SIZE, session.seed)
        self._phase("late", model, examples, session, plan, weight)
        return model

    def _phase(self, name, model, examples, session, plan, weight=None):
        def objective(inputs, targets):
            return nn.functional.cross_entropy(model(inputs), targets, weight)

        optimizer = self.optimizer(trainable(model))
        descend(
            model,
            examples,
            Phase(name=name, plan=plan, objective=objective, optimizer=optimizer),
            session,
        )


def last_of(recipe: Pair, low: int) -> int:
    """Return the record not below ``low`` that the second phase uses last in its first epoch."""
    order = [each for batch in recipe.plan(SIZE, 11).epoch(0) for each in batch]
    return [each for each in order if each >= low][-1]


@pytest.mark.parametrize(("weighted", "first"), [(False, 8 + 9), (True, 8)])
def test_a_phase_that_owes_nothing_to_a_record_is_not_gone_through(weighted, first):
    recipe = TwoPhases(network="mlp+dropout", trained_by="adam", weighted=weighted)
    bench, hole = trainer(recipe), last_of(recipe, 60)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(hole))
    assert origin.digest == scratch(recipe)
    assert origin.predicted([hole]).replay == after.recording.spent
    assert after.recording.digest == scratch(recipe, hole)
    assert after.execution.first == first


def test_a_phase_without_its_last_state_is_gone_through_again():
    recipe = TwoPhases(network="mlp+dropout", trained_by="adam")
    bench, hole = trainer(recipe), last_of(recipe, 60)
    origin = bench.record("origin", without()).recording
    kept = [(state.phase, state.step) for state in origin.states]
    assert kept[:4] == [(0, 3), (0, 6), (0, 8), (1, 3)]
    bench.store.delete(origin.states[2].key)
    after = bench.replay("after", origin, without(hole))
    assert after.execution.first == 6
    assert after.recording.digest == scratch(recipe, hole)


def test_a_record_of_the_first_phase_sends_the_replay_into_it():
    recipe = TwoPhases(trained_by="adam")
    bench = trainer(recipe, every=1)
    early = list(Plan(size=60, batch_size=8, epochs=1, seed=11).epoch(0))
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(early[5][0]))
    assert after.execution.first == 5
    assert after.recording.digest == scratch(recipe, early[5][0])


@dataclass(frozen=True, kw_only=True)
class Averaged(Pair):
    """Gives the moving average of its weights, which it may forget to declare."""

    declared: bool = True

    def _fit(self, model, examples, session):
        average = deepcopy(model).requires_grad_(requires_grad=False)

        def observe(trained):
            for mean, weight in zip(average.parameters(), trained.parameters(), strict=True):
                mean.lerp_(weight.detach(), 0.2)

        def objective(inputs, targets):
            return self.loss(model(inputs), targets)

        phase = Phase(
            name="train",
            plan=self.plan(SIZE, session.seed),
            objective=objective,
            optimizer=self.optimizer(trainable(model)),
            observe=observe,
        )
        if self.declared:
            phase = replace(phase, companions={"average": average})
        descend(model, examples, phase, session)
        return average


def test_a_declared_average_is_a_part_of_the_states():
    recipe = Averaged()
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes))
    assert after.execution.first == 9
    assert after.recording.digest == scratch(recipe, *holes)
    bench.rehearse(origin, without())


def test_an_average_that_is_not_declared_is_noticed_by_a_rehearsal():
    recipe = Averaged(declared=False)
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    assert bench.replay("after", origin, without(*holes)).recording.digest != scratch(
        recipe, *holes
    )
    with pytest.raises(StateIncomplete, match=r"^Taken up from its last state but one, Pair gave"):
        bench.rehearse(origin, without())


@pytest.mark.parametrize("recipe", PAIRS, ids=repr)
def test_a_rehearsal_leaves_nothing_behind(recipe):
    bench = trainer(recipe)
    origin = bench.record("origin", without()).recording
    before = bench.store.list()
    bench.rehearse(origin, without())
    assert bench.store.list() == before
