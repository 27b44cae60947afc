"""The seal inside a PDF: PAdES B-B (ETSI EN 319 142-1) with an RSA key, as PDF readers check it.

The seal is an incremental update, so what was set stays byte for byte, and so do its claims to
PDF/A-3a and PDF/UA-1. An RSA signature keeps PDF 1.7; others would need PDF 2.0.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from asn1crypto import keys as asn1_keys
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from pyhanko.sign.signers.pdf_signer import PdfSigningSession

FIELD = "Seal"


class _UnchangedMetadata(IncrementalPdfFileWriter):
    """Leaves XMP and document information alone: claims and dates are those of the report."""

    def _update_meta(self) -> None:
        pass


class _SealedAt(PdfSigner):
    """Writes a time that is given, and not the clock's."""

    def __init__(self, now: datetime, **given: Any) -> None:  # noqa: ANN401  (as pyHanko's)
        super().__init__(**given)
        self._now = now

    def init_signing_session(self, *given: Any, **named: Any) -> PdfSigningSession:  # noqa: ANN401
        session = super().init_signing_session(*given, **named)
        session.system_time = self._now
        return session


def seal_pdf(pdf: bytes, *, key: RSAPrivateKey, certificates: str, now: datetime) -> bytes:
    """Return a PDF with a seal over all of its bytes, in a field that is not seen.

    Args:
        pdf: without a seal.
        key: of the first certificate.
        certificates: in PEM, that of the key first, then those above it.
        now: the time that the seal claims; nobody else vouches for it.

    Raises:
        ValueError: there is no certificate.
        SigningError: there is a seal already.
    """
    own, *above = parse_certificates(certificates)
    store = SimpleCertificateStore.from_certs(above)  # type: ignore[no-untyped-call]
    signer = SimpleSigner(signing_cert=own, signing_key=_asn1(key), cert_registry=store)
    name = own.subject.native.get("common_name", own.subject.human_friendly)
    writer = _UnchangedMetadata(io.BytesIO(pdf))
    _add_field(writer, f"Seal of {name}")
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    signed = _SealedAt(now, signature_meta=metadata, signer=signer).sign_pdf(writer)
    return bytes(signed.getbuffer())


def parse_certificates(text: str) -> Sequence[asn1_x509.Certificate]:
    """Return the certificates of a PEM text in its order. Raises ValueError where none is."""
    data = text.encode()
    found = [
        asn1_x509.Certificate.load(der)
        for kind, _, der in (pem.unarmor(data, multiple=True) if pem.detect(data) else ())
        if kind == "CERTIFICATE"
    ]
    if not found:
        raise ValueError("The text holds no certificate in PEM.")
    return found


def _add_field(writer: IncrementalPdfFileWriter, words: str) -> None:
    """Add the field, with the words that PDF/UA asks for (ISO 14289-1, 7.18.1)."""
    spec = SigFieldSpec(FIELD, readable_field_name=words)
    append_signature_field(writer, spec)
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/Contents"] = generic.TextStringObject(words)
    page = field["/P"]
    page["/Tabs"] = generic.NameObject("/S")
    writer.update_container(page)


def _asn1(key: RSAPrivateKey) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(
        key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
