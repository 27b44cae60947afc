"""Cosignatures of a witness: that it saw this checkpoint, and that the log only grew until then.

The request is that of C2SP tlog-witness (``add-checkpoint``), the answer cosignature/v1 of C2SP
tlog-cosignature, with Ed25519. A witness signs the time as well, so the message is not the note's.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audits.core.canonical import NotCanonical, read_base64, write_base64
from audits.core.note import KeyMalformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPE = b"\x04"  # of a cosignature's key
_ID, _TIME = 4, 8  # bytes; 64 of the signature follow
_LINE = re.compile("\u2014 (?P<name>[!-*,-~]+) (?P<signature>[0-9A-Za-z+/=]+)")
_VKEY = re.compile(r"(?P<name>[!-*,-~]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[0-9A-Za-z+/=]+)")


class CosignatureRefused(ValueError):
    """An answer holds no cosignature of the checkpoint by a witness that is trusted."""


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a line names the key."""
    return hashlib.sha256(name.encode() + b"\n" + TYPE + public).digest()[:_ID]


def parse_witness_keys(texts: Sequence[str]) -> dict[tuple[str, bytes], bytes]:
    """Public keys by name and id. Raises KeyMalformed for a text that is no witness's key."""
    found = {}
    for text in texts:
        match = _VKEY.fullmatch(text)
        try:
            raw = read_base64(match["key"]) if match else b""
        except NotCanonical:
            raw = b""
        known = match and raw[:1] == TYPE and key_id(match["name"], raw[1:]).hex() == match["id"]
        if not match or not known:
            raise KeyMalformed(f"{text!r} is not a witness's key: name+id+base64 of type 04.")
        found[match["name"], bytes.fromhex(match["id"])] = raw[1:]
    return found


def add_checkpoint(old: int, path: Sequence[bytes], note: str) -> bytes:
    """The body to send: the size that the witness knows, the way from it, the checkpoint."""
    hashes = "".join(f"{write_base64(one)}\n" for one in path)
    return f"old {old}\n{hashes}\n{note}".encode()


def cosigned(note: str, at: int) -> bytes:
    """What a witness signs of a note at a time, in seconds since 1970."""
    text = note.rpartition("\n\n")[0]
    return f"cosignature/v1\ntime {at}\n{text}\n".encode()


def verify_cosignatures(
    lines: str, note: str, keys: Mapping[tuple[str, bytes], bytes]
) -> dict[str, datetime]:
    """Return the time at which each known witness signed, by its name; others are ignored.

    Args:
        lines: signature lines, each with its newline.
        note: the signed checkpoint.
        keys: of ``parse_witness_keys``.

    Raises:
        CosignatureRefused: a line is malformed, a known witness did not sign this, or none did.
    """
    found = {}
    for line in lines.splitlines():
        match = _LINE.fullmatch(line)
        try:
            raw = read_base64(match["signature"]) if match else b""
        except NotCanonical:
            raw = b""
        if not match or len(raw) < _ID:
            raise CosignatureRefused("A line of the answer is not a signature line.")
        public = keys.get((match["name"], raw[:_ID]))
        if public is not None:
            found[match["name"]] = _verify(raw[_ID:], note, public)
    if not found:
        raise CosignatureRefused("The answer has no cosignature by a witness that is known here.")
    return found


def _verify(raw: bytes, note: str, public: bytes) -> datetime:
    at = int.from_bytes(raw[:_TIME], "big")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw[_TIME:], cosigned(note, at))
        return datetime.fromtimestamp(at, tz=UTC)
    except (InvalidSignature, ValueError, OverflowError, OSError) as error:
        raise CosignatureRefused("The witness did not sign this checkpoint.") from error
