"""The key that signs checkpoints and records. Made once by ``manage.py setup``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audits.core.note import SigningKey

if TYPE_CHECKING:
    from pathlib import Path


class SigningKeyMissing(Exception):
    """No signing key: the installation was not set up."""


def signing_key() -> SigningKey:
    """Return the private key of the log.

    Raises:
        SigningKeyMissing: ``manage.py setup`` was not run for this installation.
    """
    if not _path().exists():
        raise SigningKeyMissing(f"There is no signing key at {_path()}. Run: manage.py setup")
    private = serialization.load_pem_private_key(_path().read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyMissing(f"The key at {_path()} is not an Ed25519 private key.")
    return SigningKey(name=settings.EXPUNGE_LOG_ORIGIN, private=private)


def verifier_text() -> str:
    """Return the public key as one line, from the file that ``setup`` wrote beside the key."""
    return (settings.KEYS / "log.vkey").read_text().strip()


def create_signing_key() -> bool:
    """Make the signing key unless there is one; return whether it was made."""
    if _path().exists():
        return False
    settings.KEYS.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    (settings.KEYS / "log.vkey").write_text(signing_key().verifier.text + "\n")
    return True


def _path() -> Path:
    path: Path = settings.KEYS / "log.pem"
    return path
