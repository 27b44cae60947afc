"""The step log says what was in each step, shows every change to it, and names nobody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unlearning.replay.pairs import PAIRS, SECRET, SIZE, Pair, late, trainer, without
from unlearning.core.order import Plan
from unlearning.core.replay.log import (
    Chain,
    LogBroken,
    Step,
    check_steps,
    genesis,
    plan_digest,
    verified,
)
from unlearning.core.replay.review import check_log, rows

PLAN = Plan(size=10, batch_size=4, epochs=2, seed=3)
FIRST = genesis("a training")


@cache
def written() -> tuple[bytes, str, int]:
    """Return a log of one phase: its bytes, the hash of its last row, and how many rows it has."""
    chain = Chain(FIRST)
    chain.open(0, phase="train", steps=6, plan=plan_digest(SECRET, PLAN), start="00")
    for step, numbers in enumerate(PLAN):
        begin = step % 3 * 4
        entry = Step(
            segment=0,
            step=step,
            epoch=step // 3,
            places=(begin, min(begin + 4, 10)),
            numbers=numbers,
            rate=1 / (step + 1),
            loss=0.5,
        )
        chain.add(entry, SECRET)
    return chain.taken(), chain.head, chain.rows


def read(content: bytes) -> list[dict[str, object]]:
    _, head, count = written()
    return list(verified(content, first=FIRST, head=head, rows=count))


def broken_at(content: bytes) -> int:
    with pytest.raises(LogBroken, match=r"^The step log is broken at row \d+: .+\.$") as caught:
        read(content)
    return caught.value.row


def test_a_log_that_nobody_touched_is_read_back():
    found = read(written()[0])
    assert [row["row"] for row in found] == list(range(7))
    assert [row.get("step") for row in found] == [None, *range(6)]
    assert found[3]["places"] == [8, 10]
    assert found[2]["rate"] == 0.5


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(written()[0]) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found_and_its_row_named(at, mask):
    content = bytearray(written()[0])
    row = content[:at].count(b"\n")
    content[at] ^= mask
    assert broken_at(bytes(content)) == row


@given(st.integers(0, 6))
def test_a_dropped_row_is_found_where_it_was(row):
    lines = written()[0].splitlines(keepends=True)
    del lines[row]
    assert broken_at(b"".join(lines)) == row


@given(st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True))
def test_two_rows_that_changed_places_are_found_at_the_first(pair):
    lines = written()[0].splitlines(keepends=True)
    one, other = sorted(pair)
    lines[one], lines[other] = lines[other], lines[one]
    assert broken_at(b"".join(lines)) == one


@given(st.integers(0, len(written()[0]) - 1))
def test_a_log_that_was_cut_off_is_found_where_it_ends(length):
    content = written()[0][:length]
    assert broken_at(content) == content.count(b"\n")


def test_a_repeated_row_and_an_appended_one_are_found():
    content = written()[0]
    last = content.splitlines(keepends=True)[-1]
    assert broken_at(content + last) == 7
    chain = Chain(written()[1], 7)
    chain.open(1, phase="more", steps=1, plan="", start="")
    assert broken_at(content + chain.taken()) == 8


def test_a_log_of_another_training_is_found_at_once():
    content, head, count = written()
    with pytest.raises(LogBroken) as caught:
        list(verified(content, first=genesis("another"), head=head, rows=count))
    assert caught.value.row == 0


def test_a_log_that_tells_of_other_records_is_found_at_the_step():
    other = Plan(size=10, batch_size=4, epochs=2, seed=4)
    assert check_steps(iter(read(written()[0])), [PLAN], frozenset(), SECRET) == 6
    with pytest.raises(LogBroken, match="row 0: it tells of another plan"):
        check_steps(iter(read(written()[0])), [other], frozenset(), SECRET)
    hole = next(iter(PLAN.after(2)))[0]
    with pytest.raises(LogBroken, match=r"row [123]: it tells of other records than the plan"):
        check_steps(iter(read(written()[0])), [PLAN], frozenset({hole}), SECRET)


def test_the_log_of_a_training_and_of_its_replay_agree_with_plan_and_holes():
    bench, holes = trainer(), late(PAIRS[3])
    origin = bench.record("origin", without()).recording
    after = bench.replay("after", origin, without(*holes)).recording
    assert check_log(bench.store, origin, SECRET) == 24
    assert check_log(bench.store, after, SECRET) == 24
    assert list(rows(bench.store, origin))[:10] == list(rows(bench.store, after))[:10]
    assert origin.head != after.head


def test_a_step_of_holes_alone_is_logged_as_skipped():
    batch = list(PAIRS[3].plan(SIZE, 11).epoch(0))[10]
    bench = trainer()
    found = list(rows(bench.store, bench.record("origin", without(*batch)).recording))
    skipped = [row["step"] for row in found if row.get("skipped")]
    assert skipped == [10]
    assert found[11]["loss"] is None
    assert found[10]["loss"] > 0


@dataclass(frozen=True, kw_only=True)
class Stepped(Pair):
    """Its rate is a number of NumPy, whose repr is no JSON."""

    def rate(self, step, total):
        return np.float64(0.25)


def test_a_rate_may_be_any_kind_of_number():
    bench = trainer(Stepped())
    origin = bench.record("origin", without()).recording
    assert {row["rate"] for row in rows(bench.store, origin) if "step" in row} == {0.25}


def test_a_log_that_lost_whole_steps_and_was_sealed_again_is_found():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    shorter = replace(origin.cut(5), digest=origin.digest)
    with pytest.raises(LogBroken, match=r"row 16: it has 15 steps, and its plans have 24\.$"):
        check_log(bench.store, shorter, SECRET)


def test_a_missing_stretch_of_the_log_is_named():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    bench.store.delete(origin.chunks[1].key)
    with pytest.raises(LogBroken, match=r"row 4: origin/\w+/log/000000000007 is missing"):
        list(rows(bench.store, origin))


def test_the_log_holds_no_record_number_and_no_seed():
    bench = trainer()
    origin = bench.record("origin", without()).recording
    text = b"".join(bench.store.get(chunk.key) for chunk in origin.chunks).decode()
    assert str(origin.segments[0].plan.seed) not in text
    allowed = {"row", "segment", "step", "epoch", "places", "records", "rate", "loss", "steps"}
    for line in text.splitlines():
        for name, value in json.loads(line).items():
            assert name in allowed or isinstance(value, str | bool), name
            if name == "numbers":
                assert re.fullmatch("[0-9a-f]{32}", value)


def test_equal_batches_have_unrelated_digests_without_the_secret():
    chain = Chain(FIRST)
    for secret, step in ((b"one", 0), (b"one", 1), (b"two", 0)):
        entry = Step(segment=0, step=step, epoch=0, places=(0, 1), numbers=[5], rate=1.0, loss=0.0)
        chain.add(entry, secret)
    assert len({json.loads(line)["numbers"] for line in chain.taken().splitlines()}) == 3
