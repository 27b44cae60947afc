"""What is folded keeps every way, hides nothing that is unknown, and is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lineage.core import folding
from lineage.core.folding import Item, folded, nearest
from lineage.core.graph import Edge


def edge(src, dst):
    return Edge(src, dst, "TRAINING", "DIRECT")


def item(node, kind="MODEL", family="", *, alone=False):
    return Item(node=node, name=f"n{node}", kind=kind, family=family, alone=alone)


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    items = [
        item(
            at,
            kind="SNAPSHOT" if (family := draw(st.sampled_from(["", "", "f", "g"]))) else "MODEL",
            family=family,
            alone=not family and draw(st.booleans()),
        )
        for at in range(count)
    ]
    pairs = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))))
    edges = [edge(src, dst) for src, dst in pairs if src < dst]
    opened = draw(st.sets(st.sampled_from(["family:f", "family:g", "alike:n1"])))
    return items, edges, opened


@given(graphs())
def test_every_node_and_every_edge_is_behind_exactly_one_that_is_drawn(graph):
    items, edges, opened = graph
    found = folded(items, edges, opened=opened)
    behind = [node for nodes in found.members.values() for node in nodes]
    assert sorted(behind) == [one.node for one in items]
    where = {node: name for name, nodes in found.members.items() for node in nodes}
    crossing = [one for one in edges if where[one.src] != where[one.dst]]
    assert sorted(one for parts in found.edges.values() for one in parts) == sorted(crossing)
    assert all(where[one.src] == src for (src, _), parts in found.edges.items() for one in parts)


@given(graphs())
def test_what_is_never_folded_stands_alone_and_so_does_what_is_opened(graph):
    items, edges, opened = graph
    found = folded(items, edges, opened=opened)
    for one in items:
        if one.alone or f"family:{one.family}" in opened:
            assert found.members[one.name] == (one.node,)


@given(graphs(), st.integers(1, 6), st.data())
def test_what_is_chosen_hangs_together_and_what_is_unknown_comes_first(graph, shown, data):
    items, edges, opened = graph
    found = folded(items, edges, opened=opened)
    alone = {one.name for one in items if one.alone}
    centres = data.draw(st.sets(st.sampled_from(sorted(found.members)), min_size=1))
    near = nearest(found, centres, alone, shown=shown)
    reachable = nearest(found, centres, alone, shown=10_000)
    assert set(near.distance) | set(near.left_out) == set(found.members)
    assert not set(near.distance) & set(near.left_out)
    assert alone & set(reachable.distance) <= set(near.distance)
    for name, hops in near.distance.items():
        step = 1 if hops > 0 else -1
        beside = [
            src if step > 0 else dst
            for src, dst in found.edges
            if (dst if step > 0 else src) == name
        ]
        assert hops == 0 or any(
            near.distance.get(one) in (hops - step, step - hops) for one in beside
        )


def test_models_with_the_same_neighbours_become_one_that_can_be_opened():
    items = [item(0, kind="SNAPSHOT"), *(item(at) for at in range(1, 6)), item(6, alone=True)]
    edges = [edge(0, at) for at in range(1, 7)]
    found = folded(items, edges)
    assert found.members == {"n0": (0,), "alike:n1": (1, 2, 3, 4, 5), "n6": (6,)}
    assert found.opens == {"alike:n1": "alike:n1"}
    opened = folded(items, edges, opened={"alike:n1"})
    assert len(opened.members) == 7
    assert opened.folds == {f"n{at}": "alike:n1" for at in range(1, 6)}


def test_snapshots_that_follow_one_another_stay_one_family():
    items = [item(at, kind="SNAPSHOT", family="f") for at in range(4)]
    found = folded(items, [edge(at, at + 1) for at in range(3)])
    assert found.members == {"family:f": (0, 1, 2, 3)}


def test_data_that_a_model_wrote_from_earlier_such_data_is_split_by_generation():
    items = [item(0, kind="SNAPSHOT", family="f"), item(1), item(2, kind="SNAPSHOT", family="f")]
    found = folded(items, [edge(0, 1), edge(1, 2)])
    assert found.members == {"family:f:0": (0,), "n1": (1,), "family:f:2": (2,)}
    assert found.opens == {"family:f:0": "family:f", "family:f:2": "family:f"}


def test_never_more_is_drawn_than_the_most(monkeypatch):
    monkeypatch.setattr(folding, "MOST", 5)
    items = [item(0, kind="SNAPSHOT"), *(item(at, alone=True) for at in range(1, 9))]
    near = nearest(
        folded(items, [edge(0, at) for at in range(1, 9)]),
        {"n0"},
        {f"n{at}" for at in range(1, 9)},
    )
    assert len(near.distance) == 5
    assert len(near.left_out) == 4
