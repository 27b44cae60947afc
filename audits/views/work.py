"""A calculation that a browser does before it sends the form, where the operator wants one.

The form is sent with a number n such that SHA-256 of "stamp:address:n" begins with so many zero
bits. The address is part of it, so that one calculation serves one mailbox.
"""

from __future__ import annotations

import hashlib

from django.conf import settings


def is_done(*, stamp: str, email: str, proof: str) -> bool:
    """Return whether the calculation was done, or none is asked for."""
    bits: int = settings.EXPUNGE_PROOF_OF_WORK
    if not bits:
        return True
    return bool(proof) and zero_bits(f"{stamp}:{email}:{proof}") >= bits


def zero_bits(text: str) -> int:
    """Return with how many zero bits the digest of ``text`` begins."""
    return 256 - int.from_bytes(hashlib.sha256(text.encode()).digest(), "big").bit_length()
