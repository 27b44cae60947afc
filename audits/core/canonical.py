"""One byte form for every value: RFC 8785 JSON and RFC 4648 base64, written and read strictly.

Evidence is compared byte for byte, so a reader accepts only what the writer would have written:
another spelling of the same value is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

import rfc8785

if TYPE_CHECKING:
    from collections.abc import Collection


class NotCanonical(ValueError):
    """The bytes are not the one canonical form of a value, or the value has none."""


class ShapeUnexpected(ValueError):
    """A JSON value is not of the closed shape that is expected here."""


def write_json(value: object) -> bytes:
    """Bytes of a JSON value (RFC 8785). Raises NotCanonical for a value that JSON cannot hold."""
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # refuses other values itself
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"The value has no canonical JSON form: {error}.") from error


def read_json(data: bytes) -> object:
    """Value of canonical JSON bytes. Raises NotCanonical for any other spelling of it."""
    try:
        value: object = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise NotCanonical("The bytes are not JSON in UTF-8.") from error
    if write_json(value) != data:
        raise NotCanonical("The JSON is not in its canonical form (RFC 8785).")
    return value


def write_base64(raw: bytes) -> str:
    """Standard alphabet, padded (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode()


def read_base64(text: str) -> bytes:
    """Bytes of canonical base64. Raises NotCanonical, also for stray bits after the last byte."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NotCanonical("The text is not base64.") from error
    if write_base64(raw) != text:
        raise NotCanonical("The base64 text is not in its canonical form (RFC 4648).")
    return raw


def sha256(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def as_object(value: object, *, keys: Collection[str], what: str) -> dict[str, object]:
    """The JSON object with exactly these keys. Raises ShapeUnexpected."""
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise ShapeUnexpected(f"{what} must be an object with exactly: {', '.join(sorted(keys))}.")
    return value


def as_list(value: object, *, what: str) -> list[object]:
    """The JSON array. Raises ShapeUnexpected."""
    if not isinstance(value, list):
        raise ShapeUnexpected(f"{what} must be a list.")
    return value


def as_text(value: object, *, what: str) -> str:
    """The JSON string. Raises ShapeUnexpected."""
    if not isinstance(value, str):
        raise ShapeUnexpected(f"{what} must be a string.")
    return value


def as_index(value: object, *, what: str) -> int:
    """The whole number from 0. Raises ShapeUnexpected; true and false are not numbers here."""
    if type(value) is not int or value < 0:
        raise ShapeUnexpected(f"{what} must be a whole number from 0.")
    return value
