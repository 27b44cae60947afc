"""Seeds are unrelated, stable, and leave no trace outside."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unlearning.toys import CPU
from unlearning.core.seeding import derive, isolated, reseed

LABELS = st.lists(st.text(max_size=3) | st.integers(-5, 5), max_size=3).map(tuple)


def draws() -> tuple[float, float, float]:
    numpys = np.random.random()  # noqa: NPY002  (the global state is the subject)
    return torch.rand(1).item(), random.random(), numpys


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS)
def test_different_labels_give_different_seeds(one, other):
    assert (derive(3, *one) == derive(3, *other)) == (one == other)
    assert 0 <= derive(3, *one) < 2**63


def test_a_derived_seed_never_changes():
    assert derive(0) == 872690540733923963
    assert derive(7, "order", 2) == 5427401198114273119


def test_the_body_is_repeatable_and_the_outside_untouched():
    torch.default_generator.manual_seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (the global state is the subject)
    expected_later = draws()
    torch.default_generator.manual_seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (the global state is the subject)
    inside = []
    for _ in range(2):
        with isolated(5, CPU):
            inside.append(draws())
    assert inside[0] == inside[1]
    assert draws() == expected_later


def test_the_outside_is_restored_when_the_body_fails():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), isolated(5, CPU):
        torch.rand(1), 1 / 0
    assert torch.equal(torch.get_rng_state(), before)


def test_reseeding_sets_torch():
    with isolated(0, CPU):
        reseed(9, CPU)
        first = torch.rand(3)
        reseed(9, CPU)
        assert torch.equal(torch.rand(3), first)
