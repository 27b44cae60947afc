"""From records to versions: the query against naive searches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import OrdinalSpace
from lineage.queries.closure import affected
from lineage.services.importing import ensure_dataset
from tests.lineage.builders import drawn_graph, filled

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@st.composite
def worlds(draw):
    """Snapshots, versions that read earlier nodes, and forget sets."""
    snapshots = draw(st.lists(st.sets(st.integers(0, 7), max_size=5), min_size=1, max_size=4))
    versions = []
    for number in range(draw(st.integers(0, 9))):
        earlier = st.integers(0, len(snapshots) + number - 1)
        influence = st.sampled_from(["DIRECT", "DIRECT", "INDIRECT", "NONE"])
        versions.append(draw(st.dictionaries(earlier, influence, max_size=3)))
    forgotten = draw(
        st.dictionaries(
            st.integers(0, max(0, len(versions) - 1)), st.sets(st.integers(0, 7)), max_size=2
        )
    )
    asked = draw(st.sets(st.integers(0, 7), max_size=4))
    return snapshots, versions, forgotten if versions else {}, asked


def all_paths(versions, first, node):
    """Every way up from a version: (last source, nodes passed, influences)."""
    for source, influence in versions[node - first].items():
        if influence == "NONE":
            continue
        yield source, [node], [influence]
        if source >= first:
            for end, passed, influences in all_paths(versions, first, source):
                yield end, [*passed, node], [*influences, influence]


def naive(world):
    """What acts on each version, record by record and path by path."""
    snapshots, versions, forgotten, asked = world
    first = len(snapshots)
    found = {}
    for number in range(len(versions)):
        hits, shortest, plain = set(), None, False
        for end, passed, influences in all_paths(versions, first, first + number):
            if end >= first:
                continue
            kept = snapshots[end] & asked
            for node in passed:
                kept = kept - forgotten.get(node - first, set())
            if kept:
                hits |= kept
                shortest = min(shortest or 99, len(passed))
                plain = plain or set(influences) == {"DIRECT"}
        if hits:
            found[number] = hits, shortest, plain
    return found


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(worlds())
# The nearest snapshot of the last version holds a record that the last run removed.
@example(
    ([{1}, {2}], [{1: "DIRECT"}, {0: "DIRECT", 2: "DIRECT"}, {3: "DIRECT"}], {2: {1}}, {1, 2})
)
# The only direct way carries a record that was removed.
@example(([{1}, {2}], [{0: "DIRECT", 1: "INDIRECT"}, {2: "DIRECT"}], {1: {1}}, {1, 2}))
# Its own snapshot holds only what it removed; the other record comes through another version.
@example(([{1}, {1, 2}], [{1: "DIRECT"}, {0: "DIRECT", 2: "DIRECT"}], {1: {1}}, {1, 2}))
def test_M11_the_closure_equals_the_naive_search(now, world):
    with transaction.atomic():
        dataset = _space()
        snapshots, versions, forgotten, asked = world
        made = drawn_graph(dataset, now, snapshots, versions, forgotten)
        closure = affected(dataset.space, BitMap(asked))
        expected = naive(world)
        place = {version.id: number for number, version in enumerate(made)}
        assert {place[hit.version.id]: set(hit.forget) for hit in closure.versions} == {
            number: hits for number, (hits, _, _) in expected.items()
        }
        for hit in closure.versions:
            _, shortest, plain = expected[place[hit.version.id]]
            assert hit.depth == shortest
            assert hit.direct == any(
                source < len(snapshots)
                and influence != "NONE"
                and snapshots[source] & set(hit.forget)
                for source, influence in versions[place[hit.version.id]].items()
            )
            assert hit.influence == ("DIRECT" if plain else "INDIRECT")
        order = [place[hit.version.id] for hit in closure.versions]
        for at, number in enumerate(order):
            sources = {s - len(snapshots) for s in versions[number] if s >= len(snapshots)}
            assert sources & set(order) <= set(order[:at])
        assert {place[version.id] for version in closure.not_affected} == (
            set(range(len(made))) - expected.keys()
        )
        transaction.set_rollback(True)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(worlds())
def test_as_of_a_time_is_the_naive_search_of_what_stood_by_then(now, world):
    snapshots, versions, forgotten, asked = world
    hour = timedelta(hours=1)
    with transaction.atomic():
        dataset = filled("faces", 8, now)
        made = drawn_graph(dataset, now, snapshots, versions, forgotten, apart=hour)
        place = {version.id: number for number, version in enumerate(made)}
        for known in range(len(versions) + 1):
            closure = affected(dataset.space, BitMap(asked), as_of=now + known * hour)
            found = {
                place[hit.version.id]: (set(hit.forget), hit.depth) for hit in closure.versions
            }
            expected = naive((snapshots, versions[:known], forgotten, asked))
            assert found == {
                number: (hits, depth) for number, (hits, depth, _) in expected.items()
            }
        transaction.set_rollback(True)


def _space():
    """A data set whose space has handed out eight ordinals, without the records."""
    dataset = ensure_dataset(name="faces")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=8)
    return dataset
