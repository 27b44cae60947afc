"""The questions that people ask of lineage, answered as JSON can hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.core import bitmaps
from lineage.core.first_steps import earliest
from lineage.models import ModelVersion, RunInput
from lineage.queries.availability import valid_at
from lineage.queries.closure import affected, listed_versions
from lineage.queries.derivation import with_derived
from lineage.queries.edges import FOR_EVER
from lineage.queries.membership import members
from lineage.queries.what_if import what_if

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace
    from lineage.queries.closure import AffectedVersion, Closure

    Records = Mapping[OrdinalSpace, BitMap]


def affected_by(
    records: Records, *, as_of: datetime = FOR_EVER, besides: uuid.UUID | None = None
) -> dict[str, Any]:
    """Return every version that some records affect, and every one that they may affect.

    Through whatever was derived from the records as well, in any space. Versions that are
    destroyed and shadow models are left out, except the one ``besides``.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    whole = _with_derived(records, as_of)
    answers = {
        space: affected(space, held, as_of=as_of, besides=besides) for space, held in whole.items()
    }
    noted = _with_steps(answers.values())
    sure = {hit.version.id for answer in answers.values() for hit in answer.versions}
    maybe = {v.id: v for answer in answers.values() for v in answer.unknown if v.id not in sure}
    listed = listed_versions(include_shadows=False, as_of=as_of).values_list("id", flat=True)
    return {
        "records": {space.name: len(held) for space, held in whole.items()},
        "as_of": None if as_of == FOR_EVER else as_of.isoformat(),
        "affected": [
            _hit(space, hit, noted) for space, answer in answers.items() for hit in answer.versions
        ],
        "possibly_affected": [_named(version) for version in maybe.values()],
        "not_affected": len(set(listed) - sure - maybe.keys()),
    }


def why_version(
    version: ModelVersion, records: Records, *, as_of: datetime = FOR_EVER
) -> dict[str, Any]:
    """Return whether and how one version learned from some records, whatever its state and kind.

    ``affected`` is True, False, or None where it is not known.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    answer = affected_by(records, as_of=as_of, besides=version.id)
    for hit in answer["affected"]:
        if hit["version"] == str(version.id):
            return {**hit, "affected": True}
    possible = {one["version"] for one in answer["possibly_affected"]}
    known = None if str(version.id) in possible else False
    return {**_named(version), "affected": known, "why": []}


def _with_derived(records: Records, as_of: datetime) -> Records:
    if as_of == FOR_EVER:
        return with_derived(records)
    valid = {space: valid_at(space, held, as_of) for space, held in records.items()}
    return {space: valid_at(space, held, as_of) for space, held in with_derived(valid).items()}


def _with_steps(answers: Iterable[Closure]) -> set[Any]:
    """Return the runs of affected versions that noted their steps."""
    runs = {hit.version.generated_by_id for answer in answers for hit in answer.versions}
    noted = RunInput.objects.filter(first_step_blob__isnull=False)
    return runs & set(noted.values_list("run_id", flat=True))


def _hit(space: OrdinalSpace, hit: AffectedVersion, noted: set[Any]) -> dict[str, Any]:
    steps = hit.version.generated_by_id in noted
    return {
        **_named(hit.version),
        "space": space.name,
        "hits": len(hit.forget),
        "forget_set_digest": bitmaps.digest(hit.forget),
        "direct": hit.direct,
        "influence": hit.influence,
        "depth": hit.depth,
        "earliest_step": earliest_step(hit.version, space, hit.forget) if steps else None,
        "why": why(hit),
    }


def _named(version: ModelVersion) -> dict[str, str]:
    return {
        "version": str(version.id),
        "name": str(version),
        "external_id": version.external_id,
        "kind": version.kind,
        "state": version.state,
        "captured": version.generated_by.capture_level,
    }


def why(hit: AffectedVersion) -> list[dict[str, str]]:
    """Return the shortest way from a snapshot to the version, one step per edge."""
    return [
        {"source": step.source, "role": step.role, "influence": step.influence}
        for step in hit.path
    ]


def earliest_step(version: ModelVersion, space: OrdinalSpace, ordinals: BitMap) -> int | None:
    """Return the first step of the version's own training that used any of some records.

    None where the training did not note its steps, or did not use them itself.
    """
    noted = RunInput.objects.filter(
        run=version.generated_by_id, used_snapshot__space=space, first_step_blob__isnull=False
    ).select_related("used_snapshot__space", "used_snapshot__dataset")
    steps = [
        earliest(bytes(used.first_step_blob), members(used.used_snapshot), ordinals)
        for used in noted
        if used.first_step_blob and used.used_snapshot
    ]
    return min((step for step in steps if step is not None), default=None)


def left_without(records: Records) -> dict[str, Any]:
    """Return what each affected version would still stand on without some records."""
    whole = with_derived(records)
    answers = {space: affected(space, held) for space, held in whole.items()}
    touched = {hit.version.id for answer in answers.values() for hit in answer.versions}
    return {
        "records": {space.name: len(held) for space, held in whole.items()},
        "versions": [
            {**_named(hit.version), "space": space.name, **what_if(hit, space)}
            for space, answer in answers.items()
            for hit in answer.versions
        ],
        "untouched": [
            str(version)
            for version in listed_versions(include_shadows=False)
            if version.id not in touched
        ],
    }
