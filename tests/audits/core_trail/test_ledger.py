from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.ledger import (
    NotProven,
    OutsideTree,
    consistency_path,
    inclusion_path,
    inclusion_paths,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

quick = settings(max_examples=40, deadline=None)
sizes = st.integers(1, 200)


def leaves(count):
    return [leaf_hash(b"entry %d" % index) for index in range(count)]


def sha(*parts: bytes):
    return hashlib.sha256(b"".join(parts)).digest()


# The oracle: RFC 6962 2.1, word for word and recursive.


def split(count):
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def mth(hashes):
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha()
    half = split(len(hashes))
    return sha(b"\x01", mth(hashes[:half]), mth(hashes[half:]))


def audit_path(index, hashes):
    if len(hashes) == 1:
        return []
    half = split(len(hashes))
    if index < half:
        return [*audit_path(index, hashes[:half]), mth(hashes[half:])]
    return [*audit_path(index - half, hashes[half:]), mth(hashes[:half])]


def subproof(m, hashes, whole):
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    half = split(len(hashes))
    if m <= half:
        return [*subproof(m, hashes[:half], whole), mth(hashes[half:])]
    return [*subproof(m - half, hashes[half:], False), mth(hashes[:half])]


@quick
@given(sizes)
def test_the_root_is_that_of_the_recursive_definition(count):
    assert root(leaves(count)) == mth(leaves(count))


@quick
@given(sizes, st.data())
def test_a_proof_is_that_of_the_recursive_definition_and_verifies(count, data):
    hashes, index = leaves(count), data.draw(st.integers(0, count - 1))
    path = inclusion_path(index, hashes)
    assert path == audit_path(index, hashes)
    verify_inclusion(index=index, size=count, leaf=hashes[index], path=path, root=root(hashes))
    older = index + 1
    path = consistency_path(older, hashes)
    assert path == subproof(older, hashes, True)
    verify_consistency(
        old_size=older,
        new_size=count,
        old_root=root(hashes[:older]),
        new_root=root(hashes),
        path=path,
    )


def test_every_proof_of_every_small_tree_verifies():
    for count in range(1, 34):
        hashes = leaves(count)
        top, paths = root(hashes), inclusion_paths(range(count), hashes)
        for index in range(count):
            verify_inclusion(
                index=index, size=count, leaf=hashes[index], path=paths[index], root=top
            )
            verify_consistency(
                old_size=index + 1,
                new_size=count,
                old_root=root(hashes[: index + 1]),
                new_root=top,
                path=consistency_path(index + 1, hashes),
            )


def test_the_empty_tree_hashes_to_sha_256_of_nothing():
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_known_answers_follow_from_the_prefixes_of_the_standard():
    # SHA-256 of the single byte 00, as `printf '\0' | sha256sum` prints it
    empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"").hex() == empty
    assert root([leaf_hash(b"")]).hex() == empty
    a, b, c, d, e = (sha(b"\x00", letter) for letter in (b"a", b"b", b"c", b"d", b"e"))
    left, right = sha(b"\x01", a, b), sha(b"\x01", c, d)
    five = sha(b"\x01", sha(b"\x01", left, right), e)
    assert root([leaf_hash(letter) for letter in (b"a", b"b", b"c", b"d", b"e")]) == five
    assert inclusion_path(4, [a, b, c, d, e]) == [sha(b"\x01", left, right)]
    assert consistency_path(3, [a, b, c, d, e]) == [c, d, left, e]


