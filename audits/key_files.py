"""Private keys as files for their owner alone: PKCS 8 PEM, encrypted if there is a passphrase."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from django.conf import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_ENCRYPTED = b"BEGIN ENCRYPTED PRIVATE KEY"


class SigningKeyMissing(Exception):
    """No signing key: the installation was not set up."""


class KeyFileRefused(SigningKeyMissing):
    """A key file cannot be opened with the passphrase of this installation."""


def is_encrypted(path: Path) -> bool:
    """Return whether the key is stored under a passphrase."""
    return _ENCRYPTED in path.read_bytes()


def read_key(path: Path) -> PrivateKeyTypes:
    """Return the key. Raises KeyFileRefused, or OSError."""
    pem = path.read_bytes()
    try:
        return serialization.load_pem_private_key(
            pem, password=_passphrase() if _ENCRYPTED in pem else None
        )
    except (TypeError, ValueError) as error:
        raise KeyFileRefused(
            f"The key at {path} cannot be opened: EXPUNGE_KEYS_PASSPHRASE is "
            f"{'not that of the key' if _passphrase() else 'empty'}, or the file is damaged."
        ) from error


def write_key(path: Path, key: PrivateKeyTypes) -> None:
    """Write the key, whole or not at all, in the place of the one there was."""
    passphrase = _passphrase()
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    replace_file(path, pem)


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _passphrase() -> bytes | None:
    text: str = settings.EXPUNGE_KEYS_PASSPHRASE
    return text.encode() or None
