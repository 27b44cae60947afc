from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core.graph import (
    Edge,
    arrivals,
    descendants,
    path_to,
    topological_order,
)
from lineage.core.influence import carried
from lineage.core.membership import committed, leaf, snapshot_digest


def edge(src, dst, influence="DIRECT"):
    return Edge(src=src, dst=dst, role="TRAINING", influence=influence)


graphs = st.lists(st.tuples(st.integers(0, 11), st.integers(1, 4)), max_size=30).map(
    lambda pairs: sorted({edge(src, src + gap) for src, gap in pairs})
)


def reachable(edges, sources):
    """The slow way: repeat until nothing is added."""
    found = set(sources)
    while more := {e.dst for e in edges if e.src in found} - found:
        found |= more
    return found


@settings(max_examples=60, deadline=None)
@given(graphs, st.sets(st.integers(0, 11), min_size=1, max_size=3))
def test_descendants_are_those_of_the_naive_search(edges, sources):
    assert descendants(edges, sources) == reachable(edges, sources)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_every_node_comes_after_what_it_was_derived_from(edges):
    order = topological_order([99], edges)
    place = {node: at for at, node in enumerate(order)}
    assert set(order) == {99} | {e.src for e in edges} | {e.dst for e in edges}
    assert len(order) == len(set(order))
    assert all(place[e.src] < place[e.dst] for e in edges)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_a_path_is_connected_and_no_shorter_one_exists(edges):
    reached = arrivals(edges, [0])
    for target in reached:
        path = path_to(reached, target)
        ends = [0, *(e.dst for e in path)]
        assert [e.src for e in path] == ends[:-1]
        assert ends[-1] == target
        near = {0}
        for _ in range(len(path) - 1):
            near |= {e.dst for e in edges if e.src in near}
        assert target not in near or len(path) <= 1


def test_nodes_of_a_cycle_stand_together_after_what_they_came_from():
    tangle = [edge(9, 2), edge(2, 1), edge(1, 2), edge(1, 0), edge(5, 5)]
    assert topological_order([], tangle) == [9, 1, 2, 0, 5]


tangles = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@settings(max_examples=100, deadline=None)
@given(tangles, st.dictionaries(st.integers(0, 7), st.integers(0, 3)), st.integers(0, 7))
def test_on_any_graph_cycles_included_each_record_goes_wherever_a_way_leads(pairs, starts, cut):
    edges = [edge(*pair) for pair in pairs]
    held = {node: BitMap([record]) for node, record in starts.items()}
    gone = {(source, cut): BitMap([0]) for source in range(8)}
    acting = carried(edges, held, gone).acting
    for record in range(4):
        has = {node for node, first in starts.items() if first == record}
        while more := {
            target
            for source, target in pairs
            if source in has and target not in has and (record, target) != (0, cut)
        }:
            has |= more
        assert {node for node, hits in acting.items() if record in hits} == has


def test_a_chain_of_thousands_is_no_recursion():
    edges = [edge(at, at + 1) for at in range(5_000)]
    assert len(descendants(edges, [0])) == 5_001
    assert len(path_to(arrivals(edges, [0]), 5_000)) == 5_000


def test_what_a_run_removed_does_not_reach_its_descendants():
    edges = [edge(0, 1), edge(1, 2), edge(2, 3), edge(0, 3)]
    acting = carried(edges[:3], {0: BitMap([1, 2, 3])}, {(1, 2): BitMap([2])}).acting
    assert [sorted(acting[node]) for node in (1, 2, 3)] == [[1, 2, 3], [1, 3], [1, 3]]
    again = carried(edges, {0: BitMap([1, 2, 3])}, {(1, 2): BitMap([2])}).acting
    assert sorted(again[3]) == [1, 2, 3]  # it read them itself


def test_what_a_run_removed_is_still_held_by_a_snapshot_that_holds_it():
    """Recall first: membership is the truth, whatever the run that wrote it claims."""
    edges = [edge(0, 1), edge(1, 2)]
    acting = carried(
        edges, {0: BitMap([1, 2]), 1: BitMap([2, 3])}, {(0, 1): BitMap([1, 2])}
    ).acting
    assert [sorted(acting[node]) for node in (1, 2)] == [[2, 3], [2, 3]]


def test_what_one_run_removed_still_comes_by_another_way():
    edges = [edge(0, 2), edge(1, 2), edge(2, 3)]
    acting = carried(edges, {0: BitMap([1, 2]), 1: BitMap([1])}, {(0, 2): BitMap([1])}).acting
    assert [sorted(acting[node]) for node in (2, 3)] == [[1, 2], [1, 2]]


def _sha(text):
    return hashlib.sha256(text.encode()).digest()


def test_the_snapshot_digest_is_the_tree_of_rfc_6962():
    def recursive(leaves):  # RFC 6962 2.1 as it is written
        if len(leaves) == 1:
            return leaves[0]
        k = 1
        while k * 2 < len(leaves):
            k *= 2
        inner = b"\x01" + recursive(leaves[:k]) + recursive(leaves[k:])
        return hashlib.sha256(inner).digest()

    for size in range(1, 20):
        chunks = [(at * 3, _sha(str(at))) for at in range(size)]
        leaves = [leaf(number, sha256) for number, sha256 in chunks]
        assert snapshot_digest(chunks) == committed(size, recursive(leaves)).hex()
        assert snapshot_digest(reversed(chunks)) == snapshot_digest(chunks)


def test_the_snapshot_digest_depends_on_every_chunk_and_its_number():
    chunks = [(0, _sha("a")), (1, _sha("b"))]
    others = [
        [(0, _sha("a")), (2, _sha("b"))],
        [(0, _sha("a"))],
        [],
        [(0, _sha("b")), (1, _sha("a"))],
    ]
    assert len({snapshot_digest(c) for c in [chunks, *others]}) == 5