# The example tree that public Certificate Transparency implementations test themselves with.
PUBLISHED_ENTRIES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
PUBLISHED_ROOTS = {
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", PUBLISHED_ROOTS)
def test_the_published_example_tree_has_its_published_roots(size):
    hashes = [leaf_hash(bytes.fromhex(entry)) for entry in PUBLISHED_ENTRIES[:size]]
    assert root(hashes).hex() == PUBLISHED_ROOTS[size]


def test_a_leaf_cannot_pass_for_an_inner_node():
    a, b = leaves(2)
    assert leaf_hash(a + b) != root([a, b])


def changes(path):
    """Wrong paths near a right one: a flipped bit each, one hash less, one more, reversed."""
    for place, item in enumerate(path):
        yield [*path[:place], bytes([item[0] ^ 1]) + item[1:], *path[place + 1 :]]
        yield [*path[:place], item[:-1], *path[place + 1 :]]
    if path:
        yield path[:-1]
        yield path[1:]
    if path[::-1] != path:
        yield path[::-1]
    yield [*path, sha(b"more")]
    yield [sha(b"more"), *path]
    yield [*path, b""]


@quick
@given(st.integers(2, 200), st.data())
def test_a_wrong_inclusion_proof_is_refused(count, data):
    hashes, index = leaves(count), data.draw(st.integers(0, count - 1))
    right = {
        "index": index,
        "size": count,
        "leaf": hashes[index],
        "path": inclusion_path(index, hashes),
        "root": root(hashes),
    }
    wrong = [{"path": path} for path in changes(right["path"])]
    wrong += [{"index": other} for other in (index ^ 1, index + 1, count, -1) if other != index]
    wrong += [{"leaf": right["root"]}, {"root": hashes[index]}, {"root": root(hashes[:-1])}]
    wrong += [{"size": 0}, {"size": index}, {"leaf": b""}, {"root": b""}]
    for change in wrong:
        with pytest.raises(NotProven):
            verify_inclusion(**right | change)


@quick
@given(st.integers(2, 200), st.data())
def test_a_wrong_consistency_proof_is_refused(count, data):
    hashes, older = leaves(count), data.draw(st.integers(1, count - 1))
    right = {
        "old_size": older,
        "new_size": count,
        "old_root": root(hashes[:older]),
        "new_root": root(hashes),
        "path": consistency_path(older, hashes),
    }
    wrong = [{"path": path} for path in changes(right["path"])]
    wrong += [{"path": []}, {"old_size": count}, {"new_size": older}, {"old_size": 0}]
    wrong += [{"old_size": -1}, {"new_size": older - 1}, {"old_size": count + 1}]
    wrong += [{"old_root": right["new_root"], "new_root": right["old_root"]}]
    wrong += [{"old_root": b""}, {"new_root": sha(b"fork")}, {"old_root": sha(b"fork")}]
    for change in wrong:
        with pytest.raises(NotProven):
            verify_consistency(**right | change)


def test_a_path_cut_at_another_byte_is_refused():
    # The same bytes in front of the hash function: only the lengths tell.
    a, b = leaves(2)
    joined = a + b
    with pytest.raises(NotProven, match="32 bytes"):
        verify_inclusion(index=0, size=2, leaf=joined[:31], path=[joined[31:]], root=root([a, b]))
    with pytest.raises(NotProven, match="32 bytes"):
        verify_consistency(
            old_size=1,
            new_size=2,
            old_root=joined[:31],
            new_root=root([a, b]),
            path=[joined[31:]],
        )


def test_size_zero_commits_to_nothing_and_proves_nothing():
    hashes = leaves(5)
    with pytest.raises(NotProven):
        verify_consistency(
            old_size=0, new_size=5, old_root=root([]), new_root=root(hashes), path=[]
        )
    with pytest.raises(OutsideTree):
        consistency_path(0, hashes)


def test_a_tree_of_one_size_is_consistent_only_with_itself():
    top, other = root(leaves(5)), sha(b"fork")
    right: dict[str, Any] = {"old_size": 5, "new_size": 5, "path": []}
    right |= {"old_root": top, "new_root": top}
    verify_consistency(**right)
    for change in ({"new_root": other}, {"old_root": other}, {"path": [top]}):
        with pytest.raises(NotProven):
            verify_consistency(**right | change)


@pytest.mark.parametrize("index", [-1, 5])
def test_there_is_no_path_for_a_leaf_outside_the_tree(index):
    with pytest.raises(OutsideTree):
        inclusion_path(index, leaves(5))
    with pytest.raises(OutsideTree):
        consistency_path(index if index < 0 else 6, leaves(5))


def test_a_hundred_thousand_leaves_take_less_than_a_second():
    hashes = leaves(100_000)
    start = time.process_time()
    root(hashes)
    assert time.process_time() - start < 1
