"""Checkpoints stamped by an authority on this machine: fetched, kept, exported, verified."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from datetime import timedelta
from io import StringIO

import pikepdf
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audits import keys
from audits.core import case_bundle, flat_zip
from audits.core.manifest import sign_manifest
from audits.core.time_stamp import StampRefused, stamp_request, verify_stamp
from audits.execution import reporting
from audits.execution.case_zip import case_zip
from audits.models import CheckpointAnchor, LogCheckpoint, LogLeaf
from audits.queries.anchors import stamp_of
from audits.queries.reports import report_files
from audits.services import log, stamping, witnessing
from audits.workflow import tasks
from expunge.standalone import verify as standalone
from lineage.queries.artefacts import read_artefact
from tests.audits import sealed_cases
from tests.audits.time_stamping import AT, authority, served

NOTE = b"expunge.local/log\n7\nroot\n\nsignature\n"


# --- a token ----------------------------------------------------------------------------------


def test_a_token_confirms_one_message_at_one_time_by_one_authority():
    tsa = authority()
    tsa.reset()
    asked = stamp_request(NOTE)
    token = tsa.answer(asked.as_bytes())
    assert verify_stamp(token, NOTE, roots=tsa.pem) == AT
    assert verify_stamp(token, NOTE, roots=tsa.pem, asked=asked) == AT
    for wrong in (
        {"token": token, "message": NOTE + b"x", "roots": tsa.pem},
        {"token": token, "message": NOTE, "roots": keys_of_another()},
        {"token": token, "message": NOTE, "roots": ""},
        {"token": token, "message": NOTE, "roots": tsa.pem, "asked": stamp_request(NOTE)},
        {"token": token[:-1], "message": NOTE, "roots": tsa.pem},
        {"token": b"", "message": NOTE, "roots": tsa.pem},
        {"token": token[:-9] + bytes([token[-9] ^ 1]) + token[-8:], "message": NOTE}
        | {"roots": tsa.pem},
    ):
        with pytest.raises(StampRefused, match=r"."):
            verify_stamp(**wrong)
    tsa.at = AT + timedelta(days=400)  # the authority's certificate had ended by then
    with pytest.raises(StampRefused, match="refused"):
        verify_stamp(tsa.answer(asked.as_bytes()), NOTE, roots=tsa.pem)


def keys_of_another() -> str:
    from audits.core.seal_key import self_signed

    return self_signed(authority().key, name="TSA root", now=AT)


@pytest.mark.skipif(not shutil.which("openssl"), reason="There is no openssl command here.")
def test_openssl_verifies_the_token_as_well(tmp_path):
    tsa = authority()
    tsa.reset()
    (tmp_path / "checkpoint.txt").write_bytes(NOTE)
    (tmp_path / "checkpoint.tsr").write_bytes(tsa.answer(stamp_request(NOTE).as_bytes()))
    (tmp_path / "TSA.pem").write_text(tsa.pem)
    words = "openssl ts -verify -data checkpoint.txt -in checkpoint.tsr -CAfile TSA.pem"
    assert words in standalone.STAMPED
    command = [*words.split(), "-attime", str(int(AT.timestamp()))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout, done.stderr


# --- in an installation -----------------------------------------------------------------------


@pytest.fixture
def tsa(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    tsa = authority()
    tsa.reset()
    (tmp_path / "tsa.pem").write_text(tsa.pem)
    settings.EXPUNGE_TSA_CERTIFICATE = str(tmp_path / "tsa.pem")

    def answer(query):
        tsa.asked += 1
        return tsa.status, tsa.answer(query)

    with served(answer) as address:
        settings.EXPUNGE_TSA_URL = address
        yield tsa


def fsck() -> str:
    out = StringIO()
    call_command("fsck", stdout=out)
    return out.getvalue()


def test_a_case_s_checkpoint_is_stamped_kept_exported_and_verified(tsa, tmp_path, settings):
    case = sealed_cases.no_data_case()
    now = sealed_cases.at(3001)
    size = case.record.seal_index + 1
    assert stamping.stamp_due(now=now) == 1
    assert stamping.stamp_due(now=now) == 0
    assert tsa.asked == 1
    leaf = LogLeaf.objects.get(type="checkpoint_timestamped")
    row = CheckpointAnchor.objects.get()
    said = json.loads(bytes(leaf.data))["data"]
    assert said == {"size": size, "digest": row.digest, "at": "2026-03-04T12:00:01.000Z"}
    assert "1 time stamps are those that the log names; 1 were verified" in fsck()
    reporting.write_case_report(case_id=case.pk, now=now)
    with pikepdf.open(io.BytesIO(read_artefact(report_files(case)["PDF"]))) as pdf:
        attached = pdf.attachments["checkpoint.tsr"].get_file()
        assert attached.read_bytes() == stamp_of(size)
        assert attached.mime_type == "application/timestamp-reply"
    check_the_bundle(case, tmp_path, settings)


def check_the_bundle(case, folder, settings):
    data = case_zip(case)
    files = flat_zip.read(data)
    roots = authority().pem
    assert verify_stamp(files["checkpoint.tsr"], files["checkpoint.txt"], roots=roots) == AT
    vkey = keys.verifier_text()
    lines = standalone.verify(standalone.read_zip(data), standalone.keys_in(vkey))
    assert standalone.STAMPED in lines
    (folder / "case.zip").write_bytes(data)
    out = StringIO()
    call_command("verify", folder / "case.zip", stdout=out)
    assert "An authority stamped the checkpoint at 2026-03-04T12:00:01" in out.getvalue()
    settings.EXPUNGE_TSA_CERTIFICATE = ""
    out = StringIO()
    call_command("verify", folder / "case.zip", stdout=out)
    assert "was not held against a certificate" in out.getvalue()
    of_another_message(files, vkey)


def of_another_message(files, vkey):
    """The token of another checkpoint does not pass for this one's, whoever signs."""
    files["checkpoint.tsr"] = authority().answer(stamp_request(b"other").as_bytes())
    del files["manifest.json"]
    files["manifest.json"] = sign_manifest(files, keys.evidence_key())
    with pytest.raises(case_bundle.BundleRejected, match=r"not a time stamp of checkpoint\.txt"):
        case_bundle.verify_files(files, vkey=vkey)
    with pytest.raises(standalone.Rejected, match="not a time stamp"):
        standalone.verify(files, standalone.keys_in(vkey))


