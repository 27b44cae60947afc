"""Seal a text under a secret, bound to the case and the field that it belongs to.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 12 bytes, under a key derived for the field
alone (HKDF-SHA256, RFC 5869). The associated data names case and field, so that bytes that were
moved to another row or column do not open.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class Altered(ValueError):
    """Sealed bytes were altered, or belong to another case, field or secret."""


def seal(secret: bytes, *, case: str, field: str, content: bytes) -> bytes:
    """Return nonce and ciphertext of ``content``: 28 bytes longer than it.

    Args:
        secret: the key of the case, 32 bytes.
        case: the id of the case.
        field: what is sealed, unique within the case, such as ``letter:<id>``.
        content: the bytes to seal; they may be empty.
    """
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher(secret, field).encrypt(nonce, content, _bound(case, field))


def unseal(secret: bytes, *, case: str, field: str, sealed: bytes) -> bytes:
    """Return what ``seal`` was given with the same secret, case and field. Raises Altered."""
    try:
        nonce, rest = sealed[:NONCE], sealed[NONCE:]
        return _cipher(secret, field).decrypt(nonce, rest, _bound(case, field))
    except (InvalidTag, ValueError):  # the latter for a nonce that is cut off
        raise Altered("The stored text was altered, or belongs to another case.") from None


def _cipher(secret: bytes, field: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=field.encode()).derive(secret)
    return AESGCM(derived)


def _bound(case: str, field: str) -> bytes:
    return f"{case}\n{field}".encode()
