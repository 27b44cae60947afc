"""Search kept records that equal or resemble the forget set, in every affected snapshot."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.utils import timezone

from audits.services.planning import FoundDuplicate
from lineage.core.duplicates import find_duplicates
from lineage.models import RecordContent
from lineage.queries.availability import barred_ordinals
from lineage.queries.closure import affected
from lineage.queries.contents import batches, read_batch, stored
from lineage.queries.membership import members
from lineage.queries.sources import training_snapshots
from lineage.services.views import open_erasure_view
from unlearning.execution.loading import reader_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from numpy.typing import NDArray
    from pyroaring import BitMap

    from lineage.models import Job, OrdinalSpace
    from lineage.queries.contents import Record
    from unlearning.core.recipe import Recipe


def search(job: Job, forget: Mapping[OrdinalSpace, BitMap]) -> tuple[list[FoundDuplicate], str]:
    """Return the duplicates of a forget set among kept records, and a digest of how.

    Exact ones by content hash over all live records; near ones by the distance of decoded
    inputs over the snapshots of the affected versions that have a recipe (``unread`` tells of the
    others).
    """
    found: dict[tuple[int, int, int], FoundDuplicate] = {}
    for space, ordinals in forget.items():
        for one in [*_near(job, space, ordinals), *_exact(space, ordinals)]:
            found[space.pk, one.forget_ordinal, one.other_ordinal] = one
    used = f"exact sha256, near unit-l2 {settings.EXPUNGE_DUPLICATE_DISTANCE}"
    return list(found.values()), hashlib.sha256(used.encode()).hexdigest()


def unread(forget: Mapping[OrdinalSpace, BitMap]) -> int:
    """Return how many affected versions' data was not searched for near duplicates.

    No recipe says how to read their records, or none that may be loaded any more.
    """
    count = 0
    for space, ordinals in forget.items():
        searched = {snapshot for _, snapshot, _ in _readable(space, ordinals)}
        count += sum(
            not searched.issuperset(one.pk for one in training_snapshots(hit.version))
            for hit in affected(space, ordinals).versions
        )
    return count


def _exact(space: OrdinalSpace, forget: BitMap) -> Iterable[FoundDuplicate]:
    contents = RecordContent.objects.filter(space=space)
    wanted: dict[str, list[int]] = {}
    for batch in batches(forget):
        rows = contents.filter(ordinal__in=batch).values_list("sha256", "ordinal")
        for digest, ordinal in rows:
            wanted.setdefault(digest, []).append(ordinal)
    same = contents.filter(sha256__in=list(wanted)).values_list("sha256", "ordinal")
    for digest, ordinal in same:
        if ordinal not in forget:
            yield FoundDuplicate(
                space=space,
                forget_ordinal=wanted[digest][0],
                other_ordinal=ordinal,
                kind="EXACT",
                distance=0.0,
            )


def _near(job: Job, space: OrdinalSpace, forget: BitMap) -> Iterable[FoundDuplicate]:
    readable = stored(space, forget)
    for recipe, _, snapshot_ordinals in _readable(space, forget):
        kept = list(stored(space, snapshot_ordinals))
        if not kept or not readable:
            continue
        view = open_erasure_view(
            run_id=job.payload_id,
            purpose="AUDIT",
            space=space,
            ordinals=readable,
            now=timezone.now(),
        )
        others = (record for batch in batches(kept) for record in read_batch(space, batch))
        pairs = find_duplicates(
            _inputs(recipe, view),
            _inputs(recipe, others),
            threshold=settings.EXPUNGE_DUPLICATE_DISTANCE,
        )
        wanted = list(readable)
        for pair in pairs:
            yield FoundDuplicate(
                space=space,
                forget_ordinal=wanted[pair.forget],
                other_ordinal=kept[pair.other],
                kind=str(pair.kind.name),
                distance=float(pair.distance),
            )


def _readable(space: OrdinalSpace, forget: BitMap) -> Iterable[tuple[Recipe, UUID, BitMap]]:
    """Yield each snapshot once whose records some affected version's recipe can read."""
    seen = set()
    for one in affected(space, forget).versions:
        recipe = reader_of(one.version) if one.version.generated_by.recipe else None
        snapshots = training_snapshots(one.version)
        if recipe is None or len(snapshots) != 1:  # of several, it cannot be for each
            continue
        snapshot = snapshots[0]
        if snapshot.pk not in seen and snapshot.space_id == space.pk:
            seen.add(snapshot.pk)
            yield recipe, snapshot.pk, members(snapshot) - forget - barred_ordinals(space)


def _inputs(recipe: Recipe, records: Iterable[Record]) -> NDArray[np.float64]:
    decoded = [recipe.decode(record.content, record.target)[0] for record in records]
    return np.stack([one.numpy().ravel().astype(np.float64) for one in decoded])
