"""``keys.txt``: which keys signed, and when. For comparison; a verifier brings its own key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.events import instant
from audits.core.note import parse_vkey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

HEAD = (
    "# Keys of the log that sealed this case, and when each signed (UTC; - is open).\n"
    "# A key that travels with the files proves nothing: verify with one from somewhere else.\n"
)


@dataclass(frozen=True, kw_only=True)
class KeyPeriod:
    """A verifier key and the time from its first to its last signature; none is open."""

    vkey: str
    since: datetime | None = None
    until: datetime | None = None


def keys_txt(periods: Sequence[KeyPeriod]) -> bytes:
    """The file: a line a key, ``vkey since until``. Raises KeyMalformed."""
    lines = (
        f"{parse_vkey(one.vkey).text} {_moment(one.since)} {_moment(one.until)}\n"
        for one in periods
    )
    return (HEAD + "".join(lines)).encode()


def _moment(at: datetime | None) -> str:
    return instant(at) if at else "-"
