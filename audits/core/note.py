"""Signed notes and log checkpoints (C2SP signed-note v1 and tlog-checkpoint), with Ed25519.

What verifies takes a text of verifier keys, one a line: those that are trusted, past ones too. A
signature is held against the one key that it names.

A note here has exactly one signature line. The standard lets a verifier ignore lines by unknown
keys; this one refuses them, because their bytes could be changed unseen.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audits.core.canonical import NotCanonical, read_base64, write_base64

EVIDENCE = "/evidence"  # ends the name of a key that signs statements, and never a log
_ED25519 = b"\x01"  # the signature type of the standard
_KEY_BYTES = 32
_NAME = re.compile(r"[!-*,-~]{1,255}")  # printable ASCII without space and plus
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # controls; half characters
_SIGNATURE_LINE = re.compile(r"\u2014 (?P<name>[!-*,-~]+) (?P<signature>[0-9A-Za-z+/=]+)\n")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class KeyMalformed(ValueError):
    """A key name or the text of a verifier key is not as the standard writes it."""


class SignatureNotValid(ValueError):
    """The signature was not made over these bytes by this key."""


class NoteRejected(ValueError):
    """A text is not a note with one valid signature by the expected key."""


class CheckpointMalformed(ValueError):
    """A note's text is not a checkpoint of the expected log."""


@dataclass(frozen=True, kw_only=True)
class VerifierKey:
    """A named public key; ``text`` is what is published as the vkey."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise KeyMalformed(f"The key name {self.name!r} has a space, a plus or odd letters.")
        if len(self.public) != _KEY_BYTES:
            raise KeyMalformed(f"An Ed25519 public key has 32 bytes, not {len(self.public)}.")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key)."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def label(self) -> str:
        """Name and key id, as in the vkey: it identifies the key, it is not the key."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def text(self) -> str:
        """The vkey: name, key id in hexadecimal, base64 of the type and the key."""
        return f"{self.label}+{write_base64(_ED25519 + self.public)}"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise SignatureNotValid unless this key signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature as error:
            raise SignatureNotValid(f"The signature is not by the key {self.label}.") from error


class Signer(Protocol):
    """Whatever signs with a named Ed25519 key: one in memory, or one that a service keeps."""

    @property
    def name(self) -> str:
        """The name of the key."""

    @property
    def verifier(self) -> VerifierKey:
        """The public half, to be given out beforehand."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature (RFC 8032) over the message."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A named private key in memory. One name stands for one log or for its records."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> VerifierKey:
        """The public half, to be given out beforehand."""
        return VerifierKey(name=self.name, public=self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over the message."""
        return self.private.sign(message)


def parse_vkey(text: str) -> VerifierKey:
    """Read a published verifier key. Raises KeyMalformed unless it is spelled canonically."""
    try:
        name, _, encoded = text.split("+", 2)
        key = VerifierKey(name=name, public=read_base64(encoded)[1:])
    except ValueError as error:
        raise KeyMalformed(f"{text!r} is not a verifier key: name+id+base64.") from error
    if key.text != text:  # also covers the key id, the signature type and the padding
        raise KeyMalformed(f"{text!r} is not spelled like an Ed25519 verifier key.")
    return key


def parse_vkeys(text: str) -> tuple[VerifierKey, ...]:
    """Read verifier keys, one a line, at least one. Raises KeyMalformed."""
    return tuple(map(parse_vkey, text.strip("\n").split("\n")))


def named_key(vkeys: str, label: str) -> VerifierKey:
    """The key with this label, else the first, which then refuses. Raises KeyMalformed."""
    keys = parse_vkeys(vkeys)
    return next((key for key in keys if key.label == label), keys[0])


def sign_note(text: str, key: Signer) -> str:
    """Add a blank line and the signature line. Raises NoteRejected for a text no note can hold."""
    verifier = key.verifier
    signature = verifier.key_id + key.sign(_message(text))
    return f"{text}\n\u2014 {verifier.name} {write_base64(signature)}\n"


def verify_note(note: str, vkeys: str) -> str:
    """The signed text, with its final newline. Raises NoteRejected, or KeyMalformed."""
    return _open(note, vkeys)[0]


def signer_of(note: str, vkeys: str) -> VerifierKey:
    """The key that signed a note. Raises NoteRejected, or KeyMalformed."""
    return _open(note, vkeys)[1]


def _open(note: str, vkeys: str) -> tuple[str, VerifierKey]:
    text, separator, last = note.rpartition("\n\n")
    line = _SIGNATURE_LINE.fullmatch(last)
    if not separator or line is None:
        parse_vkeys(vkeys)
        raise NoteRejected("A note ends with a blank line and exactly one signature line.")
    try:
        signature = read_base64(line["signature"])
        key = named_key(vkeys, f"{line['name']}+{signature[:4].hex()}")
        key.verify(signature[4:], _message(f"{text}\n"))
    except (NotCanonical, SignatureNotValid) as error:
        raise NoteRejected(str(error)) from error
    if line["name"] != key.name or signature[:4] != key.key_id:
        raise NoteRejected(f"The signature line does not name the key {key.label}.")
    return f"{text}\n", key


def _message(text: str) -> bytes:
    if not text.endswith("\n") or _FORBIDDEN.search(text):
        raise NoteRejected("A note's text ends with a newline and has no other control character.")
    return text.encode()


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The log at one moment: its name, the number of entries and the Merkle root."""

    origin: str
    size: int
    root: bytes

    def encode(self) -> str:
        """The note text: three lines, no extension lines."""
        return f"{self.origin}\n{self.size}\n{write_base64(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text. Raises CheckpointMalformed, also for extension lines."""
    try:
        origin, size, root, end = text.split("\n")
        checkpoint = Checkpoint(origin=origin, size=int(size), root=read_base64(root))
    except ValueError as error:
        raise CheckpointMalformed("A checkpoint has three lines: origin, size, root.") from error
    if end or not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size):
        raise CheckpointMalformed("A checkpoint's origin or size is not in its canonical form.")
    if len(checkpoint.root) != hashlib.sha256().digest_size:
        raise CheckpointMalformed("A checkpoint's root must have 32 bytes.")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, key: Signer) -> str:
    """The signed note of a checkpoint. Raises CheckpointMalformed if it could not be read back."""
    text = checkpoint.encode()
    if parse_checkpoint(text) != checkpoint or checkpoint.origin != key.name:
        raise CheckpointMalformed(f"The checkpoint is not one of the log {key.name}.")
    return sign_note(text, key)


def verify_checkpoint(note: str, vkeys: str) -> Checkpoint:
    """The checkpoint that the log itself signed.

    Raises:
        NoteRejected: the signature fails, or there is more than one.
        CheckpointMalformed: the signed text is no checkpoint of the key's log.
        KeyMalformed: vkeys are not verifier keys.
    """
    text, key = _open(note, vkeys)
    checkpoint = parse_checkpoint(text)
    if checkpoint.origin != key.name or key.name.endswith(EVIDENCE):
        raise CheckpointMalformed(f"The checkpoint is of another log: {checkpoint.origin}.")
    return checkpoint
