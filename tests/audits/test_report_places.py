"""Places and backups in the report of a sealed case."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import typst
from django.conf import settings as installed

from audits import keys
from audits.core.record import verify
from audits.execution.printable import printable_values
from audits.execution.report_view import SealedCase, view_of
from tests.audits import sealed_cases

TEMPLATE = installed.BASE_DIR / "templates" / "reports" / "record.typ"
PLACE = {
    "location": "1111111a-2222-4333-8444-555555555555",
    "slug": "accounts",
    "kind": "django_model",
    "category": "CACHE",
    "result": "MASKED",
    "found": 2,
    "remaining": 0,
    "reason": "Invoices refer to the row.",
    "erased_at": "2026-03-02T09:30:00.125Z",
    "verified_at": "2026-03-02T09:30:00.125Z",
}
BACKUP = {
    "backup": "nightly",
    "covers": "database",
    "made_on": "2026-03-02",
    "expires_on": "2026-06-02",
}


@pytest.fixture
def view(db, settings, tmp_path):
    """What the report shows, of a case with these places and backups."""
    sealed_cases.use_folder(settings, tmp_path)
    data, vkey = bytes(sealed_cases.no_data_case().record.data), keys.verifier_text()
    verified = verify(data, vkey=vkey)

    def of(**findings: object):
        account = replace(verified.account, findings={**verified.account.findings, **findings})
        changed = replace(verified, account=account)
        return view_of(
            SealedCase(verified=changed, sha256="ab" * 32, vkey=vkey, checkpoint_note="note")
        )

    return of


def headings(shown):
    inputs = {"record": "{}", "checkpoint": "x", "scores": ""}
    inputs["view"] = json.dumps(printable_values(shown))
    found = typst.query(str(TEMPLATE), "heading", ignore_system_fonts=True, sys_inputs=inputs)
    return json.dumps([heading["body"] for heading in json.loads(found)])


def test_the_report_lists_places_and_backups(view):
    shown = view(places={"locations": [PLACE], "backups": [BACKUP]})
    assert shown["places"] == [
        [
            "accounts (cache)",
            "masked, not erased: Invoices refer to the row.",
            "2",
            "0",
            "2026-03-02 09:30:00 UTC",
        ]
    ]
    assert shown["backups"] == [["nightly", "database", "2026-03-02", "2026-06-02"]]
    ((area, result, text),) = [row for row in shown["areas"] if row[0] == "Data"]
    assert (area, result) == ("Data", "done with residual")
    assert "1 place masked, not erased." in text
    text = headings(shown)
    assert "Registered places" in text
    assert "Backups that still hold the person" in text


def test_a_record_of_an_earlier_release_shows_neither(view):
    shown = view()
    assert (shown["places"], shown["backups"]) == ([], [])
    assert "Registered places" not in headings(shown)


@pytest.mark.parametrize("result", ["NONE_FOUND", "NOT_SEARCHED"])
def test_a_place_that_was_empty_leaves_no_residual_and_one_not_searched_is_said(view, result):
    shown = view(
        places={"locations": [{**PLACE, "result": result}], "backups": []},
        erasure={**view_erasure(), "records": [{"space": "s", "records": 3, "remaining": 0}]},
    )
    (data,) = [row for row in shown["areas"] if row[0] == "Data"]
    assert data[1] == ("done" if result == "NONE_FOUND" else "done with residual")
    assert ("1 place not searched" in data[2]) is (result == "NOT_SEARCHED")


def view_erasure():
    return {"artefacts": [], "shadows": [], "journal": [], "subject_keys_destroyed": 0}
