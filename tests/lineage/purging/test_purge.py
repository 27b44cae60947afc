"""Records and people are erased, and tombstones are left."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage import artifacts, keys
from lineage.models import DataRecord, DataSubject, LineagePurge, RecordContent, SubjectIdentifier
from lineage.queries.membership import members
from lineage.queries.subjects import find_subject, records_of
from lineage.services.importing import import_records
from lineage.services.purge import Receipt, SubjectHasRecords, erase_records, shred_subject
from lineage.services.snapshots import OrdinalsUnknown
from tests.lineage.builders import found, rows, snapshot
from tests.lineage.purging.erasing import CASE

pytestmark = pytest.mark.django_db
ANNA = "person0@example.org"


def erase(dataset, ordinals, now, case=CASE):
    return erase_records(case_id=case, space=dataset.space, ordinals=BitMap(ordinals), now=now)


def left(dataset):
    uris = [artifacts.record_uri(dataset.space.public_id, ordinal) for ordinal in range(9)]
    return {
        "rows": sorted(RecordContent.objects.values_list("ordinal", flat=True)),
        "files": [at for at, uri in enumerate(uris) if artifacts.exists(uri)],
        "named": sorted(
            DataRecord.objects.exclude(subject=None).values_list("ordinal", flat=True)
        ),
    }


def test_erased_records_leave_tombstones_only(dataset, now):
    taken = snapshot(dataset, now)
    assert erase(dataset, [0, 1, 2], now) == Receipt(records=3, remaining=0)
    rest = [*range(3, 9)]
    assert left(dataset) == {"rows": rest, "files": rest, "named": rest}
    tombstone = DataRecord.objects.get(ordinal=1)
    assert (tombstone.subject_id, tombstone.key_hmac) == (None, None)
    assert (tombstone.invalidated_at, tombstone.invalidated_by) == (now, CASE)
    purge = LineagePurge.objects.get()
    assert (purge.case_id, BitMap.deserialize(bytes(purge.bitmap))) == (CASE, BitMap([0, 1, 2]))
    assert members(taken) == BitMap(range(9))  # older digests stay verifiable


def test_equal_contents_of_another_person_stay(dataset, now):
    contents = {row.ordinal: row.sha256 for row in RecordContent.objects.all()}
    assert contents[0] == contents[4] == contents[8]
    erase(dataset, [0, 1, 2], now)
    for ordinal in (4, 8):
        row = RecordContent.objects.get(ordinal=ordinal)
        assert artifacts.read(row.uri, row.sha256) == b"content 0"


def test_erasing_again_changes_nothing(dataset, now):
    later = now.replace(year=2027)
    assert erase(dataset, [0, 1], now) == erase(dataset, [0, 1], later)
    assert DataRecord.objects.get(ordinal=0).invalidated_at == now
    assert erase(dataset, [2], later).remaining == 0
    assert len(BitMap.deserialize(bytes(LineagePurge.objects.get().bitmap))) == 3


def test_unknown_ordinals_are_refused_before_anything_is_erased(dataset, now):
    with pytest.raises(OrdinalsUnknown):
        erase(dataset, [0, 9], now)
    assert len(left(dataset)["rows"]) == 9


@pytest.mark.parametrize("deaths", [1, 2, 3])
def test_an_erasure_that_dies_half_way_is_finished_later(dataset, now, monkeypatch, deaths):
    destroy, calls = artifacts.destroy, []

    def dies(uri):
        calls.append(uri)
        if len(calls) == deaths:
            raise KeyboardInterrupt
        destroy(uri)

    monkeypatch.setattr(artifacts, "destroy", dies)
    with pytest.raises(KeyboardInterrupt):
        erase(dataset, [0, 1, 2], now)
    state = left(dataset)
    assert set(state["files"]) <= set(state["rows"])  # no file without a row that leads to it
    assert state["named"] == [*range(3, 9)]
    assert erase(dataset, [0, 1, 2], now) == Receipt(records=3, remaining=0)
    assert left(dataset)["files"] == [*range(3, 9)]


def test_a_file_without_a_row_is_erased_as_well(dataset, now):
    RecordContent.objects.filter(ordinal=1).delete()
    assert erase(dataset, [1], now).remaining == 0
    assert 1 not in left(dataset)["files"]


def test_what_the_store_keeps_is_counted_as_remaining(dataset, now, monkeypatch):
    destroy = artifacts.destroy

    def keeps_one(uri):
        if uri.endswith("/1"):
            raise artifacts.ArtefactRemains(f"The stored file {uri} was not deleted.")
        destroy(uri)

    monkeypatch.setattr(artifacts, "destroy", keeps_one)
    assert erase(dataset, [0, 1, 2], now) == Receipt(records=3, remaining=1)
    assert left(dataset)["rows"] == [1, *range(3, 9)]
    monkeypatch.undo()
    assert erase(dataset, [0, 1, 2], now) == Receipt(records=3, remaining=0)


def test_reading_back_asks_the_store_and_not_the_rows(dataset, now, monkeypatch):
    monkeypatch.setattr(artifacts, "destroy", lambda _: None)  # claims to have deleted
    assert erase(dataset, [0, 1, 2], now) == Receipt(records=3, remaining=3)


def test_a_shredded_person_cannot_be_found_nor_their_key(dataset, now):
    anna = found(ANNA)
    key = keys.get(f"subject:{anna.pseudonym}")
    erase(dataset, records_of(anna)[dataset.space], now)
    assert shred_subject(subject=anna, now=now).erased_at == now
    assert shred_subject(subject=anna, now=now.replace(year=2027)).erased_at == now
    assert find_subject("EMAIL", ANNA) is None
    assert SubjectIdentifier.objects.count() == 2
    with pytest.raises(keys.KeyDestroyed):
        keys.get(f"subject:{anna.pseudonym}")
    assert key not in (keys._file()).read_bytes()


def test_a_person_with_records_is_not_shredded(dataset, now):
    anna = found(ANNA)
    erase(dataset, [0, 1], now)
    with pytest.raises(SubjectHasRecords, match="still has 1 records"):
        shred_subject(subject=anna, now=now)
    assert find_subject("EMAIL", ANNA) == anna
    assert keys.get(f"subject:{anna.pseudonym}")


def test_a_suppressed_person_is_not_imported_again(dataset, now):
    anna = found(ANNA)
    erase(dataset, [0, 1, 2], now)
    shred_subject(subject=anna, now=now, suppress=True)
    shred_subject(subject=anna, now=now, suppress=True)
    report = import_records(dataset_name="faces", rows=rows(9, kinds=4), now=now)
    assert (report.imported, report.repeated) == (0, 6)
    assert [rejection.line for rejection in report.rejected] == [2, 3, 4]
    assert "must not be imported again" in report.rejected[0].sentence
    assert DataSubject.objects.filter(erased_at=None).count() == 2


def test_a_person_who_is_not_suppressed_may_come_back_as_somebody_new(dataset, now):
    anna = found(ANNA)
    erase(dataset, [0, 1, 2], now)
    shred_subject(subject=anna, now=now)
    report = import_records(dataset_name="faces", rows=rows(3, kinds=4), now=now)
    assert report.imported == 3
    again = found(ANNA)
    assert again != anna
    assert records_of(again)[dataset.space] == BitMap([9, 10, 11])  # ordinals are never reused
