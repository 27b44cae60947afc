"""Exact and near duplicates of the forget set among the contents of a snapshot.

A kept duplicate of an erased record is invisible to the statistics of shadow models, so it is
searched for. Duplicates with different labels are what a camouflaged poison is made of (Di et al.,
NeurIPS 2023): one is asked to be erased so that the other awakens.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Values: TypeAlias = NDArray[np.generic]

BLOCK = 2048
ROUNDING = 1e-12


class ShapesDiffer(ValueError):
    """Forget set and contents do not hold the same kind of record."""


class Kind(StrEnum):
    """How two records are alike."""

    EXACT = "exact"
    NEAR = "near"


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A record of the contents that equals or resembles one of the forget set."""

    forget: int
    other: int
    kind: Kind
    distance: float


def find_duplicates(
    forget: Values, contents: Values, *, threshold: float, block: int = BLOCK
) -> tuple[Duplicate, ...]:
    """Return every duplicate, by forget index, then by distance.

    Args:
        forget: pixels or features of the forget set, shape [k, ...].
        contents: the same of what a snapshot keeps, shape [n, ...], without the forget set.
        threshold: largest L2 distance of a near duplicate between records scaled to length one:
            0 asks for the same direction, 2 would accept everything.
        block: rows of the contents compared at once; memory is about 8 * k * block bytes.

    Raises:
        ShapesDiffer: the records differ in shape.
    """
    if forget.shape[1:] != contents.shape[1:]:
        raise ShapesDiffer(
            f"Records of the forget set have shape {forget.shape[1:]}, those of the contents "
            f"{contents.shape[1:]}."
        )
    exact = set(_exact_pairs(forget, contents))
    found = [Duplicate(forget=i, other=j, kind=Kind.EXACT, distance=0.0) for i, j in exact]
    found += [
        Duplicate(forget=i, other=j, kind=Kind.NEAR, distance=distance)
        for i, j, distance in _near_pairs(forget, contents, threshold, block)
        if (i, j) not in exact
    ]
    return tuple(sorted(found, key=lambda pair: (pair.forget, pair.distance, pair.other)))


def content_digest(record: Values) -> bytes:
    """Return the SHA-256 of a record's type, shape and bytes."""
    kind = f"{record.dtype.str}{record.shape}".encode()
    return hashlib.sha256(kind + np.ascontiguousarray(record).tobytes()).digest()


def _exact_pairs(forget: Values, contents: Values) -> Iterator[tuple[int, int]]:
    wanted: dict[bytes, list[int]] = defaultdict(list)
    for position, record in enumerate(forget):
        wanted[content_digest(record)].append(position)
    for other, record in enumerate(contents):
        for position in wanted.get(content_digest(record), ()):
            yield position, other


def _near_pairs(
    forget: Values, contents: Values, threshold: float, block: int
) -> Iterator[tuple[int, int, float]]:
    wanted = unit_rows(forget)
    for start in range(0, len(contents), block):
        others = unit_rows(contents[start : start + block])
        squared = (wanted**2).sum(1)[:, None] + (others**2).sum(1) - 2 * wanted @ others.T
        for i, j in zip(*np.nonzero(squared <= threshold**2 + ROUNDING), strict=True):
            # The product cancels digits; the pairs it let through are few, so measure them again.
            distance = float(np.linalg.norm(wanted[i] - others[j]))
            if distance <= threshold:
                yield int(i), start + int(j), distance


def unit_rows(records: Values) -> Floats:
    """Return records (n, ...) as rows (n, columns) of length one; a row of zeros stays."""
    rows = records.reshape(len(records), -1).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=rows, where=lengths > 0), np.float64)
