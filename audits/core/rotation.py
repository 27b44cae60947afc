"""A key hands over to its successor: a statement that both of them sign.

Whoever trusts the old key learns the new one from it, and nobody who holds only one of the two
could have written it. The signatures are over a line with the format and the canonical JSON of the
other members; no note and no DSSE envelope begins like that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_object,
    as_text,
    read_base64,
    read_json,
    write_base64,
    write_json,
)
from audits.core.fields import INSTANT
from audits.core.model_key import ModelKeyRefused, model_verifies
from audits.core.note import KeyMalformed, SignatureNotValid, parse_vkey
from audits.core.seal_key import SealKeyRefused, certificate_verifies

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = "expunge-rotation/1"
ROLES = ("log", "evidence", "seal", "model")
_NAMES = {"format", "role", "old", "new", "at", "by_old", "by_new"}


class RotationRejected(ValueError):
    """The bytes are not a rotation that both keys signed."""


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """``old`` and ``new`` are verifier keys.

    Of the sealing key they are certificates in PEM, of the key of models public keys in PEM.
    """

    role: str
    old: str
    new: str
    at: str

    def message(self) -> bytes:
        """What is signed."""
        return FORMAT.encode() + b"\n" + write_json(vars(self))


def sign_rotation(
    rotation: Rotation, by_old: Callable[[bytes], bytes], by_new: Callable[[bytes], bytes]
) -> bytes:
    """The statement, as canonical JSON. Raises RotationRejected unless it verifies."""
    message = rotation.message()
    value = {
        **vars(rotation),
        "format": FORMAT,
        "by_old": write_base64(by_old(message)),
        "by_new": write_base64(by_new(message)),
    }
    data = write_json(value)
    verify_rotation(data, old=rotation.old)
    return data


def verify_rotation(data: bytes, *, old: str) -> Rotation:
    """Check a rotation with the old key, which is not taken from it.

    Raises:
        RotationRejected: another key, or not signed by both.
    """
    try:
        value = as_object(read_json(data), keys=_NAMES, what="A rotation")
        texts = {name: as_text(item, what=name) for name, item in value.items()}
        rotation = Rotation(**{name: texts[name] for name in ("role", "old", "new", "at")})
        if texts["format"] != FORMAT or rotation.role not in ROLES:
            raise RotationRejected(f"It is not an {FORMAT} of {', '.join(ROLES)}.")
        if rotation.old != old or not INSTANT.accepts(rotation.at):
            raise RotationRejected("It is of another key, or has no moment.")
        for key, name in ((rotation.old, "by_old"), (rotation.new, "by_new")):
            _verify(rotation, key, read_base64(texts[name]))
    except (
        *(NotCanonical, ShapeUnexpected, KeyMalformed),
        *(SignatureNotValid, SealKeyRefused, ModelKeyRefused),
    ) as error:
        raise RotationRejected(f"The rotation is refused: {error}") from error
    return rotation


def _verify(rotation: Rotation, key: str, signature: bytes) -> None:
    if rotation.role == "seal":
        certificate_verifies(key, signature, rotation.message())
    elif rotation.role == "model":
        model_verifies(key, signature, rotation.message())
    else:
        parse_vkey(key).verify(signature, rotation.message())
