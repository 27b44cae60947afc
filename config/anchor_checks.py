"""System checks of seal and time stamps: what cannot be used is noticed when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.core import checks

from audits import keys
from audits.core.cosignature import parse_witness_keys
from audits.core.note import KeyMalformed
from audits.key_files import SigningKeyMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "See docs/log.md."


@checks.register()
def the_issued_seal_can_be_used(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a certificate for the seal that cannot be read, or is not of the key."""
    if not settings.EXPUNGE_SEAL_CERTIFICATE:
        return []
    try:
        keys.seal_key()
    except (SigningKeyMissing, OSError, UnicodeDecodeError) as error:
        said = f"EXPUNGE_SEAL_CERTIFICATE cannot be used: {error}"
        return [checks.Error(said, hint=HINT, id="expunge.E070")]
    return []


@checks.register(deploy=True)
def reports_are_sealed(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn where no key seals the reports."""
    if settings.EXPUNGE_SEAL_CERTIFICATE or keys.path_of("seal").exists():
        return []
    said = f"There is no key at {keys.path_of('seal')}: reports have no seal of their own."
    return [checks.Warning(said, hint=f"Run manage.py keys init. {HINT}", id="expunge.W070")]


@checks.register()
def the_authority_can_be_asked(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse an address that is none, and an authority whose answers nobody could verify."""
    return [checks.Error(said, hint=HINT, id="expunge.E071") for said in _wrong()]


@checks.register()
def the_witness_can_be_asked(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse an address that is none, and a witness whose signatures nobody could verify."""
    address, said = settings.EXPUNGE_WITNESS_URL, []
    if address and not _is_address(address):
        said.append("EXPUNGE_WITNESS_URL is no http:// or https:// address.")
    if address and not settings.EXPUNGE_WITNESS_KEYS:
        said.append(
            "EXPUNGE_WITNESS_URL is set and EXPUNGE_WITNESS_KEYS is not; it must name the "
            "witness's verifier key, name+id+base64."
        )
    try:
        parse_witness_keys(settings.EXPUNGE_WITNESS_KEYS)
    except KeyMalformed as error:
        said.append(f"EXPUNGE_WITNESS_KEYS: {error}")
    return [checks.Error(each, hint=HINT, id="expunge.E072") for each in said]


def _wrong() -> Iterator[str]:
    address, path = settings.EXPUNGE_TSA_URL, settings.EXPUNGE_TSA_CERTIFICATE
    if address and not _is_address(address):
        yield "EXPUNGE_TSA_URL is no http:// or https:// address."  # it may hold a password
    if address and not path:
        yield (
            "EXPUNGE_TSA_URL is set and EXPUNGE_TSA_CERTIFICATE is not; it must name a PEM file "
            "with the certificate of whoever issued the authority's."
        )
    if path and not _has_certificates(Path(path)):
        yield f"EXPUNGE_TSA_CERTIFICATE is {path!r}; it must be a PEM file with certificates."


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _has_certificates(path: Path) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        return False
