"""Commitments: a log entry points to a person's data without containing it.

The key is 32 random bytes per case. While key and payload are kept, anybody may be shown that an
entry is about this payload; once the key is destroyed, no candidate can be tested any more. That
is a commitment without personal data, not an anonymous record.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from audits.core.canonical import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

CASE_KEY_BYTES = 32


class CaseKeyMalformed(ValueError):
    """The key of a case does not have 32 bytes."""


def commit(case_key: bytes, payload: Mapping[str, object]) -> str:
    """HMAC-SHA256 of the payload's canonical JSON (RFC 2104, RFC 8785), in hexadecimal.

    Raises:
        CaseKeyMalformed: the key does not have 32 bytes.
        NotCanonical: the payload is not JSON.
    """
    if len(case_key) != CASE_KEY_BYTES:
        raise CaseKeyMalformed(f"A case key has 32 bytes, not {len(case_key)}.")
    return hmac.new(case_key, write_json(dict(payload)), hashlib.sha256).hexdigest()


def opens(commitment: str, case_key: bytes, payload: Mapping[str, object]) -> bool:
    """Whether this key and this payload give the commitment. Raises as ``commit`` does."""
    return hmac.compare_digest(commitment.encode(), commit(case_key, payload).encode())
