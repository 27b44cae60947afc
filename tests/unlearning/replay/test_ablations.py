"""Whatever a replay could get wrong, the digest or an error tells.

Each test spoils one condition of exactness and must see another model than training from scratch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache

import pytest
import torch

from tests.unlearning.replay.pairs import PAIRS, SIZE, late, trainer, without
from unlearning.core.replay import ledger
from unlearning.core.replay.claims import Strength, claim
from unlearning.core.replay.engine import OtherTraining
from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.recorder import PhaseChanged
from unlearning.core.replay.states import State, StateUnreadable, model_digest
from unlearning.core.session import CPU, Session

DROPOUT, NORMED = PAIRS[2], PAIRS[3]
STATEFUL = PAIRS[1:]  # all but plain SGD


def scratch(recipe, source: Pinned | None = None) -> str:
    own = without(*late(recipe)) if source is None else source
    return model_digest(recipe.train(own, Session(seed=11)))


def replayed(recipe, spoil) -> str:
    """Record, spoil every state by ``spoil(State) -> State``, replay; return the digest."""
    bench = trainer(recipe)
    origin = bench.record("origin", without()).recording
    states = []
    for kept in origin.states:
        content = spoil(State.from_bytes(bench.store.get(kept.key))).to_bytes()
        bench.store.put(kept.key, content)
        states.append(replace(kept, sha256=hashlib.sha256(content).hexdigest()))
    spoilt = replace(origin, states=tuple(states))
    return bench.replay("after", spoilt, without(*late(recipe))).recording.digest


@pytest.mark.parametrize("recipe", PAIRS, ids=repr)
def test_nothing_spoilt_is_nothing_noticed(recipe):
    assert replayed(recipe, lambda state: state) == scratch(recipe)


@pytest.mark.parametrize("recipe", STATEFUL, ids=repr)
def test_a_state_without_its_optimiser_is_noticed(recipe):
    def spoil(state: State) -> State:
        return replace(state, optimizer={**state.optimizer, "state": {}})

    assert replayed(recipe, spoil) != scratch(recipe)


@pytest.mark.parametrize("recipe", PAIRS[3:], ids=repr)
def test_a_state_without_its_norm_statistics_is_noticed(recipe):
    def spoil(state: State) -> State:
        own = {
            name: torch.zeros_like(each) if "running_mean" in name else each
            for name, each in state.model.items()
        }
        return replace(state, model=own)

    assert replayed(recipe, spoil) != scratch(recipe)


def test_random_state_is_not_needed_as_every_step_is_seeded_by_its_number():
    def spoil(state: State) -> State:
        other = torch.Generator().manual_seed(999).get_state()
        return replace(state, random={**state.random, "torch": other})

    assert replayed(DROPOUT, spoil) == scratch(DROPOUT)


def test_a_state_whose_bytes_changed_is_refused():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    kept = origin.states[2]
    content = bytearray(bench.store.get(kept.key))
    content[-1] ^= 1
    bench.store.put(kept.key, bytes(content))
    with pytest.raises(StateUnreadable, match=rf"^The state {kept.key} has the SHA-256"):
        bench.replay("after", origin, without(*late(NORMED)))


@pytest.mark.parametrize("recipe", PAIRS, ids=repr)
def test_a_place_in_the_schedule_that_is_not_that_of_the_state_is_noticed(recipe):
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    earlier = (replace(each, step=each.step - 3) for each in origin.states)
    moved = replace(origin, states=tuple(earlier))
    assert bench.replay("after", moved, without(*holes)).recording.digest != scratch(recipe)


@pytest.mark.parametrize("recipe", PAIRS, ids=repr)
def test_a_state_later_than_the_first_use_is_noticed(recipe):
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    leaking = replace(origin.cut(4), run="leak", holes=tuple(sorted(holes)))
    bench.store.put("leak/recording.json", leaking.to_json())
    after = bench.replay("leak", origin, without(*holes))
    assert after.execution.first == 12
    assert after.recording.digest != scratch(recipe)


@pytest.mark.parametrize("recipe", STATEFUL, ids=repr)
def test_a_state_loaded_twice_from_memory_is_noticed_and_from_bytes_is_right(recipe, monkeypatch):
    bench, holes = trainer(recipe), late(recipe)
    origin = bench.record("origin", without()).recording
    right = [bench.replay(run, origin, without(*holes)).recording.digest for run in ("a", "b")]
    by_key = cache(lambda key: State.from_bytes(bench.store.get(key)))
    monkeypatch.setattr(ledger, "load", lambda _store, kept: by_key(kept.key))
    wrong = [bench.replay(run, origin, without(*holes)).recording.digest for run in ("c", "d")]
    assert right == [scratch(recipe)] * 2
    assert wrong[0] == right[0]
    assert wrong[1] != right[1]


def test_a_state_shares_no_memory_with_what_it_was_read_from():
    bench = trainer()
    kept = bench.record("origin", without()).recording.states[0]
    content = bench.store.get(kept.key)
    before = hashlib.sha256(content).hexdigest()
    for tensor in State.from_bytes(content).model.values():
        tensor.zero_()
    assert hashlib.sha256(content).hexdigest() == before
    assert State.from_bytes(content).model["1.weight"].any()


class Repacked(Pinned):
    """Draws the order over whatever is left, as a loader over a subset would."""

    def arranged(self, plan):
        return replace(plan, size=len(self.retained()))

    def visits(self, plan, first=0, workers=0):
        from unlearning.core.order import Remainder

        return self.retained().batches(Remainder(plan=plan, first=first), workers)


def test_an_order_drawn_anew_over_what_is_left_is_noticed():
    holes = late(NORMED, 20)
    left = without(*holes).retained()
    bench = trainer(NORMED)
    origin = bench.record("origin", without()).recording
    assert model_digest(NORMED.train(left, Session(seed=11))) != scratch(NORMED, without(*holes))
    with pytest.raises(PhaseChanged, match=r"it was train with 24 steps, and now has 18\)"):
        bench.replay("after", origin, Repacked(left, size=SIZE, holes=holes))
    with pytest.raises(OtherTraining, match=r"its size is 90, and here it is 70"):
        bench.replay("after", origin, Pinned(left, size=70))


@dataclass(frozen=True, kw_only=True)
class Packed(type(NORMED)):  # type: ignore[misc]
    """Closes the holes but leaves the order; the schedule has the length it had, or a new one."""

    holes: tuple[int, ...] = ()
    pinned_length: bool = True

    def plan(self, size, seed):
        from unlearning.core.history import Recorded

        plan = super().plan(size, seed)
        batches: list[tuple[int, ...]] = []
        for number in range(plan.epochs):
            left = [each for batch in plan.epoch(number) for each in batch]
            left = [each for each in left if each not in self.holes]
            batches += [tuple(left[at : at + 8]) for at in range(0, len(left), 8)]
        return Recorded(size=size, batch_size=8, epochs=2, seed=plan.seed, batches=tuple(batches))

    def rate(self, step, total):
        return super().rate(step, 24 if self.pinned_length else total)


@pytest.mark.parametrize("pinned_length", [True, False])
def test_a_repacked_order_is_another_training_than_one_with_holes(pinned_length):
    holes = late(NORMED, 20)
    packed = Packed(
        network=NORMED.network, trained_by="momentum", holes=holes, pinned_length=pinned_length
    )
    found = model_digest(packed.train(without(*holes), Session(seed=11)))
    assert found != scratch(NORMED, without(*holes))


def test_another_number_of_threads_lowers_the_claim():
    bench, holes = trainer(), late(NORMED)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes))
    second = replace(after.execution, process="another:1:1")
    assert claim(after.recording.fingerprints, after.execution, second).strength is (
        Strength.BIT_EXACT
    )
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        other = bench.replay("other", origin, without(*holes))
        assert fingerprint(CPU) == other.execution.fingerprint
    finally:
        torch.set_num_threads(threads)
    second = replace(other.execution, process="another:1:1")
    lowered = claim(other.recording.fingerprints, other.execution, second)
    assert lowered.strength is Strength.SAME_RECIPE
    assert lowered.reason == (
        f"The environment is not that of the training: threads was '{threads}' and is "
        f"'{threads + 1}'."
    )


@pytest.mark.parametrize("gone", ["a batch", "all but one of a batch", "everything but one"])
def test_empty_batches_and_batches_of_one_are_replayed_alike(gone):
    recipe = NORMED
    batch = list(recipe.plan(SIZE, 11).epoch(0))[10]
    holes = {
        "a batch": batch,
        "all but one of a batch": batch[1:],
        "everything but one": list(range(1, SIZE)),
    }[gone]
    bench = trainer(recipe)
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes))
    assert after.recording.digest == scratch(recipe, without(*holes))
    assert after.recording.visits == 2 * (SIZE - len(holes))
