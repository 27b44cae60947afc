from __future__ import annotations

import json
import os
import uuid

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage import artifacts, keys
from lineage.models import (
    DataRecord,
    DatasetSnapshot,
    DataSubject,
    LineagePurge,
    OrdinalSpace,
    PurgePermit,
    RecordContent,
    SnapshotChunk,
    SnapshotSupersession,
    SubjectIdentifier,
)
from lineage.queries.membership import members, snapshots_holding
from lineage.queries.subjects import find_subject, records_of
from lineage.services import importing, rewriting
from lineage.services.importing import import_records
from lineage.services.journal import JournalFull, read_journal, write_journal
from lineage.services.purge import Receipt, SubjectHasRecords, erase_records, shred_subject
from lineage.services.snapshots import OrdinalsUnknown
from lineage.services.tiles import build_group
from tests.lineage.builders import filled, found, rows, snapshot

pytestmark = pytest.mark.django_db
CASE = uuid.UUID(int=1)
ANNA = "person0@example.org"


@pytest.fixture
def dataset(now):
    """Nine records of three people; contents repeat after four, so people own equal bytes."""
    return filled("faces", 9, now, kinds=4)


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


# --- people ---------------------------------------------------------------------------------


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


# --- the journal ----------------------------------------------------------------------------


def note(dataset, ordinals, now, case=CASE):
    return write_journal(case_id=case, space=dataset.space, ordinals=BitMap(ordinals), now=now)


def test_the_journal_keeps_one_line_per_erasure(dataset, now, home):
    first = note(dataset, [1, 2], now)
    assert note(dataset, [1, 2], now.replace(year=2027)) == first
    others = {note(dataset, [1, 2, 3], now), note(dataset, [1, 2], now, uuid.UUID(int=2))}
    entries = read_journal()
    assert {entry.sha256 for entry in entries} == {first} | others
    assert (entries[0].case_id, entries[0].ordinals) == (str(CASE), BitMap([1, 2]))
    assert (entries[0].space_id, entries[0].erased_at) == (
        str(dataset.space.public_id),
        now.isoformat(),
    )
    file = home / "journal" / "erasures.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    line = file.read_bytes().splitlines()[0]
    assert list(json.loads(line)) == sorted(json.loads(line))
    assert b"person0" not in file.read_bytes()


def test_a_line_cut_short_by_a_crash_is_written_anew(dataset, now, home):
    first = note(dataset, [1], now)
    file = home / "journal" / "erasures.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    second = note(dataset, [2], now)
    assert [entry.sha256 for entry in read_journal()] == [first, second]
    assert file.read_bytes().startswith(whole)


def test_a_full_disk_leaves_the_journal_as_it_was(dataset, now, home, monkeypatch):
    first = note(dataset, [1], now)
    file = home / "journal" / "erasures.jsonl"
    before = file.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, line: write(fd, line[:10]))
    with pytest.raises(JournalFull, match="nothing was appended"):
        note(dataset, [2], now)
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [entry.sha256 for entry in read_journal()] == [first]


# --- the hard mode ----------------------------------------------------------------------------


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sets=st.lists(st.sets(st.integers(0, 140_000), max_size=30), min_size=1, max_size=6),
    gone=st.sets(st.integers(0, 140_000), min_size=1, max_size=20),
    tiled=st.booleans(),
)
def test_a_hard_purge_takes_the_bits_and_nothing_else(now, sets, gone, tiled):
    dataset = importing.ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=140_001)
    gone |= {min(one) for one in sets[:2] if one}
    taken = [snapshot(dataset, now, sorted(one)) for one in sets]
    if tiled:
        build_group(space=dataset.space, group=0, now=now)
    case = uuid.uuid4()
    erase_records(case_id=case, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    superseded = SnapshotSupersession.objects.filter(purge__case_id=case)
    touched = {one.id for one, held in zip(taken, sets, strict=True) if held & gone}
    ours = {one.id for one in taken}
    assert {one.snapshot_id for one in superseded.all()} & ours == touched
    count = superseded.count()
    for before, held in zip(taken, sets, strict=True):
        after = DatasetSnapshot.objects.get(id=before.id)
        assert members(after) == BitMap(held - gone)
        assert after.record_count == len(held - gone)
        assert (after.digest != before.digest) == (before.id in touched)
    assert ours.isdisjoint(snapshots_holding(dataset.space, BitMap(gone)))
    others = BitMap({one for held in sets for one in held} - gone)
    holding = snapshots_holding(dataset.space, others)
    for before, held in zip(taken, sets, strict=True):
        assert set(holding.get(before.id, ())) == held - gone
    erase_records(case_id=case, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    assert superseded.count() == count
    assert not PurgePermit.objects.exists()


def test_a_hard_purge_may_grow_and_rewrite_a_snapshot_again(now):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    for gone in ({1}, {1, 2}):
        erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    first, second = SnapshotSupersession.objects.filter(snapshot=taken).order_by("id")
    assert second.previous_digest == first.digest
    taken.refresh_from_db()
    assert members(taken) == BitMap([0, 3])


def test_what_is_known_as_purged_was_rewritten_too(now, monkeypatch):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    with monkeypatch.context() as dying:
        dying.setattr(rewriting, "_supersede", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase_records(
                case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now, hard=True
            )
    assert not LineagePurge.objects.exists()
    assert members(taken) == BitMap(range(4))


def test_a_supersession_names_both_digests_and_stays(now):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now, hard=True)
    after = DatasetSnapshot.objects.get(id=taken.id)
    noted = SnapshotSupersession.objects.get()
    assert (noted.previous_digest, noted.digest) == (taken.digest, after.digest)
    assert LineagePurge.objects.get().mode == "HARD"
    with pytest.raises(IntegrityError), transaction.atomic():
        SnapshotSupersession.objects.all().delete()


def test_without_a_permit_no_chunk_can_be_rewritten(now):
    taken = snapshot(filled("faces", 2, now), now)
    for change in (
        SnapshotChunk.objects.all().delete,
        lambda: SnapshotChunk.objects.update(cardinality=9),
        lambda: DatasetSnapshot.objects.filter(id=taken.id).update(digest="0"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
