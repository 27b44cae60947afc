"""A decision about a release, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """Whether something may happen, and why."""

    allowed: bool
    reason: str
