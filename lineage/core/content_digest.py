"""The digest that tells whether two contents are the same bytes."""

from __future__ import annotations

import hashlib


def content_digest(content: bytes) -> str:
    """Return the SHA-256 of a record's content or a stored file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
