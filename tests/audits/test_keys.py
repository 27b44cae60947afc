"""Keys: made, encrypted, listed, replaced; what an old key signed is verified for ever."""

from __future__ import annotations

import json
import stat
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits import keys
from audits.core import seal_key
from audits.core.canonical import sha256, write_json
from audits.core.note import (
    Checkpoint,
    CheckpointMalformed,
    SigningKey,
    sign_checkpoint,
    verify_checkpoint,
)
from audits.core.record import verify
from audits.core.rotation import RotationRejected, verify_rotation
from audits.core.statement import StatementRejected, verify_statement
from audits.key_files import KeyFileRefused, is_encrypted
from audits.key_register import known_keys
from audits.models import LogCheckpoint, LogLeaf
from audits.queries.log_check import check_log
from audits.services.key_rotation import RotationImpossible, rotate_key
from tests.audits import sealed_cases

pytestmark = [pytest.mark.database]
HELD = SigningKey(name="expunge.local/log", private=Ed25519PrivateKey.generate())


@pytest.fixture(autouse=True)
def quick_seal(monkeypatch):
    """RSA keys of this size are made at once."""

    def small():
        return generate_private_key(public_exponent=65537, key_size=1024)

    monkeypatch.setattr("audits.keys.new_seal_key", small)
    monkeypatch.setattr("audits.services.key_rotation.new_seal_key", small)


def command(*words: str):
    out = StringIO()
    call_command("keys", *words, stdout=out)
    return out.getvalue()


def test_init_makes_four_keys_that_their_owner_alone_reads(settings):
    assert command("init") == "Made: log, evidence, seal, model.\n"
    assert command("init") == "Every key is there.\n"
    for role in keys.FILES:
        assert stat.S_IMODE(keys.path_of(role).stat().st_mode) == 0o600
    private, certificate = keys.seal_key()
    assert isinstance(private, RSAPrivateKey)
    seal_key.certificate_verifies(certificate, seal_key.seal_sign(private, b"x"), b"x")


def test_the_sealing_key_of_an_installation_has_3072_bits():
    assert seal_key.new_seal_key().key_size == 3072


def test_log_and_statements_have_different_keys(installation):
    keys.init()
    log, evidence = (keys.signer(role).verifier for role in keys.SIGNING)
    assert (log.name, evidence.name) == ("expunge.local/log", "expunge.local/log/evidence")
    assert log.public != evidence.public
    assert keys.verifier_text() == f"{log.text}\n{evidence.text}"


def test_a_passphrase_encrypts_the_keys_that_are_there(settings):
    keys.init()
    vkeys = keys.verifier_text()
    assert not is_encrypted(keys.path_of("log"))
    settings.EXPUNGE_KEYS_PASSPHRASE = "correct horse"
    keys.init()
    for role in keys.FILES:
        assert is_encrypted(keys.path_of(role))
    assert keys.signing_key().verifier.text in vkeys
    for wrong, said in [("", "is empty"), ("battery", "is not that of the key")]:
        settings.EXPUNGE_KEYS_PASSPHRASE = wrong
        with pytest.raises(KeyFileRefused, match=f"EXPUNGE_KEYS_PASSPHRASE {said}"):
            keys.signing_key()


def test_a_key_of_an_earlier_release_stays(settings):
    keys.create_signing_key()
    old = keys.signing_key().verifier.text
    for name in ("keys.json", "keys.vkey", "evidence.pem", "evidence.vkey"):
        (settings.KEYS / name).unlink()
    assert keys.verifier_text() == old
    assert keys.init() == ["evidence", "seal", "model"]
    assert keys.verifier_text().splitlines()[0] == old


def held(role):
    """As a key management service would answer."""
    private = HELD.private
    return SigningKey(name=keys.name_of(role), private=private)


def test_a_service_may_sign_instead_of_a_file(db, settings):
    settings.EXPUNGE_SIGNERS = "tests.audits.test_keys.held"
    keys.init()
    assert not keys.path_of("log").exists()
    sealed_cases.no_data_case()
    note = LogCheckpoint.objects.latest("size").note
    assert verify_checkpoint(note, HELD.verifier.text).size == LogLeaf.objects.count()
    with pytest.raises(RotationImpossible, match="rotate the key where it is kept"):
        rotate_key(role="log", now=timezone.now())


@pytest.mark.parametrize("role", ["log", "evidence", "seal", "model"])
def test_a_rotation_is_signed_by_both_and_is_in_the_log(db, installation, role):
    keys.init()
    old = next(one.key for one in known_keys() if one.role == role)
    path = rotate_key(role=role, now=timezone.now())
    rotation = verify_rotation(path.read_bytes(), old=old)
    assert (rotation.role, rotation.new) == (role, known_keys()[-1].key)
    leaf = LogLeaf.objects.get(type="key_rotated")
    assert sha256(path.read_bytes()) in bytes(leaf.data).decode()
    periods = [(one.since, one.until) for one in known_keys() if one.role == role]
    assert periods[0][1] == periods[1][0]
    assert periods[1][1] == ""


def test_what_the_old_keys_signed_is_still_verified(db, installation):
    keys.init()
    before = sealed_cases.no_data_case()
    for role in ("log", "evidence"):
        rotate_key(role=role, now=timezone.now())
    after = sealed_cases.no_data_case()
    for case in (before, after):
        verify(bytes(case.record.data), vkey=keys.verifier_text())
    assert check_log(vkey=keys.verifier_text()).records == 2
    signers = {
        note.splitlines()[-1] for note in LogCheckpoint.objects.values_list("note", flat=True)
    }
    assert len(signers) == LogCheckpoint.objects.count()


def test_a_rotation_that_one_key_did_not_sign_is_refused(db, installation):
    keys.init()
    old = keys.signing_key().verifier.text
    value = json.loads(rotate_key(role="log", now=timezone.now()).read_bytes())
    other = HELD.verifier.text
    changes = [
        {"by_new": value["by_old"]},
        {"by_old": value["by_new"]},
        {"new": other},
        {"role": "evidence"},
        {"role": "none"},
        {"at": "2026-01-01T00:00:00.000Z"},
        {"at": "soon"},
        {"format": "expunge-rotation/2"},
        {"old": other},
    ]
    for change in changes:
        with pytest.raises(RotationRejected):
            verify_rotation(write_json(value | change), old=old)
    with pytest.raises(RotationRejected, match="of another key"):
        verify_rotation(write_json(value), old=other)


def test_the_key_of_statements_signs_no_checkpoint(installation):
    keys.init()
    evidence = keys.evidence_key()
    note = sign_checkpoint(Checkpoint(origin=evidence.name, size=1, root=b"\1" * 32), evidence)
    with pytest.raises(CheckpointMalformed, match="of another log"):
        verify_checkpoint(note, keys.verifier_text())


def test_a_statement_by_an_unknown_key_is_refused(db, installation):
    keys.init()
    envelope = json.loads(bytes(sealed_cases.no_data_case().record.data))["envelope"]
    with pytest.raises(StatementRejected, match="is not signed by the key"):
        verify_statement(write_json(envelope), keys.signing_key().verifier.text)


def test_the_list_tells_periods(db, installation):
    command("init")
    command("rotate", "evidence")
    lines = command("list").splitlines()
    assert [line.split()[0] for line in lines] == ["log", "evidence", "seal", "model", "evidence"]
    rows = json.loads(command("list", "--json"))
    assert [row["until"] == "" for row in rows] == [True, False, True, True, True]


def test_without_a_key_there_is_nothing_to_replace(db, installation):
    with pytest.raises(CommandError, match=r"Run: manage.py keys init"):
        command("rotate", "log")
