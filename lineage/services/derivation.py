"""Write derived data: one for one in the same space, or many for many with a map of records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.db.models import Max
from pyroaring import BitMap

from lineage import artifacts
from lineage.core.bitmaps import decode, to_array
from lineage.core.content_digest import content_digest
from lineage.core.record_map import blocks
from lineage.models import (
    DataRecord,
    Dataset,
    DatasetSnapshot,
    RecordContent,
    RecordMapBlock,
    Restriction,
    Role,
)
from lineage.queries.availability import purged_ordinals
from lineage.queries.contents import batches
from lineage.services.importing import DatasetMisnamed, ensure_dataset
from lineage.services.locking import lock_spaces
from lineage.services.ordinals import take_ordinals
from lineage.services.restriction import restrict
from lineage.services.runs import finish_derivation
from lineage.services.snapshots import check_known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lineage.models import OrdinalSpace, Run


@dataclass(frozen=True, kw_only=True)
class Derived:
    """One derived record.

    * ``sources``: ordinals of the records that it came from, at least one;
    * ``content``: its bytes; empty where it is kept elsewhere.
    """

    sources: tuple[int, ...]
    content: bytes = field(default=b"", repr=False)
    target: str = ""
    media_type: str = "application/octet-stream"


class NoSource(ValueError):
    """A derived record names no record that it came from."""


def ensure_derived_dataset(*, name: str, parent: Dataset, one_for_one: bool) -> Dataset:
    """Return a data set derived from another, made if there is none of that name.

    Args:
        name: of the derived data set.
        parent: what it is derived from.
        one_for_one: every record has one derived record (an embedding, a resized or tokenised
            copy), which then has the same ordinal: it is restricted and erased with it, and
            needs no map. Otherwise the data set has a space of its own.

    Raises:
        DatasetMisnamed: the name cannot be used, or belongs to a data set of another kind.
    """
    if not one_for_one:
        dataset = ensure_dataset(name=name, dataset_type=parent.dataset_type)
        Dataset.objects.filter(id=dataset.id, parent=None).update(parent=parent)
    else:
        dataset, _ = Dataset.objects.select_related("space").get_or_create(
            namespace=parent.namespace,
            name=name,
            defaults={
                "space": parent.space,
                "parent": parent,
                "dataset_type": parent.dataset_type,
            },
        )
    if (dataset.space_id == parent.space_id) != one_for_one:
        raise DatasetMisnamed(
            f"The data set {name} exists and does {'not ' if one_for_one else ''}share the space "
            f"of {parent}; choose another name."
        )
    return dataset


@transaction.atomic
def write_derived(
    *, run: Run, source: OrdinalSpace, dataset: Dataset, records: Sequence[Derived], now: datetime
) -> DatasetSnapshot:
    """Close a run with records derived many for many, their map and their snapshot.

    A derived record belongs to a person where all its sources do; otherwise to nobody, but the
    map still leads to it from each of them. What came from an erased record is not stored and
    not in the snapshot; its ordinal is a tombstone from the start. What came from a restricted
    one is restricted from the start, by the same cases.

    Raises:
        NoSource: a record names none, or the run read no data of the source space.
        OrdinalsUnknown: the source space has not handed out an ordinal.
        SpaceFull: the derived space has too few ordinals left.
        RunNotOpen, SourceNotUsable: see ``finish_derivation``.
    """
    if empty := [at for at, record in enumerate(records) if not record.sources]:
        raise NoSource(
            f"Derived record {empty[0]} names no source; each needs the ordinals it came from."
        )
    _check_declared(run, source)
    spaces = lock_spaces([source.id, dataset.space_id])
    pairs = [(one, at) for at, record in enumerate(records) for one in record.sources]
    check_known(spaces[source.id], BitMap([one for one, _ in pairs]))
    first = take_ordinals(spaces[dataset.space_id], len(records))
    erased = purged_ordinals(source)
    gone = BitMap([first + at for one, at in pairs if one in erased])
    _write_records(dataset.space, source, records, first, now)
    DataRecord.objects.filter(space=dataset.space, ordinal__in=list(gone)).update(
        subject=None, invalidated_at=now
    )
    _write_map(source, dataset.space, np.array(pairs, dtype=np.int64).reshape(-1, 2), first)
    _write_contents(dataset.space, records, first, without=gone)
    _restrict_with_sources(source, dataset.space, [(one, first + at) for one, at in pairs], now)
    ordinals = BitMap(range(first, first + len(records))) - gone
    return finish_derivation(run=run, dataset=dataset, ordinals=ordinals, now=now, mapped=source)


def _check_declared(run: Run, source: OrdinalSpace) -> None:
    read = run.inputs.filter(role=Role.SOURCE_DATA).values("node__object_id")
    if not DatasetSnapshot.objects.filter(id__in=read, space=source).exists():
        raise NoSource(
            f"The run {run} declares no SOURCE_DATA of the space {source.name}, from which its "
            f"records are said to come; declare the snapshot that was read."
        )


def _write_records(
    space: OrdinalSpace,
    source: OrdinalSpace,
    records: Sequence[Derived],
    first: int,
    now: datetime,
) -> None:
    owners = _owners(source, BitMap([one for record in records for one in record.sources]))
    DataRecord.objects.bulk_create(
        [
            DataRecord(
                space=space,
                ordinal=ordinal,
                subject_id=_sole({owners.get(one) for one in record.sources}),
                generated_at=now,
            )
            for ordinal, record in enumerate(records, start=first)
        ],
        batch_size=2_000,
    )


def _restrict_with_sources(
    source: OrdinalSpace, derived: OrdinalSpace, pairs: list[tuple[int, int]], now: datetime
) -> None:
    for restriction in Restriction.objects.filter(space=source, lifted_at=None):
        barred = decode(bytes(restriction.bitmap))
        came = BitMap([to for one, to in pairs if one in barred])
        if came:
            restrict(case_id=restriction.case_id, space=derived, ordinals=came, now=now)


def _owners(source: OrdinalSpace, ordinals: BitMap) -> dict[int, int | None]:
    rows = DataRecord.objects.filter(space=source)
    return {
        ordinal: subject
        for batch in batches(to_array(ordinals).tolist())
        for ordinal, subject in rows.filter(ordinal__in=batch).values_list("ordinal", "subject_id")
    }


def _sole(owners: set[int | None]) -> int | None:
    return owners.pop() if len(owners) == 1 else None


def _write_map(source: OrdinalSpace, derived: OrdinalSpace, pairs: np.ndarray, first: int) -> None:
    rows = RecordMapBlock.objects.filter(source_space=source, derived_space=derived)
    last = rows.aggregate(last=Max("part"))["last"]
    part = 0 if last is None else last + 1
    RecordMapBlock.objects.bulk_create(
        RecordMapBlock(
            source_space=source,
            derived_space=derived,
            block_no=block.number,
            part=part,
            offsets=block.offsets,
            derived=block.derived,
            sha256=block.sha256,
        )
        for block in blocks(pairs[:, 0], pairs[:, 1] + first)
    )


def _write_contents(
    space: OrdinalSpace, records: Sequence[Derived], first: int, *, without: BitMap
) -> None:
    RecordContent.objects.bulk_create(
        RecordContent(
            space=space,
            ordinal=ordinal,
            target=record.target,
            media_type=record.media_type,
            uri=artifacts.write_record(space.public_id, ordinal, record.content).uri,
            sha256=content_digest(record.content),
            size=len(record.content),
        )
        for ordinal, record in enumerate(records, start=first)
        if record.content and ordinal not in without
    )
