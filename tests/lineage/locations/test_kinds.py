"""What is special to one kind of place."""

from __future__ import annotations

import csv
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from sqlalchemy import create_engine, text

from lineage import locations
from lineage.core import rewriting_files
from lineage.core.place_settings import SettingRefused
from lineage.core.places import LocationNotReachable, Person
from tests.lineage.locations import places
from tests.lineage.locations.places import ADA, BERT


@pytest.fixture
def open_as(tmp_path, monkeypatch):
    """Build a kind, and open it with some settings changed."""

    def opened(kind, **changed: object):
        built = places.BUILDERS[kind](tmp_path, monkeypatch)
        return locations.opened(built.kind, {**built.settings, **changed})

    return opened


@pytest.mark.parametrize("kind", ["sql_table", "django_model"])
def test_masking_must_cover_what_names_the_person(open_as, db, kind):
    column = "name" if kind == "sql_table" else "last_name"
    with pytest.raises(SettingRefused, match=r"mask is .*; allowed are lists that hold 'email'"):
        open_as(kind, mask=[column])


def test_a_masked_row_stays_without_the_person_and_what_may_be_empty_is(open_as, tmp_path):
    place = open_as("sql_table", mask=["email", "name"])
    assert (place.how, place.erase(ADA).how, place.read_back(ADA)) == ("MASKED",) * 2 + (0,)
    with create_engine(f"sqlite:///{tmp_path / 'crm.sqlite3'}").connect() as connection:
        rows = connection.execute(text("SELECT email, name, plan FROM people")).all()
    masked = [row for row in rows if row.name is None]
    assert [row.plan for row in masked] == ["gold", "gold"]
    assert all(row.email.startswith("masked-") for row in masked)


def test_a_deleted_row_cannot_be_read_from_the_file_of_the_database(open_as, tmp_path):
    open_as("sql_table").erase(ADA)
    data = (tmp_path / "crm.sqlite3").read_bytes()
    assert b"ADA@" not in data
    assert b"bert@" in data


def test_an_sql_table_is_asked_by_parameters(open_as):
    place = open_as("sql_table")
    assert place.find(Person(email="' OR 1=1 --")).count == 0
    settings = {"url_from": "EXPUNGE_PLACE_CRM", "table": "people; DROP TABLE people"}
    with pytest.raises(SettingRefused, match="table is 'people; DROP"):
        locations.opened("sql_table", {**settings, "column": "email"})


def test_a_column_that_is_not_there_is_named_with_those_that_are(open_as):
    with pytest.raises(LocationNotReachable, match="no column 'mail'; it has email, name, plan"):
        open_as("sql_table", column="mail").find(ADA)


def test_the_models_of_expunge_are_refused(db):
    settings = {"model": "audits.ErasureRequest", "field": "email"}
    with pytest.raises(SettingRefused, match=r"models of other applications"):
        locations.opened("django_model", settings)
    with pytest.raises(SettingRefused, match=r"field is 'mail', which auth.User has not"):
        locations.opened("django_model", {"model": "auth.User", "field": "mail"})


def test_rows_that_others_refer_to_are_not_called_erased(open_as, db, monkeypatch):
    from django.db.models import ProtectedError

    place = open_as("django_model")

    def refuse(_rows):
        raise ProtectedError("no", set(User.objects.all()))

    monkeypatch.setattr("django.db.models.query.QuerySet.delete", refuse)
    with pytest.raises(LocationNotReachable, match="while rows of User refer to them"):
        place.erase(ADA)


@pytest.mark.parametrize("identifier", ["../exports", "a/b", ".."])
def test_an_identifier_does_not_lead_out_of_the_folder(open_as, identifier):
    place = open_as("files")
    with pytest.raises(LocationNotReachable, match="holds a slash or two dots"):
        place.erase(Person(email=identifier))


def test_an_identifier_is_no_pattern(open_as, tmp_path):
    place = open_as("files")
    for pattern in ("*", "?" * 15, "[a-z]*"):
        assert place.erase(Person(email=pattern)).count == 0
    assert len(list((tmp_path / "exports").iterdir())) == 3


