"""The key that signs model versions: ECDSA on P-256, which other tools for models verify."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class ModelKeyRefused(ValueError):
    """A public key cannot be read, is not of P-256, or did not make the signature."""


def new_model_key() -> ec.EllipticCurvePrivateKey:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def public_pem(private: ec.EllipticCurvePrivateKey) -> str:
    """The public half, as SubjectPublicKeyInfo in PEM."""
    return (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def model_sign(private: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """ECDSA with SHA-256 (FIPS 186-5), in DER."""
    return private.sign(message, ec.ECDSA(hashes.SHA256()))


def model_verifies(pem: str, signature: bytes, message: bytes) -> None:
    """Raise ModelKeyRefused unless this key made the signature."""
    try:
        public = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ModelKeyRefused("The public key cannot be read.") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise ModelKeyRefused("The public key is not of the curve P-256.")
    try:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise ModelKeyRefused("The signature is not by the public key.") from error