FAILURES = [
    (bytes, 503, "status 503"),
    (lambda _: b"<html>", 200, "The time stamp is refused"),
    (lambda answer: answer + bytes(70_000), 200, "at most 65536"),
]


def test_a_failure_is_shown_and_tried_again_later_and_no_case_waits(tsa):
    case, now = sealed_cases.no_data_case(), sealed_cases.at(3001)
    for number, (spoil, status, said) in enumerate(FAILURES, start=1):
        tsa.spoil, tsa.status = spoil, status
        assert stamping.stamp_due(now=now) == stamping.stamp_due(now=now) == 0
        row = CheckpointAnchor.objects.get()
        assert said in row.error
        assert tsa.asked == row.attempts == number  # then it is left alone, longer each time
        assert row.next_at - now == timedelta(minutes=2**number)
        now = row.next_at
    row = CheckpointAnchor.objects.get()
    assert f"1 checkpoints wait for a time stamp. The last try failed: {row.error}" in fsck()
    assert reporting.write_case_report(case_id=case.pk, now=now)
    assert "checkpoint.tsr" not in flat_zip.read(case_zip(case))
    tsa.reset()
    assert stamping.stamp_due(now=now) == 1
    row.refresh_from_db()
    assert (row.error, row.attempts, row.said_at) == ("", 4, AT)
    assert "checkpoint.tsr" in flat_zip.read(case_zip(case))
    assert "wait for a time stamp" not in fsck()


def test_an_authority_that_is_not_there_is_named_without_its_address(tsa, settings):
    settings.EXPUNGE_TSA_URL = "http://user:secret@127.0.0.1:1/"
    sealed_cases.no_data_case()
    assert stamping.stamp_due(now=sealed_cases.at(3001)) == 0
    assert CheckpointAnchor.objects.get().error == "ConnectError"


def test_one_checkpoint_of_a_day_is_stamped_and_none_where_nobody_is_named(tsa, settings):
    day = timedelta(days=1)
    with_log(0)
    assert stamping.stamp_due(now=sealed_cases.at(1)) == 1
    with_log(70)
    assert stamping.stamp_due(now=sealed_cases.at(71)) == 0
    assert stamping.stamp_due(now=sealed_cases.at(71) + day) == 1
    settings.EXPUNGE_TSA_URL = ""
    with_log(5000)
    assert stamping.stamp_due(now=sealed_cases.at(5001)) == 0
    assert CheckpointAnchor.objects.count() == 2
    assert connection.in_atomic_block  # of this test alone: see the next


def with_log(minutes: float) -> None:
    sealed_cases.received(f"{minutes}@example.org")
    log.checkpoint(now=sealed_cases.at(minutes))


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_authority_is_asked(settings, tmp_path, monkeypatch):
    sealed_cases.use_folder(settings, tmp_path)
    settings.EXPUNGE_TSA_URL = "http://127.0.0.1:1/"
    with_log(0)
    seen = []

    def post(*_: object, **named: object):
        seen.append((connection.in_atomic_block, named["timeout"]))
        raise TimeoutError

    monkeypatch.setattr("audits.services.stamping.httpx.post", post)
    assert stamping.stamp_due(now=sealed_cases.at(1)) == 0
    assert seen == [(False, 10)]


def test_a_token_that_was_changed_or_removed_is_found(tsa):
    sealed_cases.no_data_case()
    stamping.stamp_due(now=sealed_cases.at(3001))
    row = CheckpointAnchor.objects.get()
    rows = CheckpointAnchor.objects.filter(pk=row.pk)
    size = LogCheckpoint.objects.get().size
    rows.update(data=bytes(row.data) + b"x")
    with pytest.raises(CommandError, match=f"size {size} is not the one that the log names"):
        fsck()
    rows.update(data=row.data, said_at=AT - timedelta(days=1))
    with pytest.raises(CommandError, match="names another time"):
        fsck()
    rows.delete()
    with pytest.raises(CommandError, match=f"at size {size} is gone"):
        fsck()


@pytest.mark.usefixtures("rung")
def test_the_sweep_asks_the_authority_and_the_witness(db, monkeypatch):
    asked = []
    monkeypatch.setattr(stamping, "stamp_due", lambda **_: asked.append("authority"))
    monkeypatch.setattr(witnessing, "witness_due", lambda **_: asked.append("witness"))
    tasks.sweep()
    assert asked == ["authority", "witness"]
