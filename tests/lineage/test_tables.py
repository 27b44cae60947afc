"""Tables as records: CSV and Parquet give the same, and a bad row costs only itself."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from pyarrow import csv, parquet

from lineage.models import RecordContent
from lineage.services.import_rows import Rejection, Row
from lineage.services.manifest import ManifestUnreadable, read_manifest
from lineage.services.tables import Columns, TableUnreadable, read_table
from unlearning.recipes.tabular import TabularMLP

COLUMNS = Columns(key="id", subject="mail", target="label")
TABLE = pa.table(
    {
        "id": [1, 2, 3],
        "mail": ["ada@example.org", "bert@example.org", None],
        "label": ["yes", "no", "yes"],
        "height": [1.5, 2.0, 3.25],
        "age": [30, 40, 50],
    }
)


@pytest.fixture(params=["csv", "parquet"])
def path(request, tmp_path):
    path = tmp_path / f"people.{request.param}"
    if request.param == "csv":
        csv.write_csv(TABLE, path)
    else:
        parquet.write_table(TABLE, path)
    return path


def test_both_formats_give_the_same_records(path):
    first, second, third = read_table(path, COLUMNS)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert isinstance(second.content, bytes)
    assert (first.key, first.subject, first.target) == ("1", "ada@example.org", "yes")
    assert json.loads(second.content) == {"height": 2.0, "age": 40}
    assert second.line == 3
    assert third.line == 4 if isinstance(third, Rejection) else third.subject == ""


def test_a_recipe_reads_what_was_imported(path):
    row = next(iter(read_table(path, COLUMNS)))
    assert isinstance(row, Row)
    assert isinstance(row.content, bytes)
    recipe = TabularMLP(columns=("height", "age"), categories={}, targets=("no", "yes"))
    inputs, target = recipe.decode(row.content, row.target)
    assert inputs.tolist() == [1.5, 30.0]
    assert int(target) == 1


def test_a_missing_column_is_named_with_those_there_are(path):
    with pytest.raises(TableUnreadable, match=r"has no column nobody; it has id, mail, label"):
        list(read_table(path, Columns(key="id", subject="nobody", target="label")))


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(TableUnreadable, match=r"allowed are \.csv, \.parquet"):
        list(read_table(tmp_path / "people.xlsx", COLUMNS))
    (tmp_path / "people.parquet").write_bytes(b"not parquet")
    with pytest.raises(TableUnreadable, match="cannot be read as parquet"):
        list(read_table(tmp_path / "people.parquet", COLUMNS))


def test_the_command_keeps_the_good_rows(db, path, capsys):
    words = ("--dataset", "people", "--key", "id", "--subject", "mail", "--target", "label")
    with pytest.raises(CommandError, match="1 of 3 rows were not imported"):
        call_command("import_table", str(path), *words)
    assert RecordContent.objects.count() == 2


@pytest.mark.parametrize("read", [lambda p: read_table(p, COLUMNS), read_manifest])
def test_a_damaged_parquet_file_is_refused_with_a_sentence(read, tmp_path):
    path = tmp_path / "people.parquet"
    columns = {"key": ["a"], "subject": ["a@example.org"], "id": ["1"], "mail": ["m"]}
    parquet.write_table(pa.table({**columns, "label": ["x" * 40]}), path, compression="none")
    whole = path.read_bytes()
    for bad in (whole[:40], whole.replace(b"a@example.org", b"a@\x80xample.org")):
        path.write_bytes(bad)
        with pytest.raises((TableUnreadable, ManifestUnreadable), match="cannot be read as"):
            list(read(path))
