"""Which keys this installation had, and when: ``keys.json``, and ``keys.vkey`` for verifiers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from audits.key_files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

PUBLIC = 0o644
IN_PEM = ("seal", "model")  # kept in PEM, as tools for PDFs and models read them


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key and its period.

    ``key`` is a verifier key, a certificate for the role ``seal``, a public key in PEM for
    ``model``. ``until`` is empty while the key is in use; moments are UTC in ISO 8601.
    """

    role: str
    key: str
    since: str
    until: str = ""


def known_keys() -> list[KnownKey]:
    """Return all keys, the oldest first; none before ``manage.py keys init``."""
    if not _path().exists():
        return []
    return [KnownKey(**one) for one in json.loads(_path().read_text())]


def current(role: str) -> KnownKey | None:
    """Return the key that a role has now."""
    return next((one for one in known_keys() if one.role == role and not one.until), None)


def enter(role: str, key: str, *, at: str) -> None:
    """Begin the period of a key, and end that of its predecessor; again changes nothing."""
    before = known_keys()
    if any(one.key == key for one in before):
        return
    ended = [
        KnownKey(**{**asdict(one), "until": at}) if one.role == role and not one.until else one
        for one in before
    ]
    now = [*ended, KnownKey(role=role, key=key, since=at)]
    lines = [one.key for one in sorted(now, key=_first) if one.role not in IN_PEM]
    replace_file(
        settings.KEYS / "keys.vkey", "".join(f"{one}\n" for one in lines).encode(), PUBLIC
    )
    rows = [asdict(one) for one in now]
    replace_file(_path(), (json.dumps(rows, indent=2) + "\n").encode(), PUBLIC)


def _first(one: KnownKey) -> tuple[bool, bool]:
    """Order: the log's key of today, that of statements, then past ones."""
    return (bool(one.until), one.role != "log")


def _path() -> Path:
    path: Path = settings.KEYS / "keys.json"
    return path
