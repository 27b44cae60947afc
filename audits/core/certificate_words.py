"""What a payload says of certificates, in names and values for a page or a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.certificate import HARDEST

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_SAID = "not recorded"
NONE = "none; the pool of shadow models was trained for this run"


def certificate_words(payload: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return pairs of a name and its value; none for an audit that no certificate is about.

    A payload is JSON that an earlier release may have sealed, so nothing is taken for granted.
    """
    found = payload.get("certificate")
    if not isinstance(found, dict):
        return ()
    if not found.get("relied_on"):
        return (
            ("Certificate relied on", NONE),
            ("Why none", str(found.get("reason") or NOT_SAID)),
            ("Difficulty of the surrogates", _decile(found.get("difficulty"))),
            *_tenths("Deciles of their quantiles from 10 to 90 %", found.get("profile")),
        )
    return (
        ("Certificate relied on", str(found["relied_on"])),
        ("Digest of the certificate", str(found.get("digest") or NOT_SAID)),
        ("Issued, and valid until", f"{_day(found, 'issued_at')}, {_day(found, 'expires_at')}"),
        ("Pools trained for its procedure so far", str(found.get("attempt") or NOT_SAID)),
        ("Difficulty that it covers", _decile(found.get("certified_difficulty"))),
        *_tenths("Deciles of its quantiles from 10 to 90 %", found.get("certified_profile")),
        ("Difficulty of these records", _decile(found.get("difficulty"))),
        *_tenths("Deciles of their quantiles from 10 to 90 %", found.get("profile")),
        ("Models trained for this run", _models(found.get("models_of_this_run"))),
    )


def _day(found: Mapping[str, Any], name: str) -> str:
    return str(found.get(name) or NOT_SAID)[:10]


def _decile(value: object) -> str:
    return f"decile {value}; {HARDEST} is the hardest" if isinstance(value, int) else NOT_SAID


def _tenths(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Return one pair, or none: an earlier release compared medians alone."""
    return ((name, ", ".join(map(str, value))),) if isinstance(value, list) else ()


def _models(value: object) -> str:
    return f"{value}, none of which saw the records" if isinstance(value, int) else NOT_SAID
