"""What is told from outside may only ever add to the versions that a record affects."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from pyroaring import BitMap

from lineage.core.openlineage import EventUnreadable
from lineage.models import Dataset, ModelVersion, ReceivedEvent, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.openlineage import VersionTaken, receive
from lineage.services.purge import erase_records
from lineage.services.snapshots import OrdinalsUnknown
from lineage.services.versions import withdraw
from tests.lineage.builders import data, filled, snapshot, trained
from tests.lineage.events import RUN, event, faces, model, named, names, send, trained_on
from tests.lineage.remote import key

OTHER, THIRD = uuid.UUID(int=78), uuid.UUID(int=79)
pytestmark = pytest.mark.django_db


def unknown(closure):
    return [str(version) for version in closure.unknown]


def located(name, now, *files: str):
    rows = [
        Row(line=at, key=f"k{at}", subject="anna@example.org", content=b"%d" % at, location=file)
        for at, file in enumerate(files, 1)
    ]
    import_records(dataset_name=name, rows=rows, now=now)
    return ensure_dataset(name=name)


# --- what only this platform may say ---------------------------------------------------------


def test_a_forget_set_told_from_outside_takes_nobody_out(now):
    dataset = filled("faces", 4, now)
    state = snapshot(dataset, now)
    whole = named("faces", version=state.digest)
    forgotten = faces(3)
    forgotten["facets"] = {"version": {"datasetVersion": state.digest}}
    forgotten["inputFacets"]["expunge_role"] = {"role": "FORGET"}
    send(
        trained_on(whole),
        trained_on(whole, model("m", "1"), forgotten, run=OTHER, name="n"),
        now=now,
    )
    for ordinal in range(4):
        assert names(affected(dataset.space, BitMap([ordinal]))) == ["m v1", "n v1"]
    assert set(RunInput.objects.values_list("role", flat=True)) == {"TRAINING", "BASE_MODEL"}


def test_a_run_that_calls_itself_unlearning_is_judged_as_any_other(now):
    filled("faces", 2, now)
    send(trained_on(faces(0)), now=now)
    withdraw(version=ModelVersion.objects.get(), by_case=RUN, now=now)
    cleared = trained_on(model("m", "1"), run=OTHER, name="n")
    cleared["job"]["facets"] = {"jobType": {"jobType": "UNLEARN"}}
    send(cleared, now=now)
    assert ModelVersion.objects.get(model_name="n").state == "WITHDRAWN"
    assert Run.objects.get(id=OTHER).activity == "TRAIN"


# --- what nobody knows ------------------------------------------------------------------------


def test_a_data_set_that_is_not_known_here_may_be_any(now):
    spaces = [filled(name, 2, now).space for name in ("faces", "voices")]
    send(trained_on(named("train/faces", namespace="s3://bucket")), now=now)
    assert [unknown(affected(space, BitMap([0]))) for space in spaces] == [["m v1"], ["m v1"]]


def test_one_unknown_data_set_beside_a_known_one_may_still_be_any(now):
    faces_space = filled("faces", 2, now).space
    filled("voices", 2, now)
    send(trained_on(named("voices"), named("x", namespace="lake")), now=now)
    assert unknown(affected(faces_space, BitMap([0]))) == ["m v1"]


def test_a_file_that_no_record_was_imported_from_may_be_of_any_space(now):
    faces_space = located("faces", now, "f0").space
    other = filled("voices", 2, now).space
    send(trained_on(named("faces", files=["f0", "nowhere"])), now=now)
    assert names(affected(faces_space, BitMap([0]))) == ["m v1"]
    assert unknown(affected(other, BitMap([0]))) == ["m v1"]


@pytest.mark.parametrize("version", ["", "7"])
def test_an_untold_transformation_is_followed_through_what_it_wrote(now, version):
    dataset, crops = filled("faces", 2, now), filled("crops", 2, now)
    state = snapshot(crops, now)
    out = {**named("crops", version=version), "inputFacets": {}}
    send(
        event("COMPLETE", inputs=[named("faces")], outputs=[out]),
        trained_on(named("crops", version=state.digest), run=OTHER),
        now=now,
    )
    assert Run.objects.get(id=OTHER).capture_level == "SNAPSHOT"
    assert unknown(affected(dataset.space, BitMap([0]))) == ["m v1"]


def test_two_runs_that_wrote_one_data_set_both_count(now):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    crops = {"namespace": "lake", "name": "crops"}
    send(
        event("COMPLETE", inputs=[faces(0)], outputs=[crops]),
        event("COMPLETE", inputs=[named("voices")], outputs=[crops], run=OTHER),
        trained_on(named("crops", namespace="lake"), run=THIRD),
        now=now,
    )
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    assert unknown(affected(other.space, BitMap([0]))) == ["m v1"]


def test_files_in_two_spaces_are_members_of_both(now):
    first = located("faces", now, "f0", "f1")
    second = located("voices", now, "v0")
    send(trained_on(named("faces", files=["f0", "f1", "v0"])), now=now)
    for dataset in (first, second):
        assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    assert Run.objects.get().capture_level == "REPORTED"


def test_a_hard_purge_does_not_hide_what_a_run_in_flight_had_read_of_each_space(now):
    located("faces", now, "f0", "f1")
    second = located("voices", now, "v0", "v1")
    files = ["f0", "f1", "v0", "v1"]
    send(event("START", inputs=[named("faces", files=files)]), now=now)
    erase_records(case_id=RUN, space=second.space, ordinals=BitMap([0]), now=now, hard=True)
    send(event("COMPLETE", at=1, outputs=[model("m", "1")]), now=now)
    assert names(affected(second.space, BitMap([0]))) == ["m v1"]
    assert names(affected(second.space, BitMap([1]))) == ["m v1"]
    assert ModelVersion.objects.get().state == "QUARANTINED"


# --- what is known ----------------------------------------------------------------------------


def test_a_known_digest_alone_tells_all_members(now):
    dataset = filled("faces", 2, now)
    state = snapshot(dataset, now, [1])
    send(trained_on(named("faces", version=state.digest)), now=now)
    assert Run.objects.get().capture_level == "SNAPSHOT"
    assert affected(dataset.space, BitMap([0])).unknown == ()
    assert names(affected(dataset.space, BitMap([1]))) == ["m v1"]


def test_a_name_is_looked_for_in_its_own_namespace(now):
    dataset = filled("faces", 2, now)
    state = snapshot(dataset, now)
    send(trained_on(named("faces", namespace="lake", version=state.digest)), now=now)
    assert Run.objects.get().capture_level == "NONE"
    assert names(affected(dataset.space, BitMap([1]))) == []
    assert unknown(affected(dataset.space, BitMap([1]))) == ["m v1"]


def test_a_digest_that_is_not_that_of_the_bitmap_is_refused(now):
    dataset = filled("faces", 2, now)
    right = snapshot(dataset, now, [1]).digest
    send(event("START", inputs=[faces(1, digest=right)]), now=now)
    with pytest.raises(EventUnreadable, match=f"digest is 'abc', but .* is {right}"):
        send(event("RUNNING", inputs=[faces(1, digest="abc")]), now=now)
    assert ReceivedEvent.objects.count() == 1


def test_no_bitmap_is_cut_for_its_digest_before_its_ordinals_are_known(now, monkeypatch):
    filled("faces", 2, now)
    monkeypatch.setattr("lineage.core.openlineage.split", None)  # whoever calls it fails
    with pytest.raises(OrdinalsUnknown):
        send(event("START", inputs=[faces(0, 2, digest="abc")]), now=now)
    assert not ReceivedEvent.objects.exists()


@pytest.mark.parametrize(
    ("text", "taken"), [("C:\\u0000", True), ("\\\\u0000", True), ("a\0", False)]
)
def test_only_a_nul_is_refused_and_not_a_text_that_looks_like_one(now, text, taken):
    one = event("START", inputs=[named(text)])
    if taken:
        assert send(one, now=now) == [True]
        assert Dataset.objects.get().name == text
        return
    with pytest.raises(EventUnreadable, match="NUL"):
        send(one, now=now)


def test_a_foreign_model_of_the_same_name_is_not_ours(now):
    dataset = filled("faces", 2, now)
    trained("m", now, data(snapshot(dataset, now)))
    send(trained_on(model("m", "1"), faces(1), name="n"), now=now)
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]


def test_a_model_of_our_own_registry_is_found_in_our_namespace(now):
    dataset = filled("faces", 2, now)
    trained("m", now, data(snapshot(dataset, now)))
    ours = {**model("m", "1"), "namespace": "expunge"}
    send(trained_on(ours, name="n"), now=now)
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1", "n v1"]
    with pytest.raises(VersionTaken, match="the model m with the version 1"):
        send(event("COMPLETE", outputs=[ours], run=OTHER), now=now)


# --- over HTTP --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["lineage", "lineage/batch"])
@pytest.mark.parametrize(("most", "status"), [(4, (200, 201)), (2, (413,))])
def test_a_large_body_is_taken_up_to_the_limit_and_then_refused_with_a_sentence(
    client, settings, now, address, most, status
):
    settings.EXPUNGE_LINEAGE_MAX_MB = most
    filled("faces", 2, now)
    one = event("START", inputs=[faces(0)])
    body = json.dumps([one] if address.endswith("batch") else one) + " " * 3_000_000
    answer = client.post(
        f"/api/v1/{address}",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {key('lineage:write')}"},
    )
    assert answer.status_code in status
    if status == (413,):
        assert answer["Content-Type"] == "application/problem+json"
        assert "EXPUNGE_LINEAGE_MAX_MB" in answer.json()["detail"]


def test_a_batch_that_names_ordinals_nobody_has_keeps_the_good_events(client, now):
    filled("faces", 2, now)
    body = [event("START", inputs=[faces(9)]), event("START", inputs=[faces(1)], run=OTHER)]
    answer = client.post(
        "/api/v1/lineage/batch",
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {key('lineage:write')}"},
    ).json()
    assert [one["index"] for one in answer["failed_events"]] == [0]
    assert Run.objects.get().id == OTHER


def test_an_event_with_a_number_that_json_has_not_is_refused_and_the_others_kept(client, now):
    filled("faces", 2, now)
    odd = event("START", inputs=[faces(0)])
    body = [{**odd, "odd": {"x": [float("nan")]}}, event("START", inputs=[faces(1)], run=OTHER)]
    headers = {"authorization": f"Bearer {key('lineage:write')}"}
    told = [
        client.post(f"/api/v1/{address}", json.dumps(one), "application/json", headers=headers)
        for address, one in (("lineage", body[0]), ("lineage/batch", body))
    ]
    assert [one.status_code for one in told] == [422, 200]
    (failed,) = told[1].json()["failed_events"]
    assert failed["reason"].startswith("event has the number nan; allowed are finite numbers")
    assert Run.objects.get().id == OTHER


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("time", ["9999-06-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_would_hide_a_version_is_refused(now, time):
    filled("faces", 2, now)
    told = {**event("COMPLETE", outputs=[model("m", "1")]), "eventTime": time}
    with pytest.raises(EventUnreadable, match="allowed are 1970 to 2999"):
        receive(body=told, now=now)
    assert not ModelVersion.objects.exists()


def test_an_event_nested_without_end_is_refused(now):
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    told = {**event("COMPLETE", outputs=[model("m", "1")]), "more": deep}
    with pytest.raises(EventUnreadable, match="nested too deeply"):
        receive(body=told, now=now)


def test_nothing_can_be_put_behind_a_snapshot_of_our_own(now):
    taken = snapshot(filled("faces", 2, now), now)
    own: dict[str, Any] = {"namespace": "default", "name": "faces"}
    own |= {"facets": {"version": {"datasetVersion": taken.digest}}}
    with pytest.raises(VersionTaken, match="which was taken by this platform"):
        receive(body=event("COMPLETE", outputs=[own]), now=now)
