"""A claim is as strong as what speaks for it, and says in a sentence why it is not stronger."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from unlearning.core.replay.claims import Execution, Strength, claim
from unlearning.core.replay.fingerprint import differences, fingerprint
from unlearning.core.session import CPU

HERE = {"torch": "2", "threads": "1"}
FIRST = Execution(work="w", digest="aa", fingerprint=HERE, first=3, process="one")
SECOND = replace(FIRST, process="two")


def test_two_equal_executions_in_one_environment_are_bit_exact():
    found = claim([HERE, dict(HERE)], FIRST, SECOND)
    assert found.strength is Strength.BIT_EXACT
    assert found.strength.value == "bit_exact"


@pytest.mark.parametrize(
    ("history", "second", "reason"),
    [
        ([HERE], None, "There was no second execution to compare with."),
        (
            [HERE],
            FIRST,
            "The second execution ran in the same process, so it was not independent.",
        ),
        (
            [HERE],
            replace(SECOND, digest="bb"),
            "The second execution gave the digest bb, not aa.",
        ),
        (
            [HERE],
            replace(SECOND, work="v"),
            "The second execution was of other work: not this training with these holes.",
        ),
        (
            [HERE],
            replace(SECOND, fingerprint={**HERE, "threads": "2"}),
            "The second execution ran in another environment: threads was '1' and is '2'.",
        ),
        (
            [HERE, {"torch": "1", "threads": "1"}],
            SECOND,
            "The environment is not that of the training: torch was '1' and is '2'.",
        ),
        (
            [{**HERE, "driver": "5"}],
            SECOND,
            "The environment is not that of the training: driver was '5' and is 'not known'.",
        ),
    ],
)
def test_anything_else_is_the_same_recipe_and_says_why(history, second, reason):
    found = claim(history, FIRST, second)
    assert found.strength is Strength.SAME_RECIPE
    assert found.reason == reason


def test_an_execution_is_told_to_another_process_as_json():
    assert Execution.from_dict(SECOND.as_dict()) == SECOND
    assert str(os.getpid()) in Execution(work="", digest="", fingerprint={}, first=0).process


@pytest.mark.parametrize("name", ["MKL_CBWR", "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG"])
def test_a_variable_that_changes_bits_changes_the_fingerprint(name, monkeypatch):
    before = fingerprint(CPU)
    monkeypatch.setenv(name, "other")
    assert differences(before, fingerprint(CPU)) == [f"{name} was '' and is 'other'"]


def test_it_names_everything_that_the_bits_are_known_to_depend_on():
    known = fingerprint(CPU)
    assert {
        "python", "numpy", "torch", "vector instructions", "threads", "oneDNN", "processor",
        "deterministic algorithms", "code", "MKL_CBWR",
    } <= known.keys()  # fmt: skip
    assert all(isinstance(value, str) for value in known.values())
