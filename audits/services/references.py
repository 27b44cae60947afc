"""What a case is called, and what is stored of a secret link."""

from __future__ import annotations

import hashlib
import secrets

# No letters or digits that are mistaken for each other when read aloud.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference(kind: str = "ER") -> str:
    """Return a reference that can be read over the telephone; not a secret."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{kind}-{letters[:4]}-{letters[4:]}"


def token_digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
