from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core.bitmaps import (
    BitmapUnreadable,
    ChunkAltered,
    chunk_numbers,
    decode,
    digest,
    encode,
    from_array,
    from_mask,
    open_chunk,
    split,
    to_array,
    union,
)

ordinals = st.one_of(
    st.sets(st.integers(0, 2**32 - 1), max_size=40),
    st.sets(st.integers(0, 300_000), max_size=200),
    st.sets(st.integers(0, 12), max_size=12),
    st.builds(
        lambda start, length, step: set(range(start, start + length * step, step)),
        st.integers(0, 200_000),
        st.integers(0, 9_000),
        st.integers(1, 3),
    ),
)
quick = settings(max_examples=40, deadline=None)


@quick
@given(ordinals)
def test_chunks_join_to_the_set_they_were_cut_from(members):
    chunks = split(BitMap(members))
    parts = [open_chunk(chunk, space="s", snapshot="x") for chunk in chunks]
    assert set(union(parts)) == members
    assert [chunk.number for chunk in chunks] == sorted({o >> 16 for o in members})
    assert sum(chunk.cardinality for chunk in chunks) == len(members)


def _from_runs(members):
    whole, rest = BitMap(), sorted(members)
    while rest:
        length = next((n for n, one in enumerate(rest) if one != rest[0] + n), len(rest))
        whole |= BitMap(range(rest[0], rest[0] + length))
        rest = rest[length:]
    return whole


@quick
@given(ordinals, ordinals)
def test_equal_sets_have_equal_bytes_however_they_were_made(members, noise):
    one_by_one = BitMap()
    for ordinal in members:
        one_by_one.add(ordinal)
    made = [
        BitMap(sorted(members)),
        one_by_one,
        union(BitMap(range(ordinal, ordinal + 1)) for ordinal in members),
        _from_runs(members),
        (BitMap(members) | BitMap(noise)) - BitMap(noise - members),
        BitMap.deserialize(BitMap(members, optimize=False).serialize()),
        from_array(np.array(sorted(members), dtype=np.int64)),
    ]
    assert len({encode(bitmap) for bitmap in made}) == 1
    assert {digest(bitmap) for bitmap in made} == {
        hashlib.sha256(encode(BitMap(members))).hexdigest()
    }
    assert decode(encode(made[0])) == BitMap(members)


@quick
@given(st.lists(st.booleans(), max_size=500))
def test_a_mask_gives_the_positions_that_a_loop_finds(flags):
    mask = np.array(flags, dtype=bool)
    assert list(from_mask(mask)) == [at for at, flag in enumerate(flags) if flag]
    assert to_array(from_mask(mask)).tolist() == [at for at, flag in enumerate(flags) if flag]


def test_a_long_mask_crosses_chunks():
    mask = np.zeros(200_000, dtype=bool)
    mask[[0, 65_535, 65_536, 199_999]] = True
    assert list(from_mask(mask)) == [0, 65_535, 65_536, 199_999]
    assert list(chunk_numbers(from_mask(mask))) == [0, 1, 3]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.0625, 0.5, 1.0])
@pytest.mark.parametrize("length", [65_536, 200_001])
def test_a_mask_gives_what_its_positions_give(share, length):
    mask = np.random.default_rng(length).random(length) < share
    found = from_mask(mask)
    assert found == from_array(np.flatnonzero(mask))
    assert encode(found) == encode(from_array(np.flatnonzero(mask)))
    found.add(7)  # an ordinary set, which can be changed
    assert len(found) == int(mask.sum()) + (not mask[7])


def test_each_kind_of_container_is_named():
    array, bitset, run = split(
        BitMap([5, 9])
        | BitMap(range(65_536, 65_536 + 20_000, 2))
        | BitMap(range(131_072, 131_072 + 20_000))
    )
    assert (array.encoding, bitset.encoding, run.encoding) == (0, 1, 2)


def test_the_empty_set_has_no_chunks():
    assert split(BitMap()) == []
    assert list(chunk_numbers(BitMap())) == []


@pytest.mark.parametrize("wrong", [[-1], [2**32], [0, 2**40]])
def test_it_refuses_what_is_no_ordinal(wrong):
    with pytest.raises(ValueError, match=r"allowed are 0 to 4294967295"):
        from_array(np.array(wrong))


@pytest.mark.parametrize(
    "payload", [b"", b"garbage", encode(BitMap([1])) + b"x", encode(BitMap([1, 2]))[:-1]]
)
def test_it_refuses_bytes_that_are_no_bitmap(payload):
    with pytest.raises(BitmapUnreadable):
        decode(payload)


def test_it_refuses_bytes_that_it_would_not_have_written():
    unusual = BitMap(set(range(5_000)), optimize=False).serialize()
    assert BitMap.deserialize(unusual) == BitMap(range(5_000))
    with pytest.raises(BitmapUnreadable, match="canonical"):
        decode(unusual)


def _other_members(chunk):
    payload = encode(BitMap([70_000]))
    return replace(chunk, payload=payload, sha256=hashlib.sha256(payload).digest())


@pytest.mark.parametrize(
    "alter",
    [
        lambda chunk: replace(chunk, payload=chunk.payload[:-1] + b"\xff"),
        lambda chunk: replace(chunk, sha256=b"\0" * 32),
        lambda chunk: replace(chunk, number=1),
        lambda chunk: replace(chunk, cardinality=4),
        _other_members,
        lambda chunk: replace(chunk, payload=b"", sha256=hashlib.sha256(b"").digest()),
    ],
)
def test_an_altered_chunk_is_named_with_space_and_snapshot(alter):
    (chunk,) = split(BitMap([1, 2, 3]))
    with pytest.raises(ChunkAltered, match=r"Chunk \d of snapshot faces@4 in space faces"):
        open_chunk(alter(chunk), space="faces", snapshot="faces@4")
