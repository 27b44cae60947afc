"""What a payload says of certificates, in names and values for a page or a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.certificate import HARDEST
from audits.core.saying import Say, english

if TYPE_CHECKING:
    from collections.abc import Mapping


def certificate_words(
    payload: Mapping[str, Any], say: Say = english
) -> tuple[tuple[str, str], ...]:
    """Return pairs of a name and its value; none for an audit that no certificate is about.

    A payload is JSON that an earlier release may have sealed, so nothing is taken for granted.
    """
    found = payload.get("certificate")
    if not isinstance(found, dict):
        return ()
    if not found.get("relied_on"):
        return (
            (
                say("Certificate relied on"),
                say("none; the pool of shadow models was trained for this run"),
            ),
            (say("Why none"), _text(found.get("reason"), say)),
            (say("Difficulty of the surrogates"), _decile(found.get("difficulty"), say)),
            *_tenths(say("Deciles of their quantiles from 10 to 90 %"), found.get("profile")),
        )
    return (
        (say("Certificate relied on"), str(found["relied_on"])),
        (say("Digest of the certificate"), _text(found.get("digest"), say)),
        (
            say("Issued, and valid until"),
            f"{_day(found, 'issued_at', say)}, {_day(found, 'expires_at', say)}",
        ),
        (say("Pools trained for its procedure so far"), _text(found.get("attempt"), say)),
        (say("Difficulty that it covers"), _decile(found.get("certified_difficulty"), say)),
        *_tenths(say("Deciles of its quantiles from 10 to 90 %"), found.get("certified_profile")),
        (say("Difficulty of these records"), _decile(found.get("difficulty"), say)),
        *_tenths(say("Deciles of their quantiles from 10 to 90 %"), found.get("profile")),
        (say("Models trained for this run"), _models(found.get("models_of_this_run"), say)),
    )


def _text(value: object, say: Say) -> str:
    return str(value) if value else say("not recorded")


def _day(found: Mapping[str, Any], name: str, say: Say) -> str:
    return str(found[name])[:10] if found.get(name) else say("not recorded")


def _decile(value: object, say: Say) -> str:
    if not isinstance(value, int):
        return say("not recorded")
    return say("decile %(n)s; %(most)s is the hardest", n=value, most=HARDEST)


def _tenths(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Return one pair, or none: an earlier release compared medians alone."""
    return ((name, ", ".join(map(str, value))),) if isinstance(value, list) else ()


def _models(value: object, say: Say) -> str:
    if not isinstance(value, int):
        return say("not recorded")
    return say("%(n)s, none of which saw the records", n=value)
