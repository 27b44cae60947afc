"""Checkpoints are made when something leaves, and proofs from them hold for a stranger."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from audits import keys
from audits.core.ledger import leaf_hash, verify_consistency, verify_inclusion
from audits.core.note import verify_checkpoint
from audits.core.proof import parse_proof
from audits.models import ErasureRequest, Letter, LogCheckpoint, LogLeaf
from audits.queries.reports import KINDS
from audits.services import letters, log, reports
from audits.workflow import tasks
from lineage.services.api_keys import create_key
from tests.append_only import without_triggers
from tests.audits import sealed_cases

pytestmark = [pytest.mark.database, pytest.mark.django_db]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def events(count):
    with transaction.atomic():
        for _ in range(count):
            log.append(type="incident_raised", case=None, now=NOON, data={"code": "X"})


@pytest.fixture
def grown(signing_key):
    """A log of 13 events, with checkpoints at 5 and 13."""
    events(5)
    log.checkpoint(now=NOON)
    events(8)
    return log.checkpoint(now=NOON)


def proved(text, data):
    proof = parse_proof(text)
    signed = verify_checkpoint(proof.checkpoint_note, keys.verifier_text())
    verify_inclusion(
        index=proof.index,
        size=signed.size,
        leaf=leaf_hash(data),
        path=proof.path,
        root=signed.root,
    )
    return proof.index, signed.size


def ask(client, path, scope="log:read"):
    key = create_key(name="auditor", scopes=[scope], now=timezone.now(), lifetime=None).secret
    return client.get(f"/api/v1/log/{path}", headers={"authorization": f"Bearer {key}"})


def command(*words: str):
    out = StringIO()
    call_command("log_proof", *words, stdout=out)
    return out.getvalue()


def test_a_stranger_proves_an_event_by_the_api(grown, client):
    told = ask(client, "proof/7")
    assert told["content-type"].startswith("text/plain")
    assert proved(told.content.decode(), bytes(LogLeaf.objects.get(index=7).data)) == (7, 13)


def test_the_newest_checkpoint_extends_one_that_somebody_holds(grown, client):
    held = verify_checkpoint(LogCheckpoint.objects.get(size=5).note, keys.verifier_text())
    note = ask(client, "checkpoint").content.decode()
    newest = verify_checkpoint(note, keys.verifier_text())
    lines = ask(client, "consistency/5").content.decode().splitlines()
    verify_consistency(
        old_size=held.size,
        new_size=newest.size,
        old_root=held.root,
        new_root=newest.root,
        path=[*map(b64decode, lines)],
    )


@pytest.mark.parametrize("path", ["proof/13", "proof/-1", "consistency/0", "consistency/14"])
def test_what_is_not_under_the_checkpoint_is_not_found(grown, client, path):
    assert ask(client, path).status_code == 404


def test_before_the_first_checkpoint_there_is_nothing_to_show(db, client):
    told = ask(client, "checkpoint")
    assert (told.status_code, told.json()["detail"][:13]) == (404, "No checkpoint")


@pytest.mark.parametrize("path", ["checkpoint", "proof/0", "consistency/1"])
def test_a_key_without_the_scope_is_refused(grown, client, path):
    assert ask(client, path, scope="intake").status_code == 403
    assert client.get(f"/api/v1/log/{path}").status_code == 401


def test_the_command_signs_and_prints_the_proof_of_the_newest_event(grown):
    events(1)
    assert proved(command("13"), bytes(LogLeaf.objects.get(index=13).data)) == (13, 14)


def test_the_command_writes_event_and_proof_of_a_case(world, tmp_path):
    case = world.accepted()
    command(case.reference, "--out", str(tmp_path))
    indices = {leaf.index for leaf in LogLeaf.objects.filter(case_id=case.pk)}
    assert len(indices) > 1
    for index in indices:
        data = (tmp_path / f"{index}.json").read_bytes()
        assert proved((tmp_path / f"{index}.tlog-proof").read_text(), data)[0] == index


def test_the_command_says_what_is_missing(grown, tmp_path):
    for words, sentence in [
        (["13"], "covers the events from 0 to 12"),
        (["ER-NONE"], "There is no case 'ER-NONE'"),
        (["1", "--out", str(tmp_path / "x")], "must be a folder"),
    ]:
        with pytest.raises(CommandError, match=sentence):
            command(*words)


def test_the_command_names_an_altered_log(grown):
    with without_triggers(connection):
        LogLeaf.objects.filter(index=2).update(leaf_hash=b"\0" * 32)
    with pytest.raises(CommandError, match=r"does not lead to the root. Run manage.py fsck"):
        command("3")


def test_the_sweep_signs_a_log_that_grew_once_an_hour(signing_key):
    assert log.anchor_hourly(now=NOON) is None
    events(1)
    assert log.anchor_hourly(now=NOON)
    assert log.anchor_hourly(now=NOON + timedelta(hours=2)) is None
    events(1)
    assert log.anchor_hourly(now=NOON + timedelta(minutes=59)) is None
    later = log.anchor_hourly(now=NOON + timedelta(minutes=60))
    assert later
    assert later.size == 2


def test_the_hourly_checkpoint_is_a_step_of_the_sweep(signing_key):
    events(1)
    tasks.sweep()
    assert LogCheckpoint.objects.get().size == LogLeaf.objects.count()


def test_without_a_key_a_letter_is_not_held_up(db, caplog):
    events(1)
    assert log.anchor(now=NOON) is None
    assert "no checkpoint was made" in caplog.text


def test_a_letter_prints_a_checkpoint_that_is_made_for_it(world):
    case = world.accepted()
    events(1)
    letters.send_letter(request=case, code="RESTRICTED", now=NOON)
    note = LogCheckpoint.objects.get(size=LogLeaf.objects.count() - 1).note
    body = str(mail.outbox[-1].body)
    assert all(line in body for line in note.splitlines() if line)


def test_a_link_to_confirm_makes_no_checkpoint(signing_key):
    sealed_cases.received("nobody@example.org")
    case = ErasureRequest.objects.get()
    links = {"confirm_url": "https://x/confirm", "status_url": "https://x/status"}
    letters.send_letter(request=case, code="CONFIRM", now=NOON, context=links)
    assert Letter.objects.get(code="CONFIRM").digest
    assert not LogCheckpoint.objects.exists()


def test_an_exported_report_is_under_a_checkpoint(signing_key):
    case = sealed_cases.no_data_case()
    contents = dict.fromkeys(KINDS, b"x")
    assert reports.keep_report(case_id=case.pk, contents=contents, now=NOON)
    newest = LogCheckpoint.objects.latest("size")
    assert newest.size == LogLeaf.objects.count()
    assert LogLeaf.objects.latest("index").type == "report_exported"
