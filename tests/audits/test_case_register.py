from __future__ import annotations

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audits.models import ErasureRequest
from audits.queries.case_register import COLUMNS, case_register
from tests.audits import sealed_cases

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def cases(settings, tmp_path):
    """One case that is sealed and one that is open, both received on 2 March 2026."""
    sealed_cases.use_folder(settings, tmp_path)
    return sealed_cases.no_data_case(), sealed_cases.received("somebody@example.org")


def printed(**options: str) -> str:
    out = StringIO()
    call_command("case_list", stdout=out, **options)
    return out.getvalue()


def test_every_case_is_a_row_with_its_dates_and_its_outcome(cases):
    sealed, opened = cases
    rows = {row["reference"]: row for row in csv.DictReader(StringIO(printed()))}
    assert rows.keys() == {sealed.reference, opened.reference}
    found = rows[sealed.reference]
    assert (found["outcome"], found["received_on"]) == ("NO_DATA_FOUND", "2026-03-02")
    assert found["record"] == sealed.record.sha256
    assert (rows[opened.reference]["sealed_on"], rows[opened.reference]["record"]) == ("", "")


def test_csv_and_json_say_the_same():
    table = list(csv.DictReader(StringIO(printed())))
    assert table == json.loads(printed(format="json")) == list(case_register())
    assert tuple(table[0]) == COLUMNS


def test_nobody_is_in_it():
    assert "@" not in printed() + printed(format="json")
    assert "@" in "".join(one.email for one in ErasureRequest.objects.all())


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"since": "2026-03-02"}, 2),
        ({"until": "2026-03-02"}, 2),
        ({"since": "2026-03-03"}, 0),
        ({"until": "2026-03-01"}, 0),
    ],
)
def test_a_period_includes_both_of_its_days(options, count):
    assert len(json.loads(printed(format="json", **options))) == count


def test_a_period_that_is_none_is_refused_with_a_sentence():
    with pytest.raises(CommandError, match="must not be before since"):
        printed(since="2026-03-03", until="2026-03-01")


def test_what_a_spreadsheet_would_compute_is_text(cases):
    ErasureRequest.objects.filter(pk=cases[1].pk).update(channel="=1+1")
    assert ",'=1+1," in printed()
