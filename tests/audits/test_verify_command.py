from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as installed
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits import keys
from audits.core.bundle import MANIFEST, RECORD, REPORT, FileNotThere, verify_path
from audits.core.manifest import sign_manifest
from audits.execution import reporting
from audits.queries.reports import report_files
from lineage.queries.artefacts import read_artefact
from tests.audits import sealed_cases

FILES = (RECORD, REPORT, MANIFEST)
SAMPLES = 60
_MADE: dict[str, Any] = {}


@pytest.fixture
def folder(db, settings, tmp_path):
    """A folder with the three files and, beside it, the key; made once, written for each test."""
    if not _MADE:
        sealed_cases.use_folder(settings, tmp_path / "installation")
        request = sealed_cases.no_data_case()
        reporting.write_case_report(case_id=request.pk, now=timezone.now())
        found = report_files(request)
        for name, code in zip(FILES, ("JSON", "PDF", "MANIFEST"), strict=True):
            _MADE[name] = read_artefact(found[code])
        _MADE["log.vkey"] = keys.verifier_text().encode()
        _MADE["key"] = keys.evidence_key()
        _MADE["log key"] = keys.signing_key()
    settings.KEYS = tmp_path / "nowhere"
    (tmp_path / "log.vkey").write_bytes(_MADE["log.vkey"])
    (tmp_path / "case").mkdir()
    for name in FILES:
        (tmp_path / "case" / name).write_bytes(_MADE[name])
    return tmp_path / "case"


def verify(path):
    out = StringIO()
    call_command("verify", path, key=path.parent / "log.vkey", stdout=out)
    return out.getvalue()


def refused(path, sentence="."):
    with pytest.raises(CommandError, match=sentence) as error:
        call_command("verify", path, key=key_of(path), stdout=StringIO())
    assert error.value.returncode == 1
    assert "\n" not in str(error.value)
    return True


def key_of(path):
    near = path.parent / "log.vkey"
    return near if near.exists() else path.parent.parent / "log.vkey"


def test_a_folder_is_verified_with_all_its_files(folder):
    text = verify(folder)
    assert "outcome NO_DATA_FOUND." in text
    assert "these files are exactly those it names: record.json, report.pdf." in text
    assert "Checkpoint: 4 events, root " in text
    assert _MADE["log.vkey"].decode() in text
    assert "Not covered" not in text


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_verified_by_itself(folder, name):
    out = StringIO()
    call_command("verify", folder / name, key=key_of(folder / name), stdout=out)
    alone = "Only the record was checked" in out.getvalue()
    assert alone == (name == RECORD)


def test_a_record_needs_nothing_beside_it(folder):
    (folder / REPORT).unlink()
    (folder / MANIFEST).unlink()
    assert verify_path(folder / RECORD, vkey=_MADE["log.vkey"].decode()).listed == ()


def test_a_report_without_its_manifest_is_refused_with_a_sentence(folder):
    (folder / MANIFEST).unlink()
    refused(
        folder / REPORT, r"^The signed manifest report\.manifest\.json is not beside the report"
    )


@pytest.mark.parametrize("name", [RECORD, REPORT])
def test_a_folder_without_one_of_the_files_is_refused(folder, name):
    (folder / name).unlink()
    refused(folder, f"{name} is missing or cannot be read")


def test_a_path_that_does_not_exist_is_refused(folder):
    refused(folder / "other.json", "is missing")
    with pytest.raises(FileNotThere):
        verify_path(folder / "none.pdf", vkey=_MADE["log.vkey"].decode())


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_anywhere_is_refused(folder, name):
    data = _MADE[name]
    step = max(1, len(data) // SAMPLES)
    vkey = _MADE["log.vkey"].decode()
    places = [*range(0, len(data), step), len(data) - 1]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        (folder / name).write_bytes(changed)
        for path in (folder, folder / name):
            with pytest.raises(ValueError, match=r"."):
                verify_path(path, vkey=vkey)
    refused(folder / name)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_or_longer_file_is_refused(folder, name):
    for data in (_MADE[name][:-1], _MADE[name] + b"\n", b""):
        (folder / name).write_bytes(data)
        refused(folder)


def test_another_sealed_record_in_the_folder_is_refused(folder, db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path / "installation")
    (settings.KEYS / "log.pem").write_bytes(_pem(_MADE["log key"]))
    (settings.KEYS / "evidence.pem").write_bytes(_pem(_MADE["key"]))
    (settings.KEYS / "keys.vkey").write_bytes(_MADE["log.vkey"])
    other = sealed_cases.no_data_case()
    (folder / RECORD).write_bytes(bytes(other.record.data))
    assert not verify_path(folder / RECORD, vkey=_MADE["log.vkey"].decode()).listed
    refused(folder, r"record\.json is missing or is not the one signed")


def _pem(key):
    from cryptography.hazmat.primitives import serialization as form

    return key.private.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )


def test_a_manifest_over_a_record_that_does_not_verify_is_refused(folder):
    files = {RECORD: b"{}", REPORT: _MADE[REPORT]}
    (folder / RECORD).write_bytes(b"{}")
    (folder / MANIFEST).write_bytes(sign_manifest(files, _MADE["key"]))
    refused(folder, "Step 1, the file")


def test_a_file_that_nothing_covers_is_named(folder):
    (folder / "notes.txt").write_text("hello")
    assert "Not covered by any signature: notes.txt." in verify(folder)


def test_another_key_is_refused(folder, settings, tmp_path):
    settings.KEYS = tmp_path / "other"
    keys.create_signing_key()
    for path in (folder, folder / RECORD):
        with pytest.raises(CommandError):  # the key of this installation is the default
            call_command("verify", path, stdout=StringIO())


def test_the_key_is_never_taken_from_the_files(folder):
    shutil.copy(folder.parent / "log.vkey", folder / "log.vkey")
    with pytest.raises(CommandError, match="There is no public key at this installation"):
        call_command("verify", folder, stdout=StringIO())


@pytest.mark.parametrize("text", ["", "not a key", "a+b+c", "\u6a21"])
def test_a_malformed_key_is_refused_with_a_sentence(folder, text):
    (folder.parent / "log.vkey").write_text(text)
    refused(folder, "is not a verifier key|is not spelled like")


def test_a_key_file_that_is_not_text_is_refused(folder):
    (folder.parent / "log.vkey").write_bytes(b"\xff\xfe")
    refused(folder, "There is no public key at")


def test_no_database_and_no_installation_are_needed(folder, tmp_path):
    key = ("--key", str(tmp_path / "log.vkey"))
    found = subprocess.run(
        [sys.executable, str(installed.BASE_DIR / "manage.py"), "verify", str(folder), *key],
        env={
            **os.environ,
            "EXPUNGE_HOME": str(tmp_path / "empty"),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert "outcome NO_DATA_FOUND." in found.stdout
