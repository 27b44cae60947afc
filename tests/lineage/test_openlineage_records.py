"""What OpenLineage events say of records that are stopped, erased or purged."""

from __future__ import annotations

import json
import uuid

import pytest
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, ModelVersion, ReceivedEvent, Run
from lineage.queries.closure import affected
from lineage.queries.membership import members
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.builders import filled
from tests.lineage.events import RUN, event, faces, model, names, send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_version_of_stopped_records_is_born_affected(now, stop, state):
    dataset = filled("faces", 2, now)
    send(event("START", inputs=[faces(0)]), now=now)
    stop(case_id=RUN, space=dataset.space, ordinals=BitMap([0]), now=now)
    send(event("COMPLETE", at=1, outputs=[model("m")]), now=now)
    assert ModelVersion.objects.get().state == state


def test_files_that_a_subset_names_are_the_records_imported_from_them(now):
    rows = [
        Row(
            line=at,
            key=f"k{at}",
            subject="anna@example.org",
            content=None,
            location=f"s3://bucket/{at}.jpg",
        )
        for at in range(3)
    ]
    import_records(dataset_name="faces", rows=rows, now=now)
    space = ensure_dataset(name="faces").space

    def files(*numbers: int):
        locations = [f"s3://bucket/{number}.jpg" for number in numbers]
        condition = {"type": "location", "locations": locations}
        subset = {"subset": {"inputCondition": condition}}
        return {"namespace": "default", "name": "faces", "inputFacets": subset}

    send(event("COMPLETE", inputs=[files(0, 2)], outputs=[model("m")]), now=now)
    assert names(affected(space, BitMap([2]))) == ["m v1"]
    assert affected(space, BitMap([1])).unknown == ()
    assert "bucket" not in json.dumps(list(ReceivedEvent.objects.values_list("body", flat=True)))
    other = uuid.UUID(int=5)
    send(event("COMPLETE", run=other, inputs=[files(0, 9)], outputs=[model("n")]), now=now)
    # One file is not known, so who else is in it is not known either.
    assert [str(v) for v in affected(space, BitMap([1])).unknown] == ["n v1"]


def test_an_erased_record_is_not_matched_any_more(now):
    row = Row(line=1, key="k", subject="a@example.org", content=b"x", location="file:///a")
    import_records(dataset_name="faces", rows=[row], now=now)
    space = ensure_dataset(name="faces").space
    erase_records(case_id=RUN, space=space, ordinals=BitMap([0]), now=now)
    condition = {"type": "location", "locations": ["file:///a"]}
    source = {
        "namespace": "default",
        "name": "faces",
        "inputFacets": {"subset": {"inputCondition": condition}},
    }
    send(event("COMPLETE", inputs=[source], outputs=[model("m")]), now=now)
    assert Run.objects.get().capture_level == "NONE"


def test_after_a_hard_purge_what_a_run_had_read_still_counts(now):
    dataset = filled("faces", 4, now)
    send(event("START", inputs=[faces(0, 2)]), event("COMPLETE", at=1), now=now)
    erase_records(case_id=RUN, space=dataset.space, ordinals=BitMap([0]), now=now, hard=True)
    send(event("OTHER", at=2, outputs=[model("m")]), now=now)
    kept = {tuple(members(one)) for one in DatasetSnapshot.objects.all()}
    assert kept == {(), (0, 2), (2,)}  # the second is what that run drew; its case rewrites it
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    assert ModelVersion.objects.get().state == "QUARANTINED"


def test_members_of_another_space_do_not_clear_a_version(now):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    told = {**faces(0), "namespace": "default", "name": "voices"}
    send(event("COMPLETE", inputs=[told], outputs=[model("m")]), now=now)
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    for space in (dataset.space, other.space):
        assert [str(v) for v in affected(space, BitMap([1])).unknown] == ["m v1"]


def test_one_told_state_does_not_speak_for_another(now):
    dataset = filled("faces", 4, now)
    untold = {
        "namespace": "default",
        "name": "faces",
        "facets": {"version": {"datasetVersion": "yesterday"}},
    }
    told = {**faces(0), "namespace": "default", "name": "faces"}
    send(event("COMPLETE", inputs=[told, untold], outputs=[model("m")]), now=now)
    assert [str(v) for v in affected(dataset.space, BitMap([1])).unknown] == ["m v1"]


def test_two_runs_that_write_one_data_set_both_act_on_it(now):
    dataset = filled("faces", 4, now)
    crops = {"namespace": "lake", "name": "crops"}
    for number in (0, 1):
        run = uuid.UUID(int=number + 1)
        send(event("COMPLETE", inputs=[faces(number)], outputs=[crops], run=run), now=now)
    send(event("COMPLETE", inputs=[crops], outputs=[model("m")]), now=now)
    for number in (0, 1):
        assert names(affected(dataset.space, BitMap([number]))) == ["m v1"]
