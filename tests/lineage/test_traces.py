"""What is known by the trace of a hard purge alone: since when, and on what way."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from pyroaring import BitMap

from lineage.models import Dataset, LineageEdge, LineageNode, Run
from lineage.queries.closure import ERASED, TRACE, Step, affected
from lineage.queries.questions import affected_by
from lineage.services.purge import erase_records
from tests.lineage.builders import base, data, filled, snapshot, trained
from tests.lineage.events import names

CASE = uuid.UUID(int=7)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def space(now):
    """Return a space whose record 0 was erased at 5 h; m came at 2 h, n of it at 4 h."""
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now + HOUR)
    first = trained("m", now + 2 * HOUR, data(taken))
    trained("n", now + 4 * HOUR, base(first))
    trained("checked", now + 4 * HOUR, data(taken, "VALIDATION"))
    erase_records(
        case_id=CASE, space=dataset.space, ordinals=BitMap([0]), now=now + 5 * HOUR, hard=True
    )
    return dataset.space


def test_as_of_a_time_a_trace_is_on_nothing_that_came_later(now, space):
    known = {
        hours: names(affected(space, BitMap([0]), as_of=now + hours * HOUR)) for hours in range(5)
    }
    assert known == {
        0: [],
        1: [],
        2: ["m v1"],
        3: ["m v1"],
        4: ["m v1", "n v1", "checked v1"],
    }


def test_as_of_a_time_no_trace_of_data_acts_before_it_was_derived(now, space):
    """Nor does a version that is asked for although it was not there yet."""
    last = affected(space, BitMap([0])).versions[0].version
    early = affected(space, BitMap([0]), as_of=now + HOUR, besides=last.id)
    assert early.versions == ()


def test_the_way_from_a_trace_says_that_it_is_one(space):
    found = {str(hit.version): hit for hit in affected(space, BitMap([0])).versions}
    direct = Step(source=ERASED, role=TRACE, influence="DIRECT")
    assert found["m v1"].path == (direct,)
    assert (found["m v1"].influence, found["m v1"].depth) == ("DIRECT", 1)
    checked = found["checked v1"]
    assert checked.path == (Step(source=ERASED, role=TRACE, influence="INDIRECT"),)
    assert checked.influence == "INDIRECT"


def test_the_way_from_data_that_followed_its_records_one_by_one_says_so_too(now, space):
    """What came later learned from no node with a trace but that data."""
    whole, part = (snapshot(filled(name, 2, now), now) for name in ("made", "resized"))
    read = snapshot(Dataset.objects.get(name="faces"), now, [1])
    nodes = [LineageNode.objects.get(object_id=one.id) for one in (read, whole, part)]
    run = Run.objects.create(activity="TRANSFORM", started_at=now)
    for (src, dst), influence in zip(pairwise(nodes), ("DIRECT", "NONE"), strict=True):
        LineageEdge.objects.create(
            src=src, dst=dst, role="SOURCE_DATA", influence=influence, run=run, valid_from=now
        )
    erase_records(case_id=run.id, space=space, ordinals=BitMap([1]), now=now, hard=True)
    trained("later", now, data(part))
    (hit,) = (
        hit for hit in affected(space, BitMap([1])).versions if hit.version.model_name == "later"
    )
    trace, last = hit.path
    assert trace == Step(source=ERASED, role=TRACE, influence="DIRECT")
    assert (last.source, hit.influence) == (str(part), "DIRECT")


def test_whoever_asks_why_is_told_of_the_trace(space):
    (hit, *_) = affected_by({space: BitMap([0])})["affected"]
    assert hit["why"] == [{"source": ERASED, "role": TRACE, "influence": "DIRECT"}]
