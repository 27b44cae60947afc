from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core import ledger, subtrees
from audits.core.growing_tree import EdgeMismatch, GrowingTree
from audits.core.ledger import OutsideTree, leaf_hash
from tests.audits.core_trail.kept_trees import KeptTree

quick = settings(max_examples=60, deadline=None)
LEAVES = [leaf_hash(b"%d" % index) for index in range(200)]
TREE = KeptTree(LEAVES)


def test_every_root_is_that_of_the_whole_tree():
    grown = GrowingTree()
    for size, leaf in enumerate(LEAVES):
        expected = ledger.root(LEAVES[:size])
        assert grown.root() == expected
        assert not size or TREE.root(size) == expected
        grown.add(leaf)


@quick
@given(st.integers(1, 200), st.data())
def test_every_audit_path_is_that_of_the_whole_tree(size, data):
    index = data.draw(st.integers(0, size - 1))
    assert TREE.inclusion(index, size) == ledger.inclusion_path(index, LEAVES[:size])


@quick
@given(st.integers(1, 200), st.data())
def test_every_consistency_proof_is_that_of_the_whole_tree(size, data):
    older = data.draw(st.integers(1, size))
    assert TREE.consistency(older, size) == ledger.consistency_path(older, LEAVES[:size])


@pytest.mark.parametrize("size", range(1, 34))
def test_small_trees_agree_with_the_whole_tree_everywhere(size):
    hashes = LEAVES[:size]
    for at in range(size):
        assert TREE.inclusion(at, size) == ledger.inclusion_path(at, hashes)
        assert TREE.consistency(at + 1, size) == ledger.consistency_path(at + 1, hashes)


@pytest.mark.parametrize("size", [2**20, 2**20 - 1, 2**20 + 12_345])
def test_a_proof_in_a_million_leaves_needs_some_forty_hashes(size):
    for at in (0, 1, 777_777, size - 1):
        assert len(subtrees.needed(subtrees.inclusion_spans(at, size))) <= 41
        assert len(subtrees.needed(subtrees.consistency_spans(at + 1, size))) <= 41


@pytest.mark.parametrize("index", [-1, 5])
def test_there_are_no_spans_for_what_is_outside_the_tree(index):
    with pytest.raises(OutsideTree, match="5 leaves"):
        subtrees.inclusion_spans(index, 5)
    with pytest.raises(OutsideTree, match="from 1 to 5"):
        subtrees.consistency_spans(index if index < 0 else 6, 5)


def test_an_older_size_of_nothing_proves_nothing():
    with pytest.raises(OutsideTree, match="0 proves nothing"):
        subtrees.consistency_spans(0, 5)


@quick
@given(st.integers(0, 200))
def test_a_packed_edge_goes_on_as_the_tree_would(size):
    grown = GrowingTree()
    for leaf in LEAVES[:size]:
        grown.add(leaf)
    again = GrowingTree.unpack(size, grown.pack())
    assert again == grown
    assert again.add(LEAVES[0]) == grown.add(LEAVES[0])
    assert again.root() == grown.root()


@pytest.mark.parametrize("packed", [b"", b"x" * 31, b"x" * 96])
def test_an_edge_of_another_size_is_refused(packed):
    with pytest.raises(EdgeMismatch, match="A tree of 5 leaves has 2 full subtrees"):
        GrowingTree.unpack(5, packed)
