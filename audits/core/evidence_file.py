"""One piece of evidence as a file: what was kept, the rules, and what was concluded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.canonical import sha256, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "expunge-evidence/1"
MEMBERS = {"digest", "format", "kind", "outcome", "payload", "policy", "reasons"}


def write(
    *,
    kind: str,
    payload: Mapping[str, Any],
    policy: Mapping[str, Any],
    outcome: str,
    reasons: Sequence[str],
) -> bytes:
    """Return the evidence file: canonical JSON with the payload's SHA-256.

    ``audits.core.recheck`` draws the verdict again from it.
    """
    return write_json(
        {
            "format": FORMAT,
            "kind": kind,
            "payload": dict(payload),
            "digest": sha256(write_json(dict(payload))),
            "policy": dict(policy),
            "outcome": outcome,
            "reasons": list(reasons),
        }
    )