def test_files_are_found_by_a_digest_in_their_names(tmp_path):
    digest = "ef7f6f0a"  # begins that of nobody here
    (tmp_path / f"{digest}.json").write_text("{}")
    import hashlib

    name = hashlib.sha256(b"ada@example.org").hexdigest()
    (tmp_path / f"{name}.json").write_text("{}")
    place = locations.opened("files", {"pattern": f"{tmp_path}/{{sha256}}.json"})
    assert place.erase(Person(email="Ada@Example.org")).count == 1
    assert [one.stem for one in tmp_path.iterdir()] == [digest]


def test_files_without_a_folder_before_the_person_are_refused():
    for pattern in ("{identifier}/x", "s3://{identifier}/x"):
        with pytest.raises(SettingRefused, match="begin with a folder"):
            locations.opened("files", {"pattern": pattern})


def test_a_rewritten_parquet_file_keeps_schema_metadata_and_compression(open_as, tmp_path):
    open_as("tables").erase(ADA)
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        assert file.schema_arrow.metadata == {b"made": b"by us"}
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        assert file.read().column("value").to_pylist() == [2.5, 3.5]  # a row of nobody stays
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "a.parquet",
        "b.parquet",
        "c.parquet",
    ]


def test_a_rewritten_csv_file_keeps_the_values_of_others(open_as, tmp_path):
    open_as("csv_tables").erase(ADA)
    with (tmp_path / "a.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["id", "email"], ["001", "bert@example.org"]]


@pytest.mark.parametrize("kind", ["tables", "csv_tables"])
def test_a_file_that_would_lose_a_row_is_not_replaced(open_as, tmp_path, monkeypatch, kind):
    place = open_as(kind)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    lying = rewriting_files.check_rows

    def short(found, expected):
        lying(found - 1, expected)

    monkeypatch.setattr("lineage.core.rewriting_files.check_rows", short)
    monkeypatch.setattr("lineage.locations.tables.check_rows", short)
    with pytest.raises(LocationNotReachable, match="the old one stays"):
        place.erase(ADA)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_file_that_is_written_meanwhile_is_left_as_it_is(open_as, tmp_path, monkeypatch):
    place, file = open_as("csv_tables"), tmp_path / "a.csv"
    copy = rewriting_files._copy

    def slow(*all_: Any):  # noqa: ANN401
        copy(*all_)
        file.write_text("id,email\n9,new@example.org\n")

    monkeypatch.setattr(rewriting_files, "_copy", slow)
    with pytest.raises(LocationNotReachable, match="written by somebody else"):
        place.erase(ADA)
    assert file.read_text() == "id,email\n9,new@example.org\n"


def test_a_picture_of_two_people_goes_with_the_lines_of_both(open_as, tmp_path):
    place = open_as("image_folder")
    with (tmp_path / "pictures" / "manifest.csv").open("a") as file:
        file.write("0.png,bert@example.org\n")
    place.erase(ADA)
    assert sorted(one.name for one in (tmp_path / "pictures").glob("*.png")) == ["1.png"]
    assert place.find(BERT).count == 1


def test_a_manifest_does_not_lead_out_of_its_folder(open_as, tmp_path):
    place, outside = open_as("image_folder"), tmp_path / "outside.png"
    outside.write_bytes(b"png")
    with (tmp_path / "pictures" / "manifest.csv").open("a") as file:
        file.write("../outside.png,ada@example.org\n")
    with pytest.raises(LocationNotReachable, match="leads out of the folder"):
        place.erase(ADA)
    assert outside.exists()


def test_neither_vector_nor_identifier_stays_in_the_file_of_the_index(open_as, tmp_path):
    open_as("vector_index").erase(ADA)
    data = b"".join(one.read_bytes() for one in tmp_path.glob("index.sqlite3*"))
    assert places.vector(0) not in data
    assert b"ADA@" not in data
    assert places.vector(1) in data
