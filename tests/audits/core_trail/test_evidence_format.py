from __future__ import annotations

from pathlib import Path

import pytest

from audits.core.events import table
from audits.core.manifest import verify_manifest
from audits.core.record import RecordRejected, verify
from tests.audits.core_trail import stranger
from tests.audits.core_trail.sealing import record

DOCUMENT = Path(__file__).parents[3] / "docs" / "evidence-format.md"
GOLDEN = Path(__file__).parent / "golden"
SEALED = (GOLDEN / "expunge-record-1.json").read_bytes()
VKEY = (GOLDEN / "vkey.txt").read_text().strip()


def test_the_document_holds_the_table_of_the_code():
    text = DOCUMENT.read_text()
    _, rest = text.split("<!-- events:begin -->\n")
    written, _ = rest.split("<!-- events:end -->")
    assert written == table() + "\n"


@pytest.mark.parametrize("word", ["guarantee", "certif", "anonym", "100%", "compliant"])
def test_the_document_promises_no_more_than_the_evidence(word):
    assert word not in DOCUMENT.read_text().split("## Log events")[0].lower()


def test_a_record_sealed_earlier_still_verifies():
    assert verify(SEALED, vkey=VKEY).account.outcome == "ERASED"
    assert stranger.verify(SEALED, VKEY)["outcome"] == "ERASED"
    with pytest.raises(RecordRejected):
        verify(SEALED.replace(b"ERASED", b"FAILED"), vkey=VKEY)


def test_a_manifest_signed_earlier_still_verifies():
    manifest = (GOLDEN / "expunge-manifest-1.json").read_bytes()
    assert verify_manifest(manifest, {"record.json": SEALED}, VKEY)


def test_the_format_has_not_changed_without_a_new_version_line():
    assert record() == SEALED
