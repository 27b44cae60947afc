"""A set that is made of tensors is taken as a whole; any other is asked for one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from tests.unlearning.toys import FORGET, NOTHING, RETAIN, Untouchable
from unlearning.core.examples import Held, count, gathered, in_memory

if TYPE_CHECKING:
    from unlearning.core.examples import Examples


class Read(Dataset[tuple[torch.Tensor, ...]]):
    """Notes what is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(RETAIN)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        self.asked.append(index)
        inputs, target = RETAIN[index]
        return inputs, target


class Doubled(TensorDataset):
    """What it gives is not what its tensors hold."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        inputs, target = super().__getitem__(index)
        return 2 * inputs, target


def one_by_one(examples):
    return [examples[place] for place in range(count(examples))]


def same(whole, examples):
    inputs, targets = zip(*one_by_one(examples), strict=True)
    return torch.equal(whole[0], torch.stack(inputs)) and torch.equal(
        whole[1], torch.stack(targets)
    )


@given(st.lists(st.integers(0, 26), min_size=1, max_size=9))
def test_what_is_gathered_is_what_is_asked_for_one_by_one(places):
    both: Examples = ConcatDataset([NOTHING, RETAIN, Subset(FORGET, range(6))])
    chosen = Subset(both, places)
    assert same(gathered(chosen), chosen)
    assert same(Held(chosen).all(), chosen)


def test_a_set_of_another_kind_is_not_gathered():
    doubled = Doubled(*RETAIN.tensors)
    assert gathered(doubled) is None
    assert gathered(ConcatDataset([RETAIN, doubled])) is None
    assert gathered(Subset(Held(RETAIN), [1])) is None
    assert gathered(TensorDataset(*RETAIN.tensors, RETAIN.tensors[0])) is None
    assert same(Held(doubled).all(), doubled)


def test_a_held_set_knows_that_it_was_read_either_way():
    for source in (RETAIN, Read()):
        held = Held(source)
        assert not held.read
        held.all()
        assert held.read


def test_in_memory_decodes_once_what_fits_and_leaves_the_rest(monkeypatch):
    source = Read()
    kept = in_memory(source)
    assert same(gathered(kept), RETAIN)
    assert sorted(set(source.asked)) == list(range(21))
    before = len(source.asked)
    one_by_one(kept)
    assert len(source.asked) == before
    monkeypatch.setattr(Held, "fits", lambda _: False)
    assert in_memory(source) is source
    empty = Untouchable.__new__(Untouchable)
    monkeypatch.setattr(Untouchable, "__len__", lambda _: 0)
    assert in_memory(empty) is empty
