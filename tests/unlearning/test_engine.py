"""Which way to train is chosen by trial, and only between ways with one result."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
import torch

from tests.unlearning.test_stacked import PARTS, POOL
from tests.unlearning.toys import Plain, Toy
from unlearning.core.engine import STEPS, Path, choose_engine, trial_clock
from unlearning.core.session import CPU, Cancelled, Session
from unlearning.core.stacked import Stack


class Branch(torch.nn.Module):
    """What it does depends on what it is given, which vmap refuses."""

    def forward(self, inputs):
        return inputs if inputs.sum().item() > 0 else -inputs


@dataclass(frozen=True, kw_only=True)
class Branching(Plain):
    """Looks like any other recipe from outside."""

    def build(self):
        return torch.nn.Sequential(Branch(), super().build())


class Trial:
    """A session whose time passes only at a step: so long for each, either way."""

    def __init__(self, *, alone=0.01, together=0.02) -> None:
        self.now = 0.0
        self.steps: list[str] = []
        self.seconds = {"train": alone, "trial": together}

    def progress(self, phase, _done, _total):
        self.now += self.seconds[phase]
        self.steps.append(phase)

    def choose(self, recipe, *, stop=False):
        session = Session(clock=lambda: self.now, progress=self.progress, cancelled=lambda: stop)
        return choose_engine(recipe, POOL, PARTS, session)


LONG = Plain(epochs=100)  # 400 steps of the longest part, 1,300 in all


def test_a_stack_is_chosen_where_it_is_quicker():
    trial = Trial(alone=0.01, together=0.02)
    found = trial.choose(LONG)
    assert found.path is Path.STACKED
    assert found.sequential_seconds == pytest.approx(13.0)
    assert found.stacked_seconds == pytest.approx(8.0)
    assert found.as_dict()["path"] == "stacked"
    assert (trial.steps.count("train"), trial.steps.count("trial")) == (STEPS, STEPS)


def test_one_after_the_other_is_chosen_where_a_stack_is_hardly_quicker():
    found = Trial(alone=0.01, together=0.03).choose(LONG)
    assert found.path is Path.SEQUENTIAL
    assert found.reason == "stacked would not be much quicker"
    assert found.stacked_seconds == pytest.approx(12.0)


def test_nothing_is_compared_where_little_is_to_be_gained():
    trial = Trial(alone=0.0001)
    found = trial.choose(LONG)
    assert (found.path, found.stacked_seconds) == (Path.SEQUENTIAL, None)
    assert "trial" not in trial.steps


def test_what_cannot_be_stacked_is_not_tried():
    trial = Trial()
    found = trial.choose(Toy())
    assert found.path is Path.SEQUENTIAL
    assert found.reason.startswith("cannot be stacked, because dropout")
    assert trial.steps == []


def test_what_only_a_trial_shows_to_be_impossible_is_done_one_after_the_other():
    found = Trial().choose(Branching(epochs=100))
    assert found.path is Path.SEQUENTIAL
    assert found.reason.startswith("cannot be stacked: vmap")


def test_a_quick_stack_with_other_weights_is_refused(monkeypatch):
    monkeypatch.setattr(Stack, "_move", lambda *_: None)  # very quick: it learns nothing
    found = Trial(together=0.001).choose(LONG)
    assert found.path is Path.SEQUENTIAL
    assert found.reason.startswith("stacked would give other weights: 0.weight differs by")


def test_other_load_does_not_decide_where_one_thread_does_everything(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert trial_clock(CPU) is time.process_time
    assert trial_clock(torch.device("cuda")) is time.perf_counter
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert trial_clock(CPU) is time.perf_counter


def test_a_slow_step_is_tried_for_seconds_only():
    trial = Trial(alone=3.0, together=3.0)
    assert trial.choose(LONG).path is Path.STACKED
    assert trial.steps.count("train") == 2


def test_a_trial_can_be_stopped_and_leaves_the_random_state_alone():
    with pytest.raises(Cancelled):
        Trial().choose(LONG, stop=True)
    before = torch.get_rng_state()
    Trial().choose(LONG)
    assert torch.equal(torch.get_rng_state(), before)
