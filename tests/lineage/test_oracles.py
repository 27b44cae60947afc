"""Every question equals its naive answer, on random graphs of every shape."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, ModelVersion
from lineage.queries.closure import affected
from lineage.queries.coverage import coverage
from lineage.queries.questions import affected_by, left_without
from tests.lineage import naive
from tests.lineage.worlds import BORN, HOUR, NAMES, TURN, worlds, written

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def examples(count):
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@contextmanager
def there(world):
    """Write a world, and take it away again."""
    with transaction.atomic():
        yield written(world)
        transaction.set_rollback(True)


def asked(world, done):
    return {done.spaces[0]: BitMap(world.asked)}


def by_space(world):
    """Return what is asked for in each space, the records derived by the map included."""
    return [world.asked, world.derived(world.asked)]


@examples(40)
@given(world=worlds())
def test_affected_and_possibly_affected_are_those_of_the_naive_walk(world):
    with there(world) as done:
        answer = affected_by(asked(world, done))
        shown = naive.listed(world)
        expected = {
            (NAMES[space], at): found
            for space, ordinals in enumerate(by_space(world))
            for at, found in naive.affected(world, space, ordinals).items()
            if at in shown
        }
        told = {(hit["space"], _place(done, hit)): hit for hit in answer["affected"]}
        assert len(told) == len(answer["affected"])
        assert told.keys() == expected.keys()
        for (name, at), hit in told.items():
            found = expected[name, at]
            assert (hit["hits"], hit["depth"], hit["direct"], hit["influence"]) == (
                len(found.hits),
                found.depth,
                found.direct,
                found.influence,
            )
            assert hit["forget_set_digest"] == _digest(found.hits)
            space = NAMES.index(name)
            assert hit["earliest_step"] == naive.earliest(world, at, space, found.hits)
        sure = {at for _, at in told}
        maybe = set().union(
            *(naive.suspected(world, space) for space, held in enumerate(by_space(world)) if held)
        )
        assert {_place(done, one) for one in answer["possibly_affected"]} == (maybe & shown) - sure
        assert answer["not_affected"] == len(shown - maybe - sure)


def _place(done, named):
    return [str(one) for one in done.ids].index(named["version"])


def _digest(ordinals):
    small = BitMap(ordinals)
    small.run_optimize()
    return hashlib.sha256(small.serialize()).hexdigest()


@examples(40)
@given(world=worlds())
def test_each_way_that_is_told_exists_and_none_is_shorter(world):
    with there(world) as done:
        for space, ordinals in enumerate(by_space(world)):
            answer = affected(done.spaces[space], BitMap(ordinals))
            expected = naive.affected(world, space, ordinals)
            for hit in answer.versions:
                at = done.place(hit.version.id)
                assert set(hit.forget) == expected[at].hits
                assert len(hit.path) == expected[at].depth
                assert _leads_from_a_record(world, done, space, hit)


def _label(object_id):
    version = ModelVersion.objects.filter(id=object_id).first()
    return str(version or DatasetSnapshot.objects.get(id=object_id))


def _leads_from_a_record(world, done, space, hit):
    """Walk the told way backwards over every node that has the told name; one must be right."""
    names = [_label(one) for one in done.ids]
    ends = {done.place(hit.version.id): set(hit.forget)}
    for step in reversed(hit.path):
        before: dict[int, set[int]] = {}
        for at, carried in ends.items():
            node = world.nodes[at]
            for source, use in node.sources.items():
                if names[source] == step.source and use == (step.role, step.influence):
                    cut = node.forgets if space == 0 and source not in node.again else set()
                    before[source] = before.get(source, set()) | (carried - cut)
        ends = before
    return any(
        world.nodes[at].space == space and world.nodes[at].members & carried
        for at, carried in ends.items()
    )


@examples(40)
@given(world=worlds(), hour=st.integers(0, 8))
def test_as_of_a_time_nothing_counts_that_came_later_or_was_gone(world, hour):
    with there(world) as done:
        answer = affected_by(asked(world, done), as_of=BORN + hour * HOUR)
        shown = naive.listed(world, hours=hour + 1, turn=TURN)
        valid = {one for one in world.asked if _valid(world, one, hour)}
        expected = {
            (NAMES[space], at): (len(found.hits), found.depth)
            for space, ordinals in enumerate([valid, world.derived(valid)])
            for at, found in naive.affected(world, space, ordinals, hours=hour + 1).items()
            if at in shown
        }
        told = {
            (hit["space"], _place(done, hit)): (hit["hits"], hit["depth"])
            for hit in answer["affected"]
        }
        assert told == expected


def _valid(world, ordinal, hour):
    """Whether a face had come by an hour and was not erased; captions are there all along."""
    came = 0 if ordinal < 8 else TURN
    return came <= hour and not (ordinal in world.erased and hour >= TURN)


@examples(40)
@given(world=worlds())
def test_what_would_be_left_is_what_the_naive_count_leaves(world):
    with there(world) as done:
        answer = left_without(asked(world, done))
        shown = naive.listed(world)
        expected = {
            (NAMES[space], at): naive.left(world, at, space, found.hits)
            for space, ordinals in enumerate(by_space(world))
            for at, found in naive.affected(world, space, ordinals).items()
            if at in shown
        }
        told = {(one["space"], _place(done, one)): one for one in answer["versions"]}
        assert told.keys() == expected.keys()
        for key, left in expected.items():
            assert {name: told[key][name] for name in left} == left
        assert len(answer["untouched"]) == len(shown - {at for _, at in expected})


@examples(30)
@given(world=worlds())
def test_coverage_counts_what_a_hand_would_count(world):
    with there(world):
        answer = coverage()
        shown = [world.nodes[at] for at in sorted(naive.listed(world))]
        blind = [node for node in shown if not node.captured]
        assert answer["versions"] == len(shown)
        assert answer["captured"]["NONE"] == len(blind)
        assert answer["captured"]["SNAPSHOT"] == len(shown) - len(blind)
        assert len(answer["gaps"]["not_captured"]) == len(blind)
        assert len(answer["gaps"]["without_recipe"]) == sum(not node.recipe for node in shown)
        assert len(answer["models"]) == len(shown)  # each has a name of its own
        told = {one["data_set"]: one for one in answer["data_sets"]}
        for space, name in enumerate(NAMES):
            reading = [
                node
                for node in shown
                if any(world.nodes[source].space == space for source in node.sources)
            ]
            if reading:
                one = told[f"default/{name}"]
                assert one["versions"] == len(reading)
                assert len(one["not_captured"]) == sum(not node.captured for node in reading)
