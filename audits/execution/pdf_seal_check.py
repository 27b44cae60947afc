"""Whether a PDF's own seal is whole, and by whose certificate. No connection is opened.

The seal covers every byte of the file but the signature itself. What a reader of PDFs would still
accept after it, such as a form that was filled in later, counts as a change here.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from asn1crypto import pem
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError, SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from audits.execution.pdf_seal import parse_certificates

if TYPE_CHECKING:
    from datetime import datetime

    from asn1crypto.x509 import Certificate
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

# What pyHanko and the parsers below it raise on bytes that are not what they should be.
UNREADABLE = (
    *(PdfError, CMSExtractionError, SigningError, SignatureValidationError, ValueError),
    *(LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, AssertionError),
)


class State(StrEnum):
    """What can be said of a seal."""

    INTACT = "INTACT"  # and by a certificate that is trusted
    STRANGER = "STRANGER"  # intact, and by a certificate that is not
    MODIFIED = "MODIFIED"
    UNSEALED = "UNSEALED"


@dataclass(frozen=True, kw_only=True)
class SealCheck:
    """What was found.

    Attributes:
        state: see ``State``.
        name: whom the certificate names; empty where there is no seal that can be read.
        sha256: of the certificate (DER), in hexadecimal.
        at: the time that the sealer claimed.
    """

    state: State
    name: str = ""
    sha256: str = ""
    at: datetime | None = None

    @property
    def sentence(self) -> str:
        """Return it for a person."""
        by = f"{self.name}, certificate {self.sha256}"
        return {
            State.INTACT: f"The PDF's own seal is intact; it is by {by}.",
            State.STRANGER: f"The PDF's own seal is intact; it is by {by}, which is not among the "
            "certificates that are trusted here, or was not valid at the time that it claims.",
            State.MODIFIED: "The PDF was modified after it was sealed, or its seal is broken.",
            State.UNSEALED: "The PDF has no seal of its own.",
        }[self.state]


def check_seal(pdf: bytes, *, certificates: str) -> SealCheck:
    """Say what a PDF's seal is worth, whatever the PDF is.

    The certificate is held against the time that the seal claims, since a seal of this level has
    no other; that the report existed then is shown by the log.

    Args:
        pdf: any bytes.
        certificates: those trusted, in PEM: of the sealer, or of who issues such certificates.

    Raises:
        ValueError: the certificates cannot be read.
    """
    if not _has_marks(pdf):
        return SealCheck(state=State.UNSEALED)
    roots = trusted(certificates)
    try:
        return _check(pdf, roots)
    except UNREADABLE:
        return SealCheck(state=State.MODIFIED)


def certificates_of(pdf: bytes) -> str:
    """Return the certificates that came with a PDF's seal, the sealer's first, in PEM; or nothing.

    They are what the seal says of itself: nothing is checked here.
    """
    if not _has_marks(pdf):
        return ""
    seal, *_ = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    found = [seal.signer_cert, *seal.other_embedded_certs]
    return "".join(pem.armor("CERTIFICATE", one.dump()).decode() for one in found)


def trusted(text: str) -> list[Certificate]:
    """Return the certificates of a PEM text, which may be empty."""
    return list(parse_certificates(text)) if text.strip() else []


def _has_marks(pdf: bytes) -> bool:
    """Whether any part of a seal is left; a signature's dictionary is never compressed."""
    return b"/ByteRange" in pdf or b"/SubFilter" in pdf


def _check(pdf: bytes, roots: list[Certificate]) -> SealCheck:
    seals = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if len(seals) != 1:  # a mark without a seal is one that was cut from the document
        return SealCheck(state=State.MODIFIED)
    seal: EmbeddedPdfSignature = seals[0]
    at = seal.self_reported_timestamp
    context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=at)
    found = validate_pdf_signature(seal, context, context, skip_diff=True)
    whole = found.coverage is SignatureCoverageLevel.ENTIRE_FILE  # so nothing came later
    if not (found.intact and found.valid and whole):
        return SealCheck(state=State.MODIFIED)
    name = seal.signer_cert.subject.native
    own = found.trusted and _in_time(seal.signer_cert, at)  # a trusted root has no end otherwise
    return SealCheck(
        state=State.INTACT if own else State.STRANGER,
        name=str(name.get("common_name", seal.signer_cert.subject.human_friendly)),
        sha256=seal.signer_cert.sha256.hex(),
        at=at,
    )


def _in_time(certificate: Certificate, at: datetime | None) -> bool:
    return at is not None and bool(
        certificate.not_valid_before <= at <= certificate.not_valid_after
    )
