"""A state comes back from its bytes as it was, whatever plain data it is made of."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unlearning.core.replay.states import NotKeepable, State, StateUnreadable
from unlearning.core.seeding import isolated, random_state, restore_random_state
from unlearning.core.session import CPU

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.integers(0, 9) | st.text(max_size=3)
TENSORS = st.lists(st.integers(-9, 9), max_size=4).map(lambda each: torch.tensor(each).double())
TREES = st.recursive(
    NUMBERS | TENSORS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def state(**parts) -> State:  # noqa: ANN003
    names = ("model", "optimizer", "companions", "random")
    empty: dict[str, Any] = {name: {} for name in names}
    return State(phase=1, step=7, **(empty | parts))


def same(one, other) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
        return type(one) is type(other) and all(same(*pair) for pair in pairs)
    return type(one) is type(other) and one == other


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=3))
def test_any_tree_comes_back(tree):
    back = State.from_bytes(state(optimizer=tree).to_bytes())
    assert same(tree, back.optimizer)
    assert (back.phase, back.step) == (1, 7)


def test_numbers_without_an_end_come_back():
    back = State.from_bytes(state(optimizer={"a": math.inf, "b": -math.inf}).to_bytes())
    assert back.optimizer == {"a": math.inf, "b": -math.inf}


def test_what_is_no_plain_data_is_refused():
    with pytest.raises(NotKeepable, match=r"this one holds a function\.$"):
        state(optimizer={"closure": same}).to_bytes()


@pytest.mark.parametrize("content", [b"", b"no state", state().to_bytes()[:-3]])
def test_what_is_no_state_is_refused(content):
    with pytest.raises(StateUnreadable, match=rf"^{len(content)} bytes are no state: "):
        State.from_bytes(content)


def test_random_state_comes_back_for_torch_numpy_and_python():
    def drawn() -> list[float]:
        return [torch.rand(()).item(), np.random.rand(), random.random(), random.gauss(0, 1)]  # noqa: NPY002

    with isolated(3, CPU):
        drawn()
        kept = state(random=random_state(CPU)).to_bytes()
        first = drawn()
        restore_random_state(State.from_bytes(kept).random, CPU)
        assert drawn() == first
