from __future__ import annotations

from dataclasses import replace

import pytest
from pyroaring import BitMap

from lineage import artifacts, keys
from lineage.models import DataRecord, Dataset, DataSubject, OrdinalSpace, RecordContent
from lineage.queries.subjects import find_subject, records_of
from lineage.services.importing import DatasetMisnamed, Rejection, Row, SpaceFull, import_records
from lineage.services.subjects import IdentifiersDisagree, register_subject
from tests.lineage.builders import filled, found, rows

pytestmark = pytest.mark.django_db


def test_records_get_dense_ordinals_and_owners(now):
    dataset = filled("faces", 7, now)
    assert list(DataRecord.objects.order_by("ordinal").values_list("ordinal", flat=True)) == [
        *range(7)
    ]
    anna = found(" Person0@Example.ORG")
    assert records_of(anna) == {dataset.space: BitMap([0, 1, 2])}
    content = RecordContent.objects.get(ordinal=4)
    assert (content.target, content.media_type) == ("0", "text/plain")
    assert artifacts.read(content.uri, content.sha256) == b"content 4"
    assert artifacts.listing("staging") == []


def test_neither_identifier_nor_key_is_stored_in_the_database(now):
    filled("faces", 1, now)
    record = DataRecord.objects.get()
    assert len(bytes(record.key_hmac or b"")) == 16
    stored = " ".join(
        str(row)
        for model in (DataRecord, DataSubject, RecordContent)
        for row in model.objects.values()
    )
    assert "person0" not in stored
    assert "photo-0" not in stored


def test_the_same_rows_again_change_nothing(now):
    dataset = filled("faces", 7, now)
    again = import_records(dataset_name="faces", rows=rows(9), now=now)
    assert (again.imported, again.repeated, again.rejected) == (2, 7, ())
    dataset.space.refresh_from_db()
    assert dataset.space.next_ordinal == 9
    assert RecordContent.objects.count() == 9


def test_a_repeated_key_counts_even_within_one_import(now):
    (row,) = rows(1)
    report = import_records(dataset_name="faces", rows=[row, row], now=now)
    assert (report.imported, report.repeated) == (1, 1)


def test_a_known_key_with_other_content_is_refused(now):
    filled("faces", 1, now)
    changed = replace(rows(1)[0], content=b"another")
    report = import_records(dataset_name="faces", rows=[changed], now=now)
    assert report.imported == 0
    assert "other content" in report.rejected[0].sentence


def test_bad_rows_are_named_by_line_and_good_ones_kept(now, tmp_path):
    good = rows(3)
    bad: list[Row | Rejection] = [
        replace(good[0], line=10, subject="nobody"),
        replace(good[0], line=11, key=""),
        replace(good[0], line=12, content=b""),
        replace(good[0], line=13, content=tmp_path / "missing.png"),
        replace(good[0], line=14, target="x" * 201),
        replace(good[0], line=15, kind="PHONE"),
        replace(good[0], line=16, content=tmp_path),
        replace(good[0], line=17, media_type="x" * 101),
        Rejection(line=18, sentence="The reader did not like it."),
    ]
    report = import_records(dataset_name="faces", rows=[*bad, *good], now=now)
    assert report.imported == 3
    assert [rejection.line for rejection in report.rejected] == [*range(10, 19)]
    assert all(r.sentence.endswith(".") and "nobody" not in r.sentence for r in report.rejected)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_data_set_needs_a_name(name, now):
    with pytest.raises(DatasetMisnamed, match="allowed are 1 to 200"):
        import_records(dataset_name=name, rows=[], now=now)
    assert not Dataset.objects.exists()


def test_a_full_space_takes_no_more(now):
    dataset = filled("faces", 1, now)
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=2**32 - 1)
    with pytest.raises(SpaceFull, match="1 ordinals left; 2 are needed"):
        import_records(dataset_name="faces", rows=rows(3), now=now)
    assert DataRecord.objects.count() == 1


def test_a_full_store_leaves_neither_rows_nor_files(now, monkeypatch, home):
    def full(staged, *, space_id, first):
        artifacts.write_record(space_id, first, b"half of the portion")
        raise artifacts.StoreFull("The store is full.")

    monkeypatch.setattr(artifacts, "place", full)
    with pytest.raises(artifacts.StoreFull):
        import_records(dataset_name="faces", rows=rows(3), now=now)
    assert not DataRecord.objects.exists()
    assert not [path for path in (home / "store").rglob("*") if path.is_file()]
    monkeypatch.undo()
    assert import_records(dataset_name="faces", rows=rows(3), now=now).imported == 3


def test_progress_is_told_per_portion(now, monkeypatch):
    monkeypatch.setattr("lineage.services.import_rows._ROWS", 4)
    told = []
    import_records(
        dataset_name="f", rows=rows(10), now=now, progress=lambda r: told.append(r.seen)
    )
    assert told == [4, 8, 10]


def test_a_person_without_a_key_gets_no_records(now):
    subject = register_subject(identifiers={"EMAIL": "person0@example.org"}, now=now)
    keys.destroy(f"subject:{subject.pseudonym}")
    report = import_records(dataset_name="faces", rows=rows(1), now=now)
    assert report.imported == 0
    assert "was erased" in report.rejected[0].sentence


def test_a_person_may_have_several_identifiers(now):
    both = {"EMAIL": "anna@example.org", "EXTERNAL": "u17"}
    anna = register_subject(identifiers=both, now=now)
    assert register_subject(identifiers={"EXTERNAL": "u17"}, now=now) == anna
    assert find_subject("EXTERNAL", "u17") == anna
    assert find_subject("EXTERNAL", "u18") is None
    assert find_subject("EMAIL", "not a mailbox") is None
    report = import_records(
        dataset_name="faces",
        rows=[Row(line=2, key="k", subject="u17", kind="EXTERNAL", content=b"x")],
        now=now,
    )
    assert report.imported == 1
    assert sum(len(found) for found in records_of(anna).values()) == 1


def test_identifiers_of_two_people_do_not_make_one(now):
    register_subject(identifiers={"EMAIL": "anna@example.org"}, now=now)
    register_subject(identifiers={"EXTERNAL": "bert"}, now=now)
    with pytest.raises(IdentifiersDisagree, match="different people"):
        register_subject(identifiers={"EMAIL": "anna@example.org", "EXTERNAL": "bert"}, now=now)
    with pytest.raises(IdentifiersDisagree, match="none was given"):
        register_subject(identifiers={}, now=now)
    assert DataSubject.objects.count() == 2
