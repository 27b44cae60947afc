"""Records that are imported after the event that named their files are found all the same."""

from __future__ import annotations

import json
import uuid

import pytest
from pyroaring import BitMap

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import (
    DatasetSnapshot,
    ModelVersion,
    NamedLocation,
    ReceivedEvent,
    RecordLocation,
    Run,
)
from lineage.queries.closure import affected
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.openlineage_late import match_late
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.builders import filled
from tests.lineage.events import RUN, event, model, named, names, send, trained_on

pytestmark = pytest.mark.django_db
FILES = ("s3://bucket/0", "s3://bucket/1")


def imported(now, *files: str, name="faces"):
    rows = [
        Row(line=at, key=file, subject="anna@example.org", content=b"x", location=file)
        for at, file in enumerate(files, 1)
    ]
    import_records(dataset_name=name, rows=rows, now=now)
    return ensure_dataset(name=name).space


def located(space, ordinal, file):
    """Say where a record lay, behind the back of an import that crashed after its commit."""
    digest = location_digest(keys.get_or_create("location"), file)
    RecordLocation.objects.create(space=space, ordinal=ordinal, digest=digest)
    NamedLocation.objects.filter(digest=digest).update(due=True)


def open_locations():
    return NamedLocation.objects.filter(matched=False)


def test_an_import_matches_the_events_that_came_before(now):
    send(trained_on(named("faces", files=FILES)), now=now)
    assert NamedLocation.objects.count() == 2
    space = imported(now, FILES[0])
    assert names(affected(space, BitMap([0]))) == ["m v1"]
    assert Run.objects.get().capture_level == "NONE"
    imported(now, FILES[1])
    assert names(affected(space, BitMap([1]))) == ["m v1"]
    assert Run.objects.get().capture_level == "REPORTED"
    assert affected(space, BitMap([0])).unknown == ()
    assert not open_locations().exists()


def test_a_match_after_the_fact_counts_in_every_space(now):
    send(trained_on(named("faces", files=FILES)), now=now)
    spaces = [imported(now, FILES[0]), imported(now, FILES[1], name="voices")]
    for space in spaces:
        assert names(affected(space, BitMap([0]))) == ["m v1"]


def test_an_event_that_is_sent_again_is_matched_again(now):
    space = filled("faces", 2, now).space
    told = trained_on(named("faces", files=FILES))
    send(told, now=now)
    located(space, 1, FILES[0])
    assert send(told, told, now=now) == [False, False]
    assert names(affected(space, BitMap([1]))) == ["m v1"]
    assert open_locations().count() == 1


def test_matching_again_changes_nothing(now):
    send(trained_on(named("faces", files=FILES)), now=now)
    imported(now, *FILES)
    before = (list(ReceivedEvent.objects.values()), DatasetSnapshot.objects.count())
    assert match_late(now=now) == 0
    assert before == (list(ReceivedEvent.objects.values()), DatasetSnapshot.objects.count())


def test_what_an_import_left_behind_when_it_crashed_is_matched_by_the_sweep(now):
    space = filled("faces", 2, now).space
    send(trained_on(named("faces", files=FILES)), now=now)
    located(space, 1, FILES[0])
    assert (match_late(now=now), match_late(now=now)) == (1, 0)
    assert names(affected(space, BitMap([1]))) == ["m v1"]


def test_a_version_of_a_restricted_record_is_withdrawn_when_its_file_is_matched(now):
    space = filled("faces", 2, now).space
    send(trained_on(named("faces", files=FILES)), now=now)
    restrict(case_id=RUN, space=space, ordinals=BitMap([1]), now=now)
    located(space, 1, FILES[0])
    match_late(now=now)
    version = ModelVersion.objects.get()
    assert (version.state, version.metrics["born_affected"]) == ("WITHDRAWN", True)


def test_an_erasure_first_matches_the_files_that_it_is_about_to_forget(now):
    space = filled("faces", 2, now).space
    send(
        trained_on(named("faces", files=FILES)),
        trained_on(model("m", "1"), run=uuid.UUID(int=5), name="child"),
        now=now,
    )
    located(space, 1, FILES[0])
    erase_records(case_id=RUN, space=space, ordinals=BitMap([1]), now=now)
    states = dict(ModelVersion.objects.values_list("model_name", "state"))
    assert states == {"m": "QUARANTINED", "child": "WITHDRAWN"}
    digests = [location_digest(keys.get_or_create("location"), file) for file in FILES]
    known = NamedLocation.objects.filter(digest__in=digests)
    assert [bytes(one.digest) for one in known] == digests[1:]  # which is nobody's
    assert not RecordLocation.objects.exists()


def test_only_keyed_digests_are_kept_of_files(now, caplog):
    send(trained_on(named("faces", files=FILES)), now=now)
    imported(now, *FILES)
    kept = json.dumps(list(ReceivedEvent.objects.values_list("body", flat=True)))
    assert "bucket" not in kept + caplog.text


def test_two_events_may_name_the_same_file(now):
    inputs = [named("faces", files=FILES), named("voices", files=FILES[:1])]
    send(event("START", inputs=inputs), trained_on(*inputs), now=now)
    assert open_locations().count() == 6
    space = imported(now, *FILES)
    assert not open_locations().exists()
    assert names(affected(space, BitMap([0]))) == ["m v1"]


@pytest.mark.database
def test_an_import_and_an_event_at_once_never_miss_each_other(processes, now):
    def act(number):
        if number % 2:
            imported(now, FILES[0])
        else:
            run = uuid.UUID(int=number + 1)
            send(trained_on(named("faces", files=FILES), run=run, name=f"m{number}"), now=now)

    processes(act, 4)

    def ask(_number):
        return names(affected(ensure_dataset(name="faces").space, BitMap([0])))

    assert sorted(processes(ask, 1)[0]) == ["m0 v1", "m2 v1"]
