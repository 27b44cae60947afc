"""Time stamps of another authority (RFC 3161): that a checkpoint existed at a time it names.

A token is kept as the authority's whole answer, which ``openssl ts -verify`` reads as well. It
needs the package ``rfc3161-client``, which the extra ``web`` installs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

if TYPE_CHECKING:
    from datetime import datetime

    from rfc3161_client import TimeStampRequest

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class StampRefused(ValueError):
    """An answer is no time stamp of the message by an authority that is trusted."""


def stamp_request(message: bytes) -> TimeStampRequest:
    """What to ask an authority: the SHA-256 of a message, a random number, and its certificate."""
    builder = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build()


def verify_stamp(
    token: bytes, message: bytes, *, roots: str, asked: TimeStampRequest | None = None
) -> datetime:
    """Return the time that an authority confirms for a message.

    Its certificate is held against that time, not today's: a token outlives it.

    Args:
        token: the answer (TimeStampResp, DER).
        message: what was stamped.
        roots: certificates in PEM: of whoever issues that of the authority, or its own if it
            signed it itself; those between the two as well, unless they are in the answer.
        asked: the request, if the answer must be one to it.

    Raises:
        StampRefused: with the reason.
    """
    builder = VerifierBuilder.from_request(asked) if asked else VerifierBuilder()
    try:
        for one in x509.load_pem_x509_certificates(roots.encode()):
            own = one.subject == one.issuer  # which are read only now
            add = builder.add_root_certificate if own else builder.add_intermediate_certificate
            builder = add(one)
    except ValueError as error:
        raise StampRefused("The certificates of the authority cannot be read.") from error
    try:
        answer = decode_timestamp_response(token)
        builder.build().verify_message(answer, message)
        at = answer.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise StampRefused(f"The time stamp is refused: {error}") from error
    return at
