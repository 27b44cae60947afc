"""Checkpoints shown to a witness on this machine, which checks what it signs."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from audits import keys
from audits.core import cosignature
from audits.core.cosignature import CosignatureRefused, parse_witness_keys, verify_cosignatures
from audits.core.ledger import NotProven, verify_consistency
from audits.core.note import KeyMalformed, verify_checkpoint
from audits.models import CheckpointAnchor, LogCheckpoint
from audits.services import log, witnessing
from tests.audits import sealed_cases
from tests.audits.time_stamping import served

AT = 1_772_452_900  # seconds since 1970
HOUR = timedelta(hours=1)
NAME = "witness.example/w1"


class Witness:
    """Signs a checkpoint that extends the last one that it signed (C2SP tlog-witness)."""

    def __init__(self, name: str = NAME) -> None:
        self.name, self.private = name, Ed25519PrivateKey.generate()
        self.size, self.root, self.log_key = 0, b"", ""
        self.seen: list[int] = []

    @property
    def vkey(self) -> str:
        public = self.private.public_key().public_bytes_raw()
        tail = base64.b64encode(b"\x04" + public).decode()
        return f"{self.name}+{cosignature.key_id(self.name, public).hex()}+{tail}"

    def line(self, note: str, at: int = AT) -> str:
        public = self.private.public_key().public_bytes_raw()
        text = note.split("\n\n", maxsplit=1)[0]
        signature = self.private.sign(f"cosignature/v1\ntime {at}\n{text}\n".encode())
        raw = cosignature.key_id(self.name, public) + at.to_bytes(8, "big") + signature
        return f"\u2014 {self.name} {base64.b64encode(raw).decode()}\n"

    def answer(self, body: bytes) -> tuple[int, bytes]:
        head, _, note = body.decode().partition("\n\n")
        first, *hashes = head.split("\n")
        said = re.fullmatch("old ([0-9]+)", first)
        assert said
        old = int(said[1])
        self.seen.append(old)
        checkpoint = verify_checkpoint(note, self.log_key)
        if old != self.size:
            return 409, f"{self.size}\n".encode()
        if old:
            try:
                verify_consistency(
                    old_size=old,
                    new_size=checkpoint.size,
                    old_root=self.root,
                    new_root=checkpoint.root,
                    path=[base64.b64decode(one) for one in hashes],
                )
            except NotProven:
                return 422, b""
        elif hashes:
            return 400, b""
        self.size, self.root = checkpoint.size, checkpoint.root
        return 200, self.line(note).encode()


# --- a cosignature ----------------------------------------------------------------------------

NOTE = "example.org/log\n7\ncm9vdA==\n\n\u2014 example.org/log c2ln\n"


def test_a_cosignature_confirms_one_checkpoint_at_one_time_by_one_witness():
    one, other = Witness(), Witness("witness.example/w2")
    known = parse_witness_keys([one.vkey])
    at = datetime.fromtimestamp(AT, tz=UTC)
    assert verify_cosignatures(one.line(NOTE), NOTE, known) == {NAME: at}
    assert verify_cosignatures(other.line(NOTE) + one.line(NOTE), NOTE, known) == {NAME: at}
    raw = base64.b64decode(one.line(NOTE).split()[2])
    later = base64.b64encode(raw[:11] + bytes([raw[11] ^ 1]) + raw[12:]).decode()
    for wrong in (
        one.line(NOTE.replace("7", "8")),
        f"\u2014 {NAME} {later}\n",  # the time is signed as well
        other.line(NOTE),
        f"\u2014 {NAME} {base64.b64encode(raw[:20]).decode()}\n",
        "nonsense",
        f"\u2014 {NAME} AA\n",
        "",
    ):
        with pytest.raises(CosignatureRefused, match=r"."):
            verify_cosignatures(wrong, NOTE, known)


@pytest.mark.parametrize("change", [("+", "-"), ("w1", "w2"), ("+B", "+A")])
def test_a_key_that_is_no_witness_s_is_refused(change):
    with pytest.raises(KeyMalformed, match="is not a witness's key"):
        parse_witness_keys([Witness().vkey.replace(*change)])


# --- in an installation -----------------------------------------------------------------------


@pytest.fixture
def witness(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)
    witness = Witness()
    witness.log_key = keys.verifier_text()
    settings.EXPUNGE_WITNESS_KEYS = [witness.vkey]
    with served(witness.answer) as address:
        settings.EXPUNGE_WITNESS_URL = address + "/"
        yield witness


def grown(minutes: float) -> LogCheckpoint:
    sealed_cases.received(f"{minutes}@example.org")
    return log.checkpoint(now=sealed_cases.at(minutes))


def asked(minutes: float) -> bool:
    return witnessing.witness_due(now=sealed_cases.at(minutes))


def fsck() -> str:
    out = StringIO()
    call_command("fsck", stdout=out)
    return out.getvalue()


def test_every_hour_the_newest_checkpoint_is_cosigned_with_a_proof_that_the_log_only_grew(witness):
    assert not asked(0)  # there is none yet
    first = grown(0)
    assert asked(1)
    grown(20)
    assert not asked(30)
    last = grown(70)
    assert asked(71)
    assert not asked(200)  # nothing is new
    assert witness.seen == [0, first.size]
    rows = CheckpointAnchor.objects.order_by("checkpoint_id")
    assert [row.checkpoint_id for row in rows] == [first.size, last.size]
    assert rows[0].said_at == datetime.fromtimestamp(AT, tz=UTC)
    assert "2 checkpoints are signed by a witness." in fsck()


def test_a_witness_that_knows_another_size_is_asked_again_from_there(witness):
    first = grown(0)
    witness.size, witness.root = first.size, bytes(first.root)  # it signed, and we lost the answer
    grown(1)
    assert asked(2)
    assert witness.seen == [0, first.size]


def test_a_log_that_was_rewritten_finds_no_witness_and_fsck_tells(witness):
    first = grown(0)
    witness.size, witness.root = first.size, b"\1" * 32  # of the log as it was
    grown(1)
    assert not asked(2)
    assert not asked(3)
    assert witness.seen == [0, first.size]  # and is left alone for a while
    assert "A checkpoint waits for a witness: The witness answered with status 422." in fsck()
    witness.root = bytes(first.root)
    later = grown(90)
    assert asked(90)
    assert CheckpointAnchor.objects.get().checkpoint_id == later.size  # the older need not wait
    assert "waits for a witness" not in fsck()


def test_what_a_witness_signed_is_verified_again_by_fsck(witness, settings):
    grown(0)
    asked(1)
    row = CheckpointAnchor.objects.get()
    CheckpointAnchor.objects.update(data=witness.line("a/log\n1\nxx\n\nsignature\n").encode())
    with pytest.raises(CommandError, match="The witness did not sign this checkpoint"):
        fsck()
    CheckpointAnchor.objects.update(data=bytes(row.data))
    settings.EXPUNGE_WITNESS_KEYS = []
    with pytest.raises(CommandError, match="Past witnesses stay in EXPUNGE_WITNESS_KEYS"):
        fsck()


def test_a_witness_that_is_not_there_is_named_without_its_address(witness, settings):
    settings.EXPUNGE_WITNESS_URL = "http://user:secret@127.0.0.1:1"
    grown(0)
    assert not asked(1)
    assert CheckpointAnchor.objects.get().error == "ConnectError"
    settings.EXPUNGE_WITNESS_URL = ""
    assert not asked(400)
