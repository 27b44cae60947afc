"""No reader has the versions before and after an erasure: their difference tells the record.

A reader is a serving client or an API key. Versions that replace one another, directly or through
others, differ by what was erased between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from unlearning.core.release.ruling import Ruling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A version that a reader can read from ``since`` on, before ``until``; None is still.

    Times are in days since any fixed moment.
    """

    version: str
    since: float
    until: float | None = None

    def overlaps(self, other: Reading) -> bool:
        """Return whether there is a moment at which both can be read."""
        return _before(self.since, other.until) and _before(other.since, self.until)


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """A reader who had two versions of one model; ``at_once`` where one did not end first."""

    reader: str
    versions: tuple[str, str]
    at_once: bool
    reason: str


def exposures(
    history: Mapping[str, Sequence[Reading]], replaces: Mapping[str, str]
) -> tuple[Exposure, ...]:
    """Return every reader who had two versions that differ by an erasure.

    Args:
        history: what each reader could read, and when.
        replaces: for each unlearned version the one that it was made to replace.
    """
    found = []
    for reader, readings in history.items():
        for one, other in combinations(sorted(readings, key=lambda each: each.since), 2):
            if one.version != other.version and _related(one.version, other.version, replaces):
                found.append(_exposure(reader, one, other))
    return tuple(found)


def may_read(
    reader: str,
    version: str,
    had: Iterable[str],
    replaces: Mapping[str, str],
) -> Ruling:
    """Return whether a reader may be given a version, having had others."""
    for other in had:
        if other != version and _related(version, other, replaces):
            reason = (
                f"{reader} has had {other}, and {version} differs from it by an erasure; give "
                f"{version} to a reader that has not."
            )
            return Ruling(allowed=False, reason=reason)
    reason = f"{reader} has had no version that differs from {version} by an erasure."
    return Ruling(allowed=True, reason=reason)


def _exposure(reader: str, one: Reading, other: Reading) -> Exposure:
    at_once = one.overlaps(other)
    when = "at the same time" if at_once else "one after the other"
    return Exposure(
        reader=reader,
        versions=(one.version, other.version),
        at_once=at_once,
        reason=f"{reader} could read {one.version} and {other.version} {when}; they differ by an "
        "erasure.",
    )


def _before(moment: float, end: float | None) -> bool:
    return end is None or moment < end


def _related(one: str, other: str, replaces: Mapping[str, str]) -> bool:
    return _origin(one, replaces) == _origin(other, replaces)


def _origin(version: str, replaces: Mapping[str, str]) -> str:
    """Return the version that a chain of replacements began with; one of a circle, if it does."""
    chain = [version]
    while version in replaces:
        version = replaces[version]
        if version in chain:
            return min(chain[chain.index(version) :])
        chain.append(version)
    return version
