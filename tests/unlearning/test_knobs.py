"""The hyperparameters of every method: declared, bounded, and each with an effect."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.unlearning.toys import Normed, equal
from tests.unlearning.trying import METHODS, run, tried
from unlearning.core.ranges import Hyperparameter, OutOfRange, hyperparameters

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.method import Method


@pytest.fixture(params=METHODS.names())
def method(request: pytest.FixtureRequest) -> Method:
    return tried(request.param)


@pytest.mark.parametrize(
    ("name", "knob"),
    [(name, each) for name in METHODS.names() for each in hyperparameters(METHODS.get(name))],
    ids=lambda value: getattr(value, "name", value),
)
def test_no_knob_is_dead(name, knob):
    other = tried(name, **{**_usual(name), knob.name: _another(name, knob)})
    assert not equal(_usually(name), run(other, Normed))


@cache
def _usually(name: str) -> nn.Module:
    return run(tried(name, **_usual(name)), Normed)


def _usual(name: str) -> dict[str, float]:
    """Return settings under which each knob, one at a time, shows on the toy data."""
    # Enough epochs for a decay, a stop and the pull to the start.
    declared = {each.name for each in hyperparameters(METHODS.get(name))}
    usual = {"epochs": 9 if "fine_epochs" in declared else 4, "batch_size": 8, "fine_rate": 0.02}
    return {name: value for name, value in usual.items() if name in declared}


def _another(name: str, knob: Hyperparameter) -> float:
    """Return a second value for a knob, one that makes a difference on the toy data."""
    special = {
        "batch_size": 5,
        "retain_batch_size": 5,
        "forget_batch_size": 4,
        "stop_loss": 1e-6,
        "k": 2,
        "floor": 2e-4,
        "quiet": 1,
        "records": 7,
        "epochs": 8,
        "fine_epochs": 3,
        "reset_epochs": 2,
        "newton_steps": 3,
        "noise_steps": 6,
        "noise_records": 9,
        "per_class": 5,
        "attack_steps": 20,
        "doublings": 1,
        "decay_every": 2,
        "rounds": 2,
        "attack_epochs": 6,
        "aru.filter_share": 0.5,
        "aru.noise_steps": 150,
        "aru.noise_rate": 1.0,
        "aru.noise_l2": 1.0,
        "lfssd.alpha": 2,
        "gradient_ascent.stop_loss": 0.812,  # between the losses at the start and in the end
    }
    default = getattr(tried(name), knob.name)
    fallback = knob.kind((default + knob.allowed.low) / 2) if default else knob.allowed.high / 2
    return special.get(f"{name}.{knob.name}", special.get(knob.name, fallback))


def test_every_number_has_a_range_with_help_and_its_default_in_it(method):
    ranged = {each.name for each in hyperparameters(type(method))}
    assert ranged == {field.name for field in dataclasses.fields(method)}
    assert all(each.allowed.help for each in hyperparameters(type(method)))
    assert set(method.published) <= ranged


WITH_TEMPERATURE = [
    name
    for name in METHODS
    if "temperature" in {each.name for each in hyperparameters(METHODS.get(name))}
]


@pytest.mark.parametrize("name", WITH_TEMPERATURE)
def test_a_temperature_of_zero_is_refused(name):
    with pytest.raises(OutOfRange, match="temperature is 0"):
        tried(name, temperature=0)


def test_methods_with_a_temperature_are_known():
    assert set(WITH_TEMPERATURE) == {"bad_teacher", "fcs", "kde", "scrub", "scrub_rewind"}
