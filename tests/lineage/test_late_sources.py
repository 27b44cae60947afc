"""Where some data came from may be told last: all that has read it by then is judged again."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage.models import ModelVersion
from lineage.queries.closure import affected
from lineage.services.openlineage_names import told_members
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from lineage.services.runs import RunPlan, RunResult, begin_run, finish_run
from tests.lineage.builders import data, filled
from tests.lineage.events import event, model, named, send, trained_on
from tests.lineage.events import faces as told_faces

pytestmark = [pytest.mark.django_db, pytest.mark.database]
CASE = uuid.uuid4()
LATE = uuid.UUID(int=9)


def told_last(now):
    """Say last that some data, which models have read before, came from the first face."""
    d = named("d", version="1")
    send(event("COMPLETE", inputs=[told_faces(0)], outputs=[d], run=LATE), now=now)


def read_before(now):
    """Two models of which nothing is known but that one read some data, and one the other."""
    d = named("d", version="1")
    send(
        trained_on(d, name="reader", run=uuid.UUID(int=2)),
        trained_on(model("reader", "1"), name="child", run=uuid.UUID(int=3)),
        trained_on(named("d", version="2"), name="apart", run=uuid.UUID(int=4)),
        now=now,
    )


def by_name():
    return dict(ModelVersion.objects.values_list("model_name", "state"))


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_reader_of_data_is_judged_when_it_is_told_where_the_data_came_from(now, stop, state):
    faces = filled("faces", 4, now)
    read_before(now)
    stop(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    told_last(now)
    assert by_name() == {"reader": state, "child": "WITHDRAWN", "apart": "ACTIVE"}


def test_a_reader_of_data_from_others_stays_in_use(now):
    faces = filled("faces", 4, now)
    read_before(now)
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([3]), now=now)
    told_last(now)
    assert set(by_name().values()) == {"ACTIVE"}


def test_what_was_drawn_from_data_is_judged_like_the_whole_of_it(now):
    faces, d = filled("faces", 4, now), filled("d", 4, now)
    whole = told_members(d, BitMap(range(4)), "1", now)
    run = begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(whole),)), now=now)
    result = RunResult(model_name="part", weights=b"w", used=BitMap([1, 2]))
    finish_run(run=run, result=result, now=now)
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    told_last(now)
    assert by_name() == {"part": "QUARANTINED"}
    assert [hit.version.model_name for hit in affected(faces.space, BitMap([0])).versions] == [
        "part"
    ]


def test_a_version_that_two_runs_wrote_is_judged_by_what_either_of_them_read(now):
    faces = filled("faces", 4, now)
    send(
        trained_on(told_faces(3), run=uuid.UUID(int=2)),
        trained_on(named("d", version="1"), run=uuid.UUID(int=3), at=1),
        now=now,
    )
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    told_last(now)
    assert by_name() == {"m": "QUARANTINED"}
