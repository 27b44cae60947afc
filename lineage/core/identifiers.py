"""Identifiers of people: one spelling for each, and the keyed digest by which one is found."""

from __future__ import annotations

import hmac
import re
import unicodedata

from lineage.core.worded import worded

EMAIL = "EMAIL"
EXTERNAL = "EXTERNAL"
LONGEST = 500
_MAILBOX = re.compile(r'[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+')
_LONGEST_MAILBOX = 254  # RFC 5321 4.5.3.1.3, less the angle brackets


class IdentifierNotUsable(ValueError):
    """The text cannot identify a person; the sentence does not repeat it."""


def normalise(kind: str, value: str) -> str:
    """Return the one spelling of an identifier under which its person is found.

    Args:
        kind: ``EMAIL`` (case is ignored, an international domain becomes ASCII) or ``EXTERNAL``
            (kept as it is, but for surrounding blanks and Unicode composition).
        value: as it was typed or exported.

    Raises:
        IdentifierNotUsable: empty, too long, with control characters, or not a mailbox.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if not text or len(text) > LONGEST:
        raise IdentifierNotUsable(
            worded(
                "The identifier has %(count)s characters; allowed are 1 to %(most)s.",
                count=len(text),
                most=LONGEST,
            )
        )
    if not text.isprintable():
        raise IdentifierNotUsable(worded("The identifier contains a control character."))
    if kind == EMAIL:
        return _mailbox(text)
    if kind == EXTERNAL:
        return text
    raise IdentifierNotUsable(
        worded(
            "The kind is %(kind)s; allowed are %(email)s and %(external)s.",
            kind=repr(kind),
            email=EMAIL,
            external=EXTERNAL,
        )
    )


def _mailbox(text: str) -> str:
    if len(text) > _LONGEST_MAILBOX or not _MAILBOX.fullmatch(text):
        raise IdentifierNotUsable(
            worded(
                "The e-mail address does not have the form name@domain with at most %(most)s"
                " characters and no blanks, quotes or brackets.",
                most=_LONGEST_MAILBOX,
            )
        )
    name, domain = text.lower().split("@")
    try:
        ascii_domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError as error:
        raise IdentifierNotUsable(
            worded("The domain of the e-mail address is not valid.")
        ) from error
    if not ascii_domain:
        raise IdentifierNotUsable(worded("The domain of the e-mail address is empty."))
    return f"{name}@{ascii_domain}"


def lookup_digest(key: bytes, kind: str, value: str) -> str:
    """Return HMAC-SHA256 of kind and normalised value, in hexadecimal. Raises as ``normalise``."""
    message = f"{kind}\0{normalise(kind, value)}".encode()
    return hmac.digest(key, message, "sha256").hex()


def record_digest(key: bytes, record_key: str) -> bytes:
    """Return the first 16 bytes of HMAC-SHA256 of a record's key under its subject's key.

    Half of the output may be kept (RFC 2104 section 5); there is one such digest per record.
    """
    return hmac.digest(key, record_key.encode(), "sha256")[:16]


def location_digest(key: bytes, location: str) -> bytes:
    """Return the first 16 bytes of HMAC-SHA256 of the place where a source keeps a record."""
    return hmac.digest(key, location.strip().encode(), "sha256")[:16]


def suppression_digest(key: bytes, identifier_digest: str) -> str:
    """Return the digest of an identifier for the suppression list, in hexadecimal.

    It is taken over the lookup digest, not the identifier: when a person is erased the platform
    no longer knows the identifier, only its digest.
    """
    return hmac.digest(key, identifier_digest.encode("ascii"), "sha256").hex()
