"""Replace a key: both sign the hand-over, the log tells of it, and the old private key goes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from audits import keys
from audits.core.canonical import sha256
from audits.core.events import instant
from audits.core.model_key import model_sign, new_model_key, public_pem
from audits.core.note import SigningKey
from audits.core.rotation import ROLES, Rotation, sign_rotation
from audits.core.seal_key import new_seal_key, seal_sign, self_signed
from audits.key_files import replace_file, write_key
from audits.key_register import PUBLIC
from audits.queries.policy_values import in_force
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class RotationImpossible(Exception):
    """There is no such key here, or another place keeps it."""


def rotate_key(*, role: str, now: datetime) -> Path:
    """Replace the key of a role by a new one; return the file of the statement that both signed.

    What the old log key still signs is a checkpoint of all that came before. The files change
    last inside the transaction, so that no new key is in use of which the log does not tell.

    Raises:
        RotationImpossible: no such role, or a key management service signs.
        SigningKeyMissing, KeyFileRefused: there is no key to replace, or it cannot be opened.
    """
    if role not in ROLES:
        raise RotationImpossible(f"role is {role!r}; it must be one of {', '.join(ROLES)}.")
    if settings.EXPUNGE_SIGNERS and role in keys.SIGNING:
        raise RotationImpossible(
            "EXPUNGE_SIGNERS is set: rotate the key where it is kept, then run manage.py "
            "keys init."
        )
    if settings.EXPUNGE_SEAL_CERTIFICATE and role == "seal":
        raise RotationImpossible(
            "EXPUNGE_SEAL_CERTIFICATE is set: put a new certificate and its key there, then run "
            "manage.py keys init."
        )
    statement, put_in_place = _REPLACED.get(role, partial(_signing, role))(now)
    path: Path = settings.KEYS / "rotations" / f"{role}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"
    with transaction.atomic():
        if role == "log":
            log.checkpoint(now=now)
        data = {"role": role.upper(), "statement": sha256(statement)}
        log.append(type="key_rotated", case=None, now=now, data=data)
        replace_file(path, statement, PUBLIC)
        put_in_place()
    log.checkpoint(now=now)
    return path


def _signing(role: str, now: datetime) -> tuple[bytes, Callable[[], None]]:
    old = keys.signer(role)
    private = Ed25519PrivateKey.generate()
    new = SigningKey(name=keys.name_of(role), private=private)
    rotation = Rotation(role=role, old=old.verifier.text, new=new.verifier.text, at=instant(now))

    def put_in_place() -> None:
        keys.publish(role, new, now=now)
        write_key(keys.path_of(role), private)

    return sign_rotation(rotation, old.sign, new.sign), put_in_place


def _seal(now: datetime) -> tuple[bytes, Callable[[], None]]:
    old, certificate = keys.seal_key()
    new = new_seal_key()
    successor = self_signed(new, name=in_force("CONTROLLER"), now=now)
    rotation = Rotation(role="seal", old=certificate, new=successor, at=instant(now))
    statement = sign_rotation(
        rotation, lambda message: seal_sign(old, message), lambda message: seal_sign(new, message)
    )
    return statement, lambda: keys.replace_seal(new, successor, now)


def _model(now: datetime) -> tuple[bytes, Callable[[], None]]:
    old, new = keys.model_key(), new_model_key()
    rotation = Rotation(role="model", old=public_pem(old), new=public_pem(new), at=instant(now))
    statement = sign_rotation(rotation, partial(model_sign, old), partial(model_sign, new))
    return statement, lambda: keys.replace_model(new, now)


_REPLACED = {"seal": _seal, "model": _model}
