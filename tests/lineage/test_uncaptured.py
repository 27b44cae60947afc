"""What was not captured, and what lies around something, found at once as in small steps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from pyroaring import BitMap

from lineage.models import (
    Dataset,
    DatasetSnapshot,
    LineageNode,
    ModelVersion,
    NamedLocation,
    OrdinalSpace,
    ReceivedEvent,
    RecordMapBlock,
    Role,
    Run,
)
from lineage.queries.edges import edges_above, edges_below
from lineage.queries.graph_region import Asked, region_of
from lineage.queries.nodes import nodes_of
from lineage.queries.uncaptured import Uncaptured, uncaptured, uncaptured_versions
from lineage.services.importing import ensure_dataset
from lineage.services.runs import Input, RunPlan, begin_run, finish_derivation
from tests.lineage.builders import base, data, filled, snapshot, trained
from tests.lineage.plainly import plainly_uncaptured
from tests.lineage.worlds import worlds, written

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def compared() -> None:
    """Compare every space by itself, and all at once, with the plain way; then each region."""
    spaces = list(OrdinalSpace.objects.all())
    plain = [plainly_uncaptured(space) for space in spaces]
    for space, expected in zip(spaces, plain, strict=True):
        assert uncaptured([space]) == expected
    assert uncaptured(spaces) == Uncaptured(
        set().union(*(one.nodes for one in plain)), set().union(*(one.edges for one in plain))
    )
    for asked in [
        *(Asked(version=one) for one in ModelVersion.objects.all()),
        *(Asked(dataset=one) for one in Dataset.objects.all()),
    ]:
        snapshots = DatasetSnapshot.objects.filter(dataset=asked.dataset)
        objects = [asked.version.pk] if asked.version else snapshots.values_list("id", flat=True)
        centres = set(nodes_of(objects).values())
        region = region_of(asked)
        assert region.centres == centres
        assert region.edges == {
            *edges_above(centres, without=""),
            *edges_below(centres, without=""),
        }


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_any_world_is_answered_as_in_small_steps(world):
    with transaction.atomic():
        written(world)
        compared()
        transaction.set_rollback(True)


def untold(name, now, *inputs: Input):
    return trained(name, now, *inputs, capture_level="NONE")


@pytest.fixture
def rich(now):
    """Runs that said nothing, or something, of what they read, with all that makes it unclear."""
    faces, songs, made = filled("faces", 9, now), filled("songs", 3, now), filled("made", 3, now)
    empty = ensure_dataset(name="empty")
    first = trained("first", now, data(snapshot(faces, now)))
    plan = RunPlan(activity=Run.Activity.SYNTHESISE, inputs=(base(first, Role.GENERATOR),))
    ours = finish_derivation(
        run=begin_run(plan=plan, now=now), dataset=made, ordinals=BitMap([0]), now=now
    )
    heard = snapshot(songs, now)
    versions = {
        "silent": untold("silent", now),
        "sure": untold("sure", now, data(heard)),
        "mixed": untold("mixed", now, data(heard), data(snapshot(faces, now, [1]))),
        "removed": untold("removed", now, data(heard), data(snapshot(faces, now), Role.FORGET)),
        "derived": untold("derived", now, data(ours)),
        "nowhere": untold("nowhere", now, data(snapshot(empty, now))),
        "named": untold("named", now, data(heard)),
    }
    versions["below"] = trained("below", now, base(versions["sure"]), capture_level="SNAPSHOT")
    event = ReceivedEvent.objects.create(
        sha256="e" * 64,
        run_id=versions["named"].generated_by_id,
        event_time=now,
        received_at=now,
    )
    NamedLocation.objects.create(digest=b"x" * 16, event=event, place=0)
    run = begin_run(plan=RunPlan(activity=Run.Activity.SYNTHESISE), now=now)
    finish_derivation(run=run, dataset=made, ordinals=BitMap([0]), now=now + timedelta(hours=1))
    Run.objects.filter(pk=run.pk).update(capture_level=Run.Capture.NONE)
    return faces.space, songs.space, versions


def test_what_runs_said_of_their_inputs_is_weighed_as_in_small_steps(rich):
    faces, songs, versions = rich
    compared()
    found = uncaptured_versions(faces)
    assert {name for name, one in versions.items() if one.pk in found} == {
        *("silent", "mixed", "derived", "nowhere", "named"),
    }
    assert {versions[name].pk for name in ("sure", "removed", "below")} <= uncaptured_versions(
        songs
    )


def test_data_whose_records_came_from_a_space_is_not_elsewhere(rich):
    faces, songs, versions = rich
    between = OrdinalSpace.objects.create(name="between", next_ordinal=1)
    for source, derived in ((faces, between), (between, songs)):
        RecordMapBlock.objects.create(
            source_space=source, derived_space=derived, block_no=0, part=0
        )
    compared()
    assert versions["sure"].pk in uncaptured_versions(faces)


def test_no_space_has_nothing_that_may_have_learned_from_it(rich):
    assert uncaptured([]) == Uncaptured(set(), set())
    assert LineageNode.objects.exists()
