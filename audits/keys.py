"""The keys of this installation: of the log, of statements, of the seal on PDFs, of models.

The log's key signs checkpoints only, the evidence key statements and manifests, so that whoever
takes one cannot forge what the other signs. ``EXPUNGE_SIGNERS`` names a function ``(role) ->
Signer`` where a key management service signs instead of a file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from django.utils.module_loading import import_string

from audits.core.model_key import new_model_key, public_pem
from audits.core.note import EVIDENCE, Signer, SigningKey
from audits.core.seal_key import (
    SealKeyRefused,
    certificate_fits,
    certificates_in,
    new_seal_key,
    self_signed,
)
from audits.key_files import (
    KeyFileRefused,
    SigningKeyMissing,
    is_encrypted,
    read_key,
    replace_file,
    write_key,
)
from audits.key_register import PUBLIC, enter, known_keys

SIGNING = ("log", "evidence")
FILES = (*SIGNING, "seal", "model")


def signing_key() -> Signer:
    """Return what signs the checkpoints of the log.

    Raises:
        SigningKeyMissing: ``manage.py setup`` was not run for this installation.
        KeyFileRefused: the passphrase is not that of the key.
    """
    return signer("log")


def evidence_key() -> Signer:
    """Return what signs statements and manifests. Raises as ``signing_key``."""
    return signer("evidence")


def signer(role: str) -> Signer:
    """Return what signs for a role of ``SIGNING``. Raises as ``signing_key``."""
    if settings.EXPUNGE_SIGNERS:
        made: Signer = import_string(settings.EXPUNGE_SIGNERS)(role)
        return made
    private = _read(role)
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyMissing(f"The key at {path_of(role)} is not an Ed25519 private key.")
    return SigningKey(name=name_of(role), private=private)


def seal_key() -> tuple[RSAPrivateKey, str]:
    """Return the key that seals PDFs and its certificate in PEM, perhaps with those above it.

    They are those of ``EXPUNGE_SEAL_CERTIFICATE`` where it is set. Raises as ``signing_key``; a
    certificate of another key is a KeyFileRefused.
    """
    issued: str = settings.EXPUNGE_SEAL_CERTIFICATE
    path = Path(settings.EXPUNGE_SEAL_KEY) if issued else path_of("seal")
    certificate = Path(issued) if issued else certificate_path()
    if not path.exists() or not certificate.exists():
        raise SigningKeyMissing(
            f"There is no sealing key at {path}, or no certificate at {certificate}. Run: "
            "manage.py keys init"
        )
    private = read_key(path)
    if not isinstance(private, RSAPrivateKey):
        raise KeyFileRefused(f"The key at {path} is not an RSA private key.")
    try:
        pem = certificates_in(certificate.read_text())
        certificate_fits(pem, private)
    except SealKeyRefused as error:
        raise KeyFileRefused(f"The certificate at {certificate} is refused. {error}") from error
    return private, pem


def seal_certificates() -> str:
    """Return every certificate that ever sealed here, in PEM; empty where there was none."""
    return "".join(one.key for one in known_keys() if one.role == "seal")


def model_key() -> EllipticCurvePrivateKey:
    """Return the key that signs model versions. Raises as ``signing_key``."""
    private = _read("model")
    if not isinstance(private, EllipticCurvePrivateKey):
        raise SigningKeyMissing(f"The key at {path_of('model')} is not an EC private key.")
    return private


def verifier_text() -> str:
    """Return the public keys to verify with, one a line: today's of the log first, past ones last.

    Raises:
        OSError: there is none.
    """
    ring: Path = settings.KEYS / "keys.vkey"
    path = ring if ring.exists() else settings.KEYS / "log.vkey"  # of a release before 0050
    return path.read_text().strip()


def create_signing_key() -> bool:
    """Make the keys of the log and of statements unless there are some; return whether it did."""
    made = [_create(role) for role in SIGNING if not settings.EXPUNGE_SIGNERS]
    for role in SIGNING:
        publish(role, signer(role), now=datetime.now(UTC))
    return any(made)


def init() -> list[str]:
    """Make what is missing, and encrypt what is not; return the roles of the keys made.

    A certificate that somebody issued is entered in the register; no other is made then.

    Raises:
        SigningKeyMissing: of a certificate that somebody issued.
        KeyFileRefused: a key is there and the passphrase is another.
    """
    issued = bool(settings.EXPUNGE_SEAL_CERTIFICATE)
    own = [role for role in FILES if not (issued and role == "seal")]
    missing = [role for role in own if not path_of(role).exists()]
    create_signing_key()
    if "seal" in missing:
        private, now = new_seal_key(), datetime.now(UTC)
        replace_seal(private, self_signed(private, name=settings.EXPUNGE_CONTROLLER, now=now), now)
    if issued:
        enter("seal", seal_key()[1], at=datetime.now(UTC).isoformat(timespec="seconds"))
    if "model" in missing:
        replace_model(new_model_key(), datetime.now(UTC))
    for role in FILES:
        path = path_of(role)
        if settings.EXPUNGE_KEYS_PASSPHRASE and path.exists() and not is_encrypted(path):
            write_key(path, read_key(path))
    return [role for role in missing if path_of(role).exists()]


def publish(role: str, key: Signer, *, now: datetime) -> None:
    """Enter the public half of a key in the register."""
    enter(role, key.verifier.text, at=now.astimezone(UTC).isoformat(timespec="seconds"))
    replace_file(settings.KEYS / f"{role}.vkey", f"{key.verifier.text}\n".encode(), PUBLIC)


def replace_seal(private: RSAPrivateKey, certificate: str, now: datetime) -> None:
    """Seal with this key from now on."""
    replace_file(certificate_path(), certificate.encode(), PUBLIC)
    write_key(path_of("seal"), private)
    enter("seal", certificate, at=now.astimezone(UTC).isoformat(timespec="seconds"))


def replace_model(private: EllipticCurvePrivateKey, now: datetime) -> None:
    """Sign model versions with this key from now on."""
    public = public_pem(private)
    replace_file(settings.KEYS / "model.pub", public.encode(), PUBLIC)
    write_key(path_of("model"), private)
    enter("model", public, at=now.astimezone(UTC).isoformat(timespec="seconds"))


def name_of(role: str) -> str:
    """Return the name of a role's key: that of the log, or that of its statements."""
    origin: str = settings.EXPUNGE_LOG_ORIGIN
    return origin + (EVIDENCE if role == "evidence" else "")


def path_of(role: str) -> Path:
    """Return where the private key of a role lies."""
    path: Path = settings.KEYS / f"{role}.pem"
    return path


def certificate_path() -> Path:
    """Return where the certificate of the sealing key lies."""
    path: Path = settings.KEYS / "seal.crt"
    return path


def _read(role: str) -> object:
    if not path_of(role).exists():
        raise SigningKeyMissing(
            f"There is no signing key at {path_of(role)}. Run: manage.py keys init"
        )
    return read_key(path_of(role))


def _create(role: str) -> bool:
    if path_of(role).exists():
        return False
    write_key(path_of(role), Ed25519PrivateKey.generate())
    return True
