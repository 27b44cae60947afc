"""Stored records that are alike and have different targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Count

from lineage.core.duplicates import find_duplicates
from lineage.core.pictures import thumbnail
from lineage.models import OrdinalSpace, RecordContent
from lineage.queries.availability import barred_ordinals
from lineage.queries.contents import batches, read_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray


class TooManyPictures(ValueError):
    """The pictures of a data set are too many to be compared."""


@dataclass(frozen=True, kw_only=True)
class StoredConflict:
    """Two records of a space that are alike under two targets; distance 0: the same bytes."""

    ordinal: int
    other: int
    distance: float


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Small pictures, (n, 16, 16), with ordinal and target of each."""

    small: NDArray[np.float32]
    ordinals: Sequence[int]
    targets: Sequence[str]


def same_bytes(space_id: int, digests: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
    """Return (ordinal, target) of the records with these contents that may be used, by digest."""
    space = OrdinalSpace.objects.get(pk=space_id)
    barred = barred_ordinals(space)
    rows = RecordContent.objects.filter(space=space_id, sha256__in=list(digests))
    found: dict[str, list[tuple[int, str]]] = {}
    for digest, ordinal, target in rows.exclude(target="").values_list(
        "sha256", "ordinal", "target"
    ):
        if ordinal not in barred:
            found.setdefault(digest, []).append((ordinal, target))
    return found


def pictures(space: OrdinalSpace, *, most: int) -> Iterator[Pictures]:
    """Yield the labelled pictures of a space that may be used, in blocks.

    Raises:
        TooManyPictures: there are more than ``most``; none was read.
    """
    rows = RecordContent.objects.filter(space=space, media_type__startswith="image/")
    held = rows.exclude(target="").order_by("ordinal").values_list("ordinal", flat=True)
    barred = barred_ordinals(space)
    usable = [ordinal for ordinal in held if ordinal not in barred]
    if len(usable) > most:
        raise TooManyPictures(
            f"{space.name} holds {len(usable)} labelled pictures; at most {most} are compared "
            "(EXPUNGE_LABEL_CONFLICT_RECORDS)."
        )
    for batch in batches(usable):
        read = [(one, thumbnail(one.content)) for one in read_batch(space, batch)]
        seen = [(one, small) for one, small in read if small is not None]
        if seen:
            yield Pictures(
                small=np.stack([small for _, small in seen]),
                ordinals=[one.ordinal for one, _ in seen],
                targets=[one.target for one, _ in seen],
            )


def stored_conflicts(
    space: OrdinalSpace, *, threshold: float, most: int
) -> Iterator[StoredConflict]:
    """Yield every pair of usable records that are alike under two targets, same bytes first.

    Raises:
        TooManyPictures: as ``pictures``, after the pairs of the same bytes.
    """
    told: set[tuple[int, int]] = set()
    for pair in _same(space):
        told.add((pair.other, pair.ordinal))
        yield pair
    blocks: list[Pictures] = []
    for block in pictures(space, most=most):
        blocks.append(block)
        for before in blocks:
            for pair in _alike(before, block, threshold):
                if (pair.other, pair.ordinal) not in told:
                    yield pair


def _same(space: OrdinalSpace) -> Iterator[StoredConflict]:
    rows = RecordContent.objects.filter(space=space).exclude(target="")
    kinds = rows.values("sha256").annotate(kinds=Count("target", distinct=True))
    digests = list(kinds.filter(kinds__gt=1).values_list("sha256", flat=True).order_by("sha256"))
    for batch in (digests[at : at + 500] for at in range(0, len(digests), 500)):
        for found in same_bytes(space.pk, batch).values():
            first, target = min(found)
            for ordinal, other in found:
                if other != target:
                    yield StoredConflict(ordinal=ordinal, other=first, distance=0.0)


def _alike(before: Pictures, block: Pictures, threshold: float) -> Iterator[StoredConflict]:
    for pair in find_duplicates(block.small, before.small, threshold=threshold):
        ordinal, other = block.ordinals[pair.forget], before.ordinals[pair.other]
        if other < ordinal and block.targets[pair.forget] != before.targets[pair.other]:
            yield StoredConflict(ordinal=ordinal, other=other, distance=pair.distance)
