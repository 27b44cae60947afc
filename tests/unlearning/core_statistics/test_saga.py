"""An erasure is taken out of the statistics once, whatever crashes and however often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.unlearning.core_statistics.worlds import MODELS, named, records_for, refitted, same
from unlearning.core.statistics import saga
from unlearning.core.statistics.counters import NeverAdded
from unlearning.core.statistics.state import NotStatistics, OperationReused, State

MODEL = MODELS[2]
ROWS, TARGETS = records_for(MODEL, 20)


class Crash(Exception):
    """The process ends here."""


class Store:
    """Rows that are deleted for good, in a process that may end between any two steps."""

    def __init__(self, folder) -> None:
        self.path = folder / "statistics.safetensors"
        self.rows = dict(enumerate(zip(ROWS, TARGETS, strict=True)))
        saga.write(self.path, refitted(MODEL, ROWS, TARGETS))

    def erase(self, places, crash_after: int, operation: str = "case 1") -> bool:
        steps = iter(range(100))

        def step() -> None:
            if next(steps) >= crash_after:
                raise Crash

        def records():
            step()
            found = [self.rows[place] for place in places]  # KeyError once they are gone
            step()
            return tuple(np.asarray(each) for each in zip(*found, strict=True))

        def delete() -> None:
            for place in places:
                step()
                self.rows.pop(place, None)
            step()

        return saga.erase(self.path, operation=operation, records=records, delete=delete)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(crashes=st.lists(st.integers(0, 5), max_size=4))
def test_a_crash_anywhere_is_resumed_and_the_records_are_taken_out_once(tmp_path, crashes):
    store = Store(tmp_path)
    for patience in crashes:
        try:
            store.erase([3, 5], patience)
        except Crash:
            # The rows are never gone while the statistics still hold them.
            assert "case 1" in saga.read(store.path).operations or len(store.rows) == 20
    store.erase([3, 5], 99)
    left = [place for place in range(20) if place not in {3, 5}]
    assert sorted(store.rows) == left
    state = saga.read(store.path)
    assert same(state, refitted(MODEL, ROWS[left], TARGETS[left]))
    assert state.operations == {"case 1": 2}
    assert [each.name for each in tmp_path.iterdir()] == [store.path.name]


def test_it_says_whether_this_call_changed_the_statistics(tmp_path):
    store = Store(tmp_path)
    assert store.erase([1], 99)
    assert not store.erase([1], 99)
    assert store.erase([2], 99, operation="case 2")


def test_a_crash_while_the_file_is_written_leaves_the_old_one(tmp_path, monkeypatch):
    store = Store(tmp_path)
    before = store.path.read_bytes()

    def dies(descriptor):
        raise Crash

    monkeypatch.setattr("os.fsync", dies)
    with pytest.raises(Crash):
        store.erase([1], 99)
    assert store.path.read_bytes() == before
    assert len(store.rows) == 20


def test_nothing_is_deleted_when_the_records_cannot_have_been_added(tmp_path):
    store = Store(tmp_path)
    store.rows[3] = (ROWS[3] * 1000, TARGETS[3])
    before = store.path.read_bytes()
    with pytest.raises(NeverAdded):
        store.erase([3], 99)
    assert store.path.read_bytes() == before
    assert 3 in store.rows


def test_an_operation_is_applied_once_and_an_id_is_not_used_twice():
    state = refitted(MODEL, ROWS, TARGETS)
    once = state.removed(ROWS[:2], TARGETS[:2], operation="a")
    assert once.removed(ROWS[:2], TARGETS[:2], operation="a") is once
    with pytest.raises(OperationReused, match="'a' took 2 records out of the statistics before"):
        once.removed(ROWS[:3], TARGETS[:3], operation="a")


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_a_state_survives_being_stored(model):
    rows, targets = records_for(model, 9)
    state = refitted(model, rows, targets).removed(rows[:2], targets[:2], operation="a")
    again = State.from_bytes(state.to_bytes())
    assert same(again, state)
    assert (again.model, again.operations) == (model, {"a": 2})
    assert again.to_bytes() == state.to_bytes()


def test_bytes_that_are_no_statistics_are_refused():
    good = refitted(MODEL, ROWS, TARGETS).to_bytes()
    for bad in (b"", b"\x80\x04pickle", good[:-1], save({"records": np.zeros(3)})):
        with pytest.raises(NotStatistics, match="are not the statistics of a model"):
            State.from_bytes(bad)
    bent = State.of(MODEL)
    bent.counters["sums"] = np.zeros((1, 1), np.int64)
    with pytest.raises(NotStatistics, match=r"GaussianBayes keeps, .*: records \(3,\), sums"):
        State.from_bytes(bent.to_bytes())
