from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core.first_steps import StepsUnreadable, decode, earliest, encode, merged

ORDINALS = st.integers(0, 2**32 - 1)
STEPS = st.dictionaries(ORDINALS, st.integers(0, 2**32 - 1), max_size=40)


def stored(steps: dict[int, int]) -> tuple[BitMap, np.ndarray]:
    return BitMap(steps), np.array([steps[at] for at in sorted(steps)], dtype=np.uint32)


@given(STEPS, st.sets(ORDINALS, max_size=10))
def test_the_earliest_step_equals_a_loop(steps, others):
    members, values = stored(steps)
    blob = encode(members, values)
    assert decode(blob, members).tolist() == values.tolist()
    asked = BitMap(others) | BitMap(list(members)[::3])
    expected = min((steps[at] for at in asked if at in steps), default=None)
    assert earliest(blob, members, asked) == expected


@given(st.lists(STEPS, max_size=4))
def test_parts_are_merged_to_the_earliest(parts):
    expected: dict[int, int] = {}
    for part in parts:
        for ordinal, step in part.items():
            expected[ordinal] = min(step, expected.get(ordinal, step))
    members, values = merged(map(stored, parts))
    assert dict(zip(members, values.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"not zlib",
        zlib.compress(b"\0" * 4),
        zlib.compress(b"\0" * 12),
        zlib.compress(b"\0" * 8) + b"x",
        zlib.compress(b"\0" * 8)[:-1],
        zlib.compress(bytes(10**6)),
    ],
)
def test_what_is_not_one_step_for_each_member_is_refused(blob):
    with pytest.raises(StepsUnreadable):
        decode(blob, BitMap([3, 5]))
    with pytest.raises(StepsUnreadable):
        encode(BitMap([1]), np.zeros(2, dtype=np.uint32))
