"""Which shard and slice a record is in: by a secret hash of its subject, never of itself.

All records of a subject, and of subjects who share a record, are one atom and stay together, so
that an erasure touches one shard and goes back to the beginning of one slice.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

MOST = 2.0  # times the mean shard; an atom beyond it makes sharding the wrong tool


class TooEntangled(ValueError):
    """So many records hang together that shards would be no parts."""


class EmptyShard(ValueError):
    """A shard has nothing to train on."""


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Who is in the training set.

    ``of`` lists, for each record by number, the pseudonyms of its subjects; none for a record
    about nobody. ``prone`` are those likelier than others to ask for erasure, judged by what is
    not personal; ``since`` says when a subject joined, in any unit, 0 where it does not.
    """

    of: Sequence[Collection[str]]
    prone: Collection[str] = frozenset()
    since: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Atom:
    """Records that must stay together: those of subjects joined by the records they share."""

    subjects: frozenset[str]
    records: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The records of each slice of each shard, by number; a shard counts them in this order.

    It is made once. A record that is erased keeps its place, as a hole.
    """

    shards: tuple[tuple[tuple[int, ...], ...], ...]

    def where(self, records: Collection[int]) -> dict[int, int]:
        """Return, for each shard that holds any of the records, the first slice that does."""
        sought = set(records)
        return {
            number: next(at for at, records in enumerate(shard) if sought.intersection(records))
            for number, shard in enumerate(self.shards)
            if any(sought.intersection(records) for records in shard)
        }

    def records(self, shard: int) -> tuple[int, ...]:
        """Return the records of a shard in the order in which it counts them."""
        return tuple(record for part in self.shards[shard] for record in part)

    def bounds(self, shard: int) -> tuple[int, ...]:
        """Return how many records the first one, two, ... slices of a shard have together."""
        return tuple(accumulate(map(len, self.shards[shard])))

    def digest(self) -> str:
        """Return the SHA-256, in hex, of who is where."""
        return hashlib.sha256(repr(self.shards).encode()).hexdigest()


def place(subjects: Subjects, *, shards: int, slices: int, secret: bytes) -> Placement:
    """Return who is where.

    The shard is a keyed hash, so it says nothing and depends on no one else. In a shard, records
    about nobody come first, then subjects by when they joined, the erasure-prone last. A shard
    never has more slices than atoms.

    Raises:
        ValueError: ``shards`` or ``slices`` is below 1.
        TooEntangled: an atom is larger than two mean shards.
        EmptyShard: a shard would have no records.
    """
    if shards < 1 or slices < 1:
        raise ValueError(
            f"shards and slices must be 1 or more, and they are {shards} and {slices}."
        )
    found = atoms(subjects)
    _check_sizes(found, shards, len(subjects.of))
    placed: list[list[Atom]] = [[] for _ in range(shards)]
    for atom in sorted(found, key=lambda atom: _rank(atom, subjects, secret)):
        placed[_shard(atom, secret, shards)].append(atom)
    _check_filled(placed, len(found))
    return Placement(shards=tuple(_cut(each, min(slices, len(each))) for each in placed))


def atoms(subjects: Subjects) -> list[Atom]:
    """Return the atoms: the connected components of subjects and records."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = name = leader[leader[name]]  # halves the way for those who come after
        return name

    for names in subjects.of:
        for name in names:
            leader[find(name)] = find(next(iter(names)))
    records: dict[str, list[int]] = defaultdict(list)
    nobody = []
    for number, names in enumerate(subjects.of):
        if names:
            records[find(next(iter(names)))].append(number)
        else:
            nobody.append(Atom(subjects=frozenset(), records=(number,)))
    members: dict[str, set[str]] = defaultdict(set)
    for name in leader:
        members[find(name)].add(name)
    together = [
        Atom(subjects=frozenset(members[name]), records=tuple(numbers))
        for name, numbers in records.items()
    ]
    return nobody + together


def _names(atom: Atom, secret: bytes) -> Iterator[bytes]:
    """Yield keyed hashes of an atom's subjects, or of the record where there are none."""
    names = [f"subject {name}" for name in atom.subjects] or [f"record {atom.records[0]}"]
    return (hmac.digest(secret, name.encode(), "sha256") for name in names)


def _shard(atom: Atom, secret: bytes, shards: int) -> int:
    return int.from_bytes(min(_names(atom, secret))[:8], "big") % shards


def _rank(atom: Atom, subjects: Subjects, secret: bytes) -> tuple[bool, bool, float, bytes]:
    prone = not atom.subjects.isdisjoint(subjects.prone)
    joined = max((subjects.since.get(name, 0.0) for name in atom.subjects), default=0.0)
    return bool(atom.subjects), prone, joined, min(_names(atom, secret))


def _cut(found: list[Atom], slices: int) -> tuple[tuple[int, ...], ...]:
    """Cut a shard into slices of nearly equal size, none of them empty."""
    total = sum(len(atom.records) for atom in found)
    parts: list[list[int]] = [[] for _ in range(slices)]
    at, before = 0, 0
    for number, atom in enumerate(found):
        full = before * slices >= (at + 1) * total
        needed = len(found) - number <= slices - at - 1  # one atom for each slice to come
        if parts[at] and (full or needed):
            at = min(at + 1, slices - 1)
        parts[at] += atom.records
        before += len(atom.records)
    return tuple(tuple(sorted(part)) for part in parts)


def _check_sizes(found: list[Atom], shards: int, size: int) -> None:
    largest = max(found, key=lambda atom: len(atom.records), default=None)
    if largest and shards > 1 and len(largest.records) > MOST * size / shards:
        raise TooEntangled(
            f"{len(largest.records)} of {size} records hang together, by {len(largest.subjects)} "
            f"subjects who share some, and a shard of {shards} has {size / shards:.0f} on "
            f"average; train on the whole instead."
        )


def _check_filled(placed: list[list[Atom]], count: int) -> None:
    if empty := [number for number, found in enumerate(placed) if not found]:
        raise EmptyShard(
            f"{len(empty)} of {len(placed)} shards would be empty, as there are only {count} "
            f"subjects or groups of them; use fewer shards."
        )
