"""A run that was interrupted goes on from its own states and arrives at the same bits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unlearning.replay.pairs import PAIRS, late, trainer, without
from unlearning.core.replay.review import NotASuccessor, check_log, to_purge
from unlearning.core.replay.store import MemoryStore
from unlearning.core.session import Cancelled


class Died(BaseException):
    """The process is gone."""


class Failing(MemoryStore):
    """Dies at its so-many-th write, before or after it."""

    def __init__(self, kept: dict[str, bytes], left: int) -> None:
        super().__init__()
        self._kept = dict(kept)
        self.left = left

    def put(self, key: str, content: bytes, /) -> None:
        if self.left == 0:
            raise Died
        self.left -= 1
        super().put(key, content)


def stopping_at(bench, step: int):
    """Return the same trainer with a session that is cancelled at a step."""
    seen: list[int] = []

    def cancelled() -> bool:
        seen.append(1)
        return len(seen) > step

    return replace(bench, session=replace(bench.session, cancelled=cancelled))


@pytest.mark.parametrize("recipe", PAIRS[2:], ids=repr)
@pytest.mark.parametrize("step", [1, 8, 23])
def test_an_interrupted_recording_goes_on(recipe, step):
    whole = trainer(recipe).record("origin", without())
    bench = trainer(recipe)
    with pytest.raises(Cancelled):
        stopping_at(bench, step).record("origin", without())
    resumed = bench.record("origin", without())
    assert resumed.execution.first == step // 3 * 3
    assert resumed.recording == whole.recording
    assert check_log(bench.store, resumed.recording, bench.secret) == 24


def test_an_interrupted_replay_goes_on():
    bench, holes = trainer(), late(PAIRS[3])
    origin = bench.record("origin", without()).recording
    whole = bench.replay("whole", origin, without(*holes))
    with pytest.raises(Cancelled):
        stopping_at(bench, 8).replay("after", origin, without(*holes))
    resumed = bench.replay("after", origin, without(*holes))
    assert resumed.execution.first == 15
    assert resumed.recording.digest == whole.recording.digest
    assert check_log(bench.store, resumed.recording, bench.secret) == 24


def test_a_finished_run_is_not_run_again():
    bench = trainer()
    done = bench.record("origin", without())
    again = bench.record("origin", without())
    assert again.recording == done.recording
    assert again.execution.first == 24


def test_a_process_that_dies_at_any_write_loses_nothing():
    right = trainer().record("origin", without())
    kept: dict[str, bytes] = {}
    for life in range(
        60
    ):  # an account at its start and three writes a state: each is the last once
        failing = Failing(kept, left=4 + life % 3)
        bench = replace(trainer(), store=failing)
        try:
            done = bench.record("origin", without())
        except Died:
            kept = {key: failing.get(key) for key in failing.list()}
            continue
        break
    else:
        pytest.fail("it never ended")
    assert done.recording == right.recording
    assert check_log(failing, done.recording, bench.secret) == 24


def test_an_environment_that_changed_in_the_middle_is_remembered(monkeypatch):
    bench = trainer()
    with pytest.raises(Cancelled):
        stopping_at(bench, 8).record("origin", without())
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    resumed = bench.record("origin", without()).recording
    assert [each["MKL_CBWR"] for each in resumed.fingerprints] == ["", "COMPATIBLE"]


@pytest.mark.parametrize(("gone", "first"), [([2], 6), ([1], 9), ([0, 1, 2], 0)])
def test_a_state_that_was_thinned_out_is_replayed(gone, first):
    bench, holes = trainer(), late(PAIRS[3])
    origin = bench.record("origin", without()).recording
    whole = bench.replay("whole", origin, without(*holes)).recording
    for number in gone:
        bench.store.delete(origin.states[number].key)
    after = bench.replay("after", origin, without(*holes))
    assert after.execution.first == first
    assert after.recording.digest == whole.digest
    assert check_log(bench.store, after.recording, bench.secret) == 24


def test_everything_later_than_the_first_use_is_to_be_purged():
    bench, holes = trainer(), late(PAIRS[3])
    origin = bench.record("origin", without()).recording
    bench.store.put(f"origin/{origin.binding[:16]}/states/000-000000000099", b"unaccounted for")
    after = bench.replay("after", origin, without(*holes)).recording
    children = {"v1": ["v3", "v2"], "v2": ["v4"], "v4": ["v1"], "v9": ["v8"]}
    purge = to_purge(bench.store, origin, after, version="v1", children=children)
    steps = [int(key[-12:]) for key in purge.states]
    assert steps == [12, 15, 18, 21, 24, 99]
    assert purge.versions == ("v1", "v2", "v3", "v4")
    for key in purge.states:
        bench.store.delete(key)
    later = bench.replay("later", after, without(*holes, late(PAIRS[3], 4)[0]))
    assert later.execution.first == 9


def test_nothing_is_purged_for_a_run_that_forgets_nothing():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    with pytest.raises(NotASuccessor, match=r"^The run origin is no finished replay of origin"):
        to_purge(bench.store, origin, origin)
