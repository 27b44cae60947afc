"""A layout leads forward, keeps nodes apart, and is the same each time."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.core import layered as layered_module
from lineage.core.layered import layered

NODES = st.integers(1, 25)


@st.composite
def graphs(draw, *, acyclic=False):
    count = draw(NODES)
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.sets(ends, max_size=60))
    if acyclic:
        pairs = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    return [f"n{at}" for at in range(count)], [(f"n{src}", f"n{dst}") for src, dst in pairs]


@given(graphs(acyclic=True))
def test_every_edge_of_a_graph_without_cycles_leads_forward(graph):
    nodes, edges = graph
    found = layered(nodes, edges)
    assert not found.turned
    assert all(found.places[src].layer < found.places[dst].layer for src, dst in edges)


@given(graphs())
def test_only_edges_on_a_cycle_lead_back_and_without_them_there_is_none(graph):
    nodes, edges = graph
    found = layered(nodes, edges)
    whole: nx.DiGraph[str] = nx.DiGraph(edges)
    for src, dst in found.turned:
        assert nx.has_path(whole, dst, src)
    for src, dst in edges:
        if src != dst:
            forward = found.places[src].layer < found.places[dst].layer
            assert forward != ((src, dst) in found.turned)


@given(graphs())
def test_nothing_overlaps_and_nothing_lies_outside(graph):
    found = layered(*graph)
    columns: dict[int, list[float]] = {}
    for place in [*found.places.values(), *(one for way in found.ways.values() for one in way)]:
        assert min(place) >= 0
        columns.setdefault(place.layer, []).append(place.row)
    for rows in columns.values():
        assert all(later - earlier > 0.999 for earlier, later in pairwise(sorted(rows)))
    assert set(found.places) == set(graph[0])


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_changes_nothing(graph, shuffle):
    nodes, edges = list(graph[0]), list(graph[1])
    first = layered(nodes, edges)
    shuffle.shuffle(nodes)
    shuffle.shuffle(edges)
    assert layered(nodes, edges) == first


def test_a_long_edge_goes_round_what_lies_between():
    found = layered("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    ((point,),) = found.ways.values()
    assert point.layer == found.places["b"].layer
    assert abs(point.row - found.places["b"].row) > 0.999


def test_edges_run_straight_where_there_are_too_many_long_ones(monkeypatch):
    monkeypatch.setattr(layered_module, "WAYPOINTS", 1)
    chain = [(f"n{at}", f"n{at + 1}") for at in range(5)]
    found = layered([f"n{at}" for at in range(6)], [*chain, ("n0", "n2"), ("n0", "n5")])
    assert found.ways.keys() == {("n0", "n2")}


def test_a_node_in_the_middle_of_its_readers():
    found = layered("abcd", [("a", "b"), ("a", "c"), ("a", "d")])
    assert found.places["a"].row == pytest.approx(1)


def test_an_edge_between_unknown_nodes_is_refused():
    with pytest.raises(KeyError):
        layered("a", [("a", "b")])
