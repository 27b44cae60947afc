"""Files that list records: read in their encoding, refused by line, gone on with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from django.core.management import CommandError, call_command
from pyarrow import parquet

from lineage.models import DataRecord, ManifestImport, RecordContent
from lineage.queries.membership import members
from lineage.queries.subjects import records_of
from lineage.services import import_portion, import_rows
from lineage.services.bulk import insert_records
from lineage.services.importing import Rejection, Row, ensure_dataset
from lineage.services.manifest import ManifestUnreadable, read_manifest
from lineage.services.manifest_import import ImportedBefore, import_manifest
from lineage.services.snapshots import take_snapshot
from tests.lineage.builders import found

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)

# --- manifests ------------------------------------------------------------------------------


@pytest.fixture
def manifest(tmp_path):
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"A")
    (folder / "images" / "ü.png").write_bytes(b"U")
    (tmp_path / "secret.txt").write_bytes(b"S")

    def write(text: str, encoding: str = "utf-8"):
        path = folder / "manifest.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


HEADER = "key,subject,path,target\n"


def good_rows(path, **options: str):
    rows = list(read_manifest(path, **options))
    assert all(isinstance(row, Row) for row in rows)
    return [row for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "cp1252")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_manifest_is_read_in_its_encoding(manifest, encoding, named, delimiter, ending):
    text = (HEADER + "k1,anna@example.org,images/ü.png,Äpfel\n").replace(",", delimiter)
    path = manifest(text.replace("\n", ending), encoding)
    (row,) = good_rows(path, encoding=named)
    assert (row.line, row.key, row.subject, row.target) == (2, "k1", "anna@example.org", "Äpfel")
    assert isinstance(row.content, Path)
    assert row.content.read_bytes() == b"U"


def test_bad_lines_of_a_manifest_are_named_and_the_others_kept(manifest):
    path = manifest(
        HEADER
        + "k1,anna@example.org,images/a.png,1\n"
        + "k2,anna@example.org,images/a.png\n"
        + "k3,anna@example.org,../secret.txt,1\n"
        + "\n"
        + 'k4,anna@example.org,"images/a.png",1\n'
        + "k5,anna@example.org,,1\n"
        + 'k6,anna@example.org,images/a.png,"two\nlines"\n'
        + "k7,anna@example.org,/etc/passwd,1\n"
        + 'k8,anna@example.org,images/a.png,"open\n'
    )
    read = list(read_manifest(path))
    assert [row.line for row in read if isinstance(row, Row)] == [2, 6, 8]
    refused = {row.line: row.sentence for row in read if isinstance(row, Rejection)}
    assert refused.keys() == {3, 4, 7, 10, 11}
    assert "3 columns" in refused[3]
    assert "out of the folder" in refused[4]
    assert "out of the folder" in refused[10]
    assert "not valid CSV" in refused[11]


def test_a_line_in_another_encoding_is_refused_alone(manifest):
    path = manifest(HEADER)
    good = b"k1,anna@example.org,images/a.png,1\n"
    path.write_bytes(HEADER.encode() + good + good.replace(b"k1", b"k\xfc") + good)
    read = list(read_manifest(path))
    assert [type(row) for row in read] == [Row, Rejection, Row]
    assert "encoding" in str(read[1])


def test_optional_columns_and_their_order_are_free(manifest):
    path = manifest("target,kind,path,key,subject,media_type\n1,external,images/a.png,k,u17,x/y\n")
    (row,) = good_rows(path)
    assert (row.kind, row.media_type, row.key, row.target) == ("EXTERNAL", "x/y", "k", "1")


@pytest.mark.parametrize(
    "text",
    ["", "key,path,target\n", "key,subject,path,target,more\n", "key,key,subject,path,target\n"],
)
def test_a_manifest_without_its_header_is_refused(manifest, text):
    with pytest.raises(ManifestUnreadable, match="needed are the columns key and subject"):
        list(read_manifest(manifest(text)))


def test_a_manifest_that_cannot_be_opened_is_refused(manifest, tmp_path):
    with pytest.raises(ManifestUnreadable, match="No such file"):
        list(read_manifest(tmp_path / "none.csv"))
    with pytest.raises(ManifestUnreadable, match="'klingon' is not known"):
        list(read_manifest(manifest(HEADER), encoding="klingon"))
    with pytest.raises(ManifestUnreadable, match="not in the encoding"):
        list(read_manifest(manifest(HEADER + "x"), encoding="utf-16"))


def test_the_command_imports_and_names_what_it_refused(manifest, capsys):
    path = manifest(HEADER + "k1,anna@example.org,images/a.png,1\nk2,anna,images/a.png,1\n")
    with pytest.raises(CommandError, match="1 of 2 rows were not imported"):
        call_command("import_records", str(path), dataset="faces")
    printed = capsys.readouterr()
    assert "Imported 1; 0 were there before." in printed.out
    assert "Line 3: The subject cannot be used." in printed.out
    assert "2 rows read, 1 imported" in printed.err
    assert "image/png" in RecordContent.objects.values_list("media_type", flat=True)


def test_the_command_prints_json(manifest, capsys):
    path = manifest(HEADER + "k1,anna@example.org,images/a.png,1\n")
    call_command("import_records", str(path), dataset="faces", json=True)
    call_command("import_records", str(path), dataset="faces", json=True)
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {
        "imported": 1,
        "repeated": 0,
        "located": 0,
        "rejected": [],
        "conflicting": 0,
        "held": 0,
        "conflicts": [],
        "pictures_compared": True,
    }
    again = {"imported": 0, "repeated": 1, "located": 0, "rejected": []}
    assert again.items() <= json.loads(second).items()


def test_the_command_says_that_it_kept_further_locations(manifest, capsys):
    path = manifest("key,subject\nk1,anna@example.org\n")
    call_command("import_records", str(path), dataset="faces")
    path = manifest("key,subject,location\nk1,anna@example.org,s3://b/0\n")
    call_command("import_records", str(path), dataset="faces")
    assert "1 further locations of these were kept." in capsys.readouterr().out


def test_the_command_refuses_an_unusable_manifest(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_records", str(tmp_path / "none.csv"), dataset="faces")


# --- records without content, resuming, Parquet -----------------------------------------------


def test_a_manifest_without_paths_registers_records_for_lineage_alone(manifest):
    path = manifest("key,subject\nk1,anna@example.org\nk2,bert@example.org\nk1,anna@example.org\n")
    report = import_manifest(path=path, dataset_name="faces", now=NOW)
    assert (report.imported, report.repeated, report.rejected) == (2, 1, ())
    assert not RecordContent.objects.exists()
    anna = found("anna@example.org")
    assert [set(held) for held in records_of(anna).values()] == [{0}]
    assert len(members(take_snapshot(dataset=ensure_dataset(name="faces"), now=NOW))) == 2


def lines(*keys: str):
    return "key,subject\n" + "".join(f"{key},anna@example.org\n" for key in keys)


def test_an_interrupted_import_goes_on_after_the_last_portion(manifest, monkeypatch):
    monkeypatch.setattr(import_rows, "_ROWS", 2)
    path = manifest(lines(*"abcdefg"))

    def stop(report):
        if report.seen == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_manifest(path=path, dataset_name="faces", now=NOW, progress=stop)
    assert ManifestImport.objects.get().line == 4
    report = import_manifest(path=path, dataset_name="faces", now=NOW)
    assert (report.imported, report.repeated) == (3, 0)  # the first four were not read again
    session = ManifestImport.objects.get()
    assert (session.line, session.imported, session.finished_at) == (7, 7, NOW)
    with pytest.raises(ImportedBefore, match="7 records, and no row was refused"):
        import_manifest(path=path, dataset_name="faces", now=NOW)


def test_rows_refused_before_an_interruption_are_not_forgotten(manifest, monkeypatch, capsys):
    monkeypatch.setattr(import_rows, "_ROWS", 2)
    path = manifest("key,subject\na,nonsense\n" + lines(*"bcd").partition("\n")[2])

    def stop(_report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_manifest(path=path, dataset_name="faces", now=NOW, progress=stop)
    with pytest.raises(CommandError, match="1 rows were refused before the import was interr"):
        call_command("import_records", str(path), dataset="faces")
    assert DataRecord.objects.count() == 3
    with pytest.raises(CommandError, match="1 of 4 rows were not imported"):
        call_command("import_records", str(path), dataset="faces")
    assert "Line 2: " in capsys.readouterr().out


def test_a_portion_and_how_far_it_came_are_stored_together_or_not_at_all(manifest, monkeypatch):
    monkeypatch.setattr(import_rows, "_ROWS", 2)
    path = manifest(lines(*"abcd"))
    calls = iter(range(9))

    def fail_second(*arguments: Any):  # noqa: ANN401  (passed on)
        insert_records(*arguments)
        if next(calls) == 1:
            raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(import_portion, "insert_records", fail_second)
        with pytest.raises(OSError, match="full"):
            import_manifest(path=path, dataset_name="faces", now=NOW)
    assert (ManifestImport.objects.get().line, DataRecord.objects.count()) == (2, 2)
    assert import_manifest(path=path, dataset_name="faces", now=NOW).imported == 2


def test_refused_rows_are_named_by_line_and_can_be_tried_again(manifest, tmp_path):
    rows = ["k1,anna@example.org,images/a.png,1", "k2,anna@example.org,late.png,1"]
    path = manifest(HEADER + "\n".join(rows))
    first = import_manifest(path=path, dataset_name="faces", now=NOW)
    assert [(row.line, first.imported) for row in first.rejected] == [(3, 1)]
    (path.parent / "late.png").write_bytes(b"here now")
    second = import_manifest(path=path, dataset_name="faces", now=NOW)
    assert (second.imported, second.repeated, second.rejected) == (1, 1, ())


def test_a_parquet_manifest_is_read_like_a_csv_one(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    table = {
        "key": ["k1", None, "k3"],
        "subject": ["anna@example.org"] * 3,
        "path": ["a.png", "a.png", "../outside.png"],
        "target": ["1", "1", None],
        "ignored": [1, 2, 3],
    }
    path = tmp_path / "m.parquet"
    parquet.write_table(pyarrow.table(table), path)
    report = import_manifest(path=path, dataset_name="faces", now=NOW)
    assert report.imported == 1
    assert [row.line for row in report.rejected] == [3, 4]
    parquet.write_table(pyarrow.table({"key": ["k"]}), path)
    with pytest.raises(ManifestUnreadable, match="needed are key and subject"):
        import_manifest(path=path, dataset_name="faces", now=NOW)
    path.write_bytes(b"no parquet")
    with pytest.raises(ManifestUnreadable, match="cannot be read as Parquet"):
        import_manifest(path=path, dataset_name="faces", now=NOW)
