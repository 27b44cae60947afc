"""The key that seals PDFs: RSA-3072 with a self-signed certificate, as PDF readers expect it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from datetime import datetime

BITS = 3072
VALID = timedelta(days=3650)
_LONGEST_NAME = 64  # of a common name (RFC 5280, appendix A)


class SealKeyRefused(ValueError):
    """A certificate cannot be read, is not of an RSA key, or did not make the signature."""


def new_seal_key() -> rsa.RSAPrivateKey:
    """A new private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


def self_signed(private: rsa.RSAPrivateKey, *, name: str, now: datetime) -> str:
    """The certificate of a key that signs documents, in PEM; ``name`` is cut to 64 letters."""
    common = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:_LONGEST_NAME])])
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"), False
    ) | dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(common)
        .issuer_name(common)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True
        )
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def seal_sign(private: rsa.RSAPrivateKey, message: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017)."""
    return private.sign(message, padding.PKCS1v15(), hashes.SHA256())


def certificate_verifies(pem: str, signature: bytes, message: bytes) -> None:
    """Raise SealKeyRefused unless the key of this certificate made the signature."""
    public = _public(pem)
    try:
        public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SealKeyRefused("The signature is not by the key of the certificate.") from error


def certificate_fits(pem: str, private: rsa.RSAPrivateKey) -> None:
    """Raise SealKeyRefused unless the first certificate of a PEM text is of this key."""
    if _public(pem).public_numbers() != private.public_key().public_numbers():
        raise SealKeyRefused("The first certificate is of another key.")


def certificates_in(pem: str) -> str:
    """The certificates of a PEM text in their order, without a key that stands beside them."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise SealKeyRefused("The certificate cannot be read.") from error
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in found)


def certificate_told(pem: str) -> str:
    """Whom the first certificate of a PEM text names, until when, and its SHA-256 (of the DER)."""
    first = _first(pem)
    until = first.not_valid_after_utc.date().isoformat()
    digest = first.fingerprint(hashes.SHA256()).hex()
    return f"{first.subject.rfc4514_string()}, valid until {until}, SHA-256 {digest}"


def _first(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise SealKeyRefused("The certificate cannot be read.") from error


def _public(pem: str) -> rsa.RSAPublicKey:
    public = _first(pem).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise SealKeyRefused("The certificate is not of an RSA key.")
    return public
