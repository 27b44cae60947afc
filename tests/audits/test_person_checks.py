"""The person checks the record by the words of their edition, with what they can download."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from audits import keys
from audits.core.editions import LANGUAGES
from audits.execution.report_person import person_view
from audits.execution.reporting import sealed_case
from audits.models import ErasureRequest
from audits.services.requests import token_digest
from tests.audits import sealed_cases

TOKEN = "a-token-of-a-link"


@pytest.fixture
def downloads(db, settings, tmp_path, client):
    """A folder with every file that the page of a sealed case offers, by the name it gives."""
    sealed_cases.use_folder(settings, tmp_path)
    case = sealed_cases.no_data_case()
    ErasureRequest.objects.filter(pk=case.pk).update(status_digest=token_digest(TOKEN))
    page = client.get(f"/erasure/status/{TOKEN}/").content.decode()
    folder = tmp_path / "downloads"
    folder.mkdir()
    for link in re.findall(rf'href="(/erasure/status/{TOKEN}/[\w.]+\.\w+)"', page):
        answer = client.get(link)
        assert answer.status_code == 200, link
        (name,) = re.findall(r'filename="([^"]+)"', answer.headers["Content-Disposition"])
        (folder / name).write_bytes(answer.content)
    return folder, case


def view_of(case, language="en"):
    found = sealed_case(bytes(case.record.data), vkey=keys.verifier_text())
    with translation.override(language):
        return person_view(found)["checking"]


def follow(folder, checking):
    """Do what the edition says: save the keys, run the command."""
    (folder / "keys.txt").write_text(checking["keys"])
    program, *rest = shlex.split(checking["command"])
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *rest],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_printed_command_works_with_the_files_as_downloaded(downloads):
    folder, case = downloads
    checking = view_of(case)
    code, said = follow(folder, checking)
    assert said.startswith("VERIFIED."), said
    assert code == 0
    assert str(case.pk) in said
    record = folder / f"{case.reference}.json"
    told = StringIO()
    call_command("verify", record, "--key", folder / "keys.txt", stdout=told)
    assert "Only the record was checked" in told.getvalue()

    record.write_bytes(record.read_bytes().replace(b"NO_DATA_FOUND", b"NO_DATA_LOST!"))
    code, said = follow(folder, checking)
    assert (code, said[:9]) == (1, "REJECTED.")
    with pytest.raises(CommandError):
        call_command("verify", record, "--key", folder / "keys.txt", stdout=StringIO())


def test_every_file_that_the_edition_names_is_one_that_the_person_has(downloads):
    folder, case = downloads
    there = {one.name for one in folder.iterdir()} | {"keys.txt"}
    for language in LANGUAGES:
        checking = view_of(case, language)
        text = " ".join(checking[name] for name in ("files", "run", "says", "command"))
        named = set(re.findall(r"[\w-]+\.(?:json|py|pdf|txt|vkey|zip)\b", text))
        assert named == {f"{case.reference}.json", "verify.py", "keys.txt"} <= there


def test_a_record_alone_must_be_one(downloads, tmp_path):
    folder, case = downloads
    for content in (b"{}", b"[]", b"no json", b'{"envelope":{},"proof":5}'):
        (folder / f"{case.reference}.json").write_bytes(content)
        code, said = follow(folder, view_of(case))
        assert (code, said[:9]) == (1, "REJECTED."), said
