"""All records of a subject are in one shard and slice, wherever that is."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.sharding.coverage import ClassesMissing, check_classes, class_counts
from unlearning.core.sharding.placement import (
    EmptyShard,
    Placement,
    Subjects,
    TooEntangled,
    atoms,
    place,
)

SECRET = b"a secret of the tests"
NAMES = st.sampled_from([f"p{number}" for number in range(25)])
SETS = st.lists(st.frozensets(NAMES, max_size=2), min_size=1, max_size=60)


def placed(of, shards: int, slices: int) -> Placement | None:
    try:
        return place(Subjects(of=of), shards=shards, slices=slices, secret=SECRET)
    except (TooEntangled, EmptyShard):
        return None


@settings(max_examples=100, deadline=None)
@given(SETS, st.integers(1, 4), st.integers(1, 5))
def test_a_subject_is_in_one_shard_and_slice_and_every_record_is_somewhere(of, shards, slices):
    placement = placed(of, shards, slices)
    if placement is None:
        return
    homes: dict[str, set[tuple[int, int]]] = {}
    for shard, parts in enumerate(placement.shards):
        for at, part in enumerate(parts):
            for record in part:
                for name in of[record]:
                    homes.setdefault(name, set()).add((shard, at))
    assert all(len(home) == 1 for home in homes.values())
    everything = [record for parts in placement.shards for part in parts for record in part]
    assert sorted(everything) == list(range(len(of)))
    assert all(part for parts in placement.shards for part in parts)
    for shard, parts in enumerate(placement.shards):
        own = {min(of[record], default=record) for record in placement.records(shard)}
        assert len(parts) <= min(slices, len(own))


@settings(max_examples=100, deadline=None)
@given(SETS)
def test_atoms_are_the_connected_components_of_subjects_and_records(of):
    graph: nx.Graph[int | str] = nx.Graph()
    for number, names in enumerate(of):
        graph.add_node(number)
        graph.add_edges_from((number, name) for name in names)
    expected = {frozenset(part) for part in nx.connected_components(graph)}
    found = [frozenset({*atom.subjects, *atom.records}) for atom in atoms(Subjects(of=of))]
    assert set(found) == expected
    assert len(found) == len(expected)


def people(count: int, each: int = 3) -> list[tuple[str]]:
    return [(f"p{number // each}",) for number in range(count * each)]


def test_where_a_subject_is_does_not_depend_on_anyone_else():
    whole, fewer = placed(people(40), 4, 3), placed(people(39), 4, 3)
    assert whole
    assert fewer
    homes = [
        [next(iter(each.where([record]))) for record in range(117)] for each in (whole, fewer)
    ]
    assert homes[0] == homes[1]
    other = place(Subjects(of=people(40)), shards=4, slices=3, secret=b"another")
    assert other.digest() != whole.digest()


def test_where_says_the_first_slice_of_each_shard():
    placement = Placement(shards=(((4, 5), (0,), (7,)), ((1,), (2, 3), (6,))))
    assert placement.where([7, 0]) == {0: 1}
    assert placement.where([6, 7, 3]) == {0: 2, 1: 1}
    assert placement.where([]) == {}
    assert placement.records(0) == (4, 5, 0, 7)
    assert placement.bounds(1) == (1, 3, 4)


def test_those_likely_to_ask_are_last_and_before_them_the_newest():
    of = [*people(30), *[()] * 6]
    prone = {"p3", "p17"}
    since = {f"p{number}": float(number % 10) for number in range(30)}
    placement = place(
        Subjects(of=of, prone=prone, since=since), shards=1, slices=32, secret=SECRET
    )
    order = [
        tuple(sorted({name for record in part for name in of[record]}))
        for part in placement.shards[0]
    ]
    assert order[:2] == [(), ()]
    assert {name for names in order[-2:] for name in names} == prone
    joined = [since[name] for names in order[2:-2] for name in names]
    assert len(joined) == 28
    assert joined == sorted(joined)


def test_there_are_never_more_slices_than_a_shard_has_subjects():
    placement = placed(people(9), 2, 50)
    assert placement
    people_in = [len({record // 3 for record in placement.records(shard)}) for shard in (0, 1)]
    assert [len(parts) for parts in placement.shards] == people_in
    assert sum(people_in) == 9


def test_slices_are_of_nearly_equal_size():
    placement = placed(people(200, each=2), 2, 5)
    assert placement
    for parts in placement.shards:
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 2


def test_a_giant_that_hangs_together_is_refused_with_its_numbers():
    chain = [(f"q{number}", f"q{number + 1}") for number in range(60)]
    with pytest.raises(TooEntangled, match=r"^60 of 90 records hang together, by 61 subjects who"):
        place(Subjects(of=[*chain, *people(10)]), shards=4, slices=2, secret=SECRET)
    assert len(place(Subjects(of=chain), shards=1, slices=2, secret=SECRET).shards[0]) == 1


def test_a_shard_with_nobody_in_it_is_refused():
    with pytest.raises(EmptyShard, match=r"of 30 shards would be empty, as there are only 31"):
        place(Subjects(of=people(31)), shards=30, slices=1, secret=SECRET)
    with pytest.raises(ValueError, match=r"^shards and slices must be 1 or more, and they are 0"):
        place(Subjects(of=people(4)), shards=0, slices=1, secret=SECRET)


def test_a_plan_whose_shards_miss_classes_is_refused_with_the_numbers():
    placement = Placement(shards=(((0, 1), (2,)), ((3,), (4, 5))))
    check_classes(placement, ["a", "b", "a", "a", "b", "b"])
    assert class_counts(placement, list("abaabb")) == [Counter(a=2, b=1), Counter(a=1, b=2)]
    with pytest.raises(ClassesMissing) as caught:
        check_classes(placement, ["a", "b", "a", "a", "c", "a"])
    assert str(caught.value) == (
        "2 of 2 shards have fewer than 1 records of a class: shard 0 has 0 of the 1 records of "
        "class 'c'; shard 1 has 0 of the 1 records of class 'b'. Use fewer shards, or train on "
        "the whole."
    )
    with pytest.raises(ClassesMissing, match=r"shard 0 has 1 of the 3 records of class 'b'"):
        check_classes(placement, ["a", "b", "a", "a", "b", "b"], least=2)
