"""The registry as W3C PROV-JSON: standard names, pseudonyms and counts, no personal data.

Terms: PROV-DM and PROV-O. A snapshot is a collection, a run an activity, a version an entity; an
erasure is the activity that invalidated what it destroyed: versions, and each erased record by its
ordinal, which stays as a tombstone.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from lineage.core.bitmaps import decode
from lineage.models import LineageEdge, LineageNode, LineagePurge, RunInput
from lineage.queries.membership import members
from lineage.queries.prov_part import rows_in, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from lineage.models import DatasetSnapshot, ModelVersion, OrdinalSpace, Procedure, Run
    from lineage.queries.prov_part import Part

_PROCEDURES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:expunge:procedure")
PREFIX = {
    "expunge": "urn:expunge:",
    "prov": "http://www.w3.org/ns/prov#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Item = tuple[str, str, dict[str, Any]]  # section, name, attributes


def prov_items(*, with_records: bool = False, part: Part | None = None) -> Iterator[Item]:
    """Yield every statement of the document, as (section, name, attributes).

    Args:
        with_records: also one ``hadMember`` for each record of each snapshot, which are many.
        part: only what is said about these and between them, and nothing of erasures.
    """
    rows = part.rows if part else whole()
    yield from _snapshots(rows.snapshots, with_records=with_records)
    yield from _runs(rows.runs)
    yield from _versions(rows.versions)
    yield from _uses(part)
    yield from _derivations(part)
    if part is None:
        yield from _erasures()


def prov_document(items: Iterator[Item]) -> dict[str, dict[str, Any]]:
    """Return statements as one PROV-JSON document."""
    document: dict[str, dict[str, Any]] = {"prefix": PREFIX}
    for section, name, attributes in items:
        document.setdefault(section, {})[name] = attributes
    return document


def _snapshots(rows: Iterable[DatasetSnapshot], *, with_records: bool) -> Iterator[Item]:
    for row in rows:
        name = f"expunge:snapshot/{row.id}"
        yield (
            "entity",
            name,
            {
                "prov:type": _term("prov:Collection"),
                "prov:label": str(row),
                "prov:generatedAtTime": _time(row.created_at),
                "expunge:dataset": f"{row.dataset.namespace}/{row.dataset.name}",
                "expunge:space": str(row.space.public_id),
                "expunge:recordCount": row.record_count,
                "expunge:digest": row.digest,
            },
        )
        if row.parent_id:
            yield _revision(name, f"expunge:snapshot/{row.parent_id}")
        if row.generated_by_id:
            yield _generation(name, row.generated_by_id, row.created_at)
        if with_records:
            yield from _members(row, name)


def _members(row: DatasetSnapshot, name: str) -> Iterator[Item]:
    for ordinal in members(row):
        record = _record(row.space, ordinal)
        yield "entity", record, {}
        yield (
            "hadMember",
            f"_:m-{row.id}-{ordinal}",
            {"prov:collection": name, "prov:entity": record},
        )


def _runs(rows: Iterable[Run]) -> Iterator[Item]:
    for run in rows:
        attributes = {
            "prov:startTime": run.started_at.isoformat(),
            "prov:type": f"expunge:{run.activity}",
            "expunge:state": run.state,
            "expunge:captureLevel": run.capture_level,
        }
        if run.ended_at:
            attributes["prov:endTime"] = run.ended_at.isoformat()
        yield "activity", f"expunge:run/{run.id}", attributes
        if run.procedure:
            plan = f"expunge:procedure/{_procedure_id(run.procedure)}"
            yield (
                "entity",
                plan,
                {"prov:type": _term("prov:Plan"), "prov:label": str(run.procedure)},
            )
            yield "agent", "expunge:platform", {"prov:type": _term("prov:SoftwareAgent")}
            yield (
                "wasAssociatedWith",
                f"_:a-{run.id}",
                {
                    "prov:activity": f"expunge:run/{run.id}",
                    "prov:agent": "expunge:platform",
                    "prov:plan": plan,
                },
            )


def _versions(rows: Iterable[ModelVersion]) -> Iterator[Item]:
    for version in rows:
        name = f"expunge:version/{version.id}"
        yield (
            "entity",
            name,
            {
                "prov:type": f"expunge:{version.kind}",
                "prov:label": str(version),
                "prov:generatedAtTime": _time(version.generated_at),
                "expunge:state": version.state,
            },
        )
        yield _generation(name, version.generated_by_id, version.generated_at)
        if version.revision_of_id:
            yield _revision(name, f"expunge:version/{version.revision_of_id}")
        if version.invalidated_at and version.invalidated_by:
            yield _invalidation(
                name, version.invalidated_by, version.invalidated_at, str(version.id)
            )


def _uses(part: Part | None) -> Iterator[Item]:
    rows = RunInput.objects.select_related("node").order_by("run_id", "id")
    for used in rows_in(rows, "run_id", part.runs if part else None):
        if part and used.node.object_id not in part.objects:
            continue
        yield (
            "used",
            f"_:u-{used.run_id}-{used.node.object_id}-{used.role}",
            {
                "prov:activity": f"expunge:run/{used.run_id}",
                "prov:entity": _entity(used.node),
                "prov:role": f"expunge:{used.role}",
                "expunge:influence": used.influence,
            },
        )


def _derivations(part: Part | None) -> Iterator[Item]:
    rows = LineageEdge.objects.select_related("src", "dst").order_by("src_id", "dst_id")
    for edge in rows_in(rows, "dst__object_id", part.objects if part else None):
        if part and edge.src.object_id not in part.objects:
            continue
        yield (
            "wasDerivedFrom",
            f"_:d-{edge.src.object_id}-{edge.dst.object_id}",
            {
                "prov:generatedEntity": _entity(edge.dst),
                "prov:usedEntity": _entity(edge.src),
                "prov:activity": f"expunge:run/{edge.run_id}",
                "expunge:role": edge.role,
                "expunge:influence": edge.influence,
            },
        )


def _erasures() -> Iterator[Item]:
    for purge in LineagePurge.objects.select_related("space").order_by("purged_at"):
        yield (
            "activity",
            f"expunge:erasure/{purge.case_id}",
            {
                "prov:type": "expunge:ERASE",
                "prov:endTime": purge.purged_at.isoformat(),
                "expunge:mode": purge.mode,
            },
        )
        for ordinal in decode(bytes(purge.bitmap)):
            record = _record(purge.space, ordinal)
            yield "entity", record, {}
            # A record that two cases erased was invalidated by each; the name tells them apart.
            yield _invalidation(
                record,
                purge.case_id,
                purge.purged_at,
                f"{purge.space.public_id}-{ordinal}-{purge.case_id}",
            )


def _record(space: OrdinalSpace, ordinal: int) -> str:
    return f"expunge:record/{space.public_id}/{ordinal}"


def _procedure_id(procedure: Procedure) -> uuid.UUID:
    """Return an id that follows from the name, which is what a procedure is known by outside."""
    # As JSON: neither part could then be told to belong to the other.
    return uuid.uuid5(_PROCEDURES, json.dumps([procedure.namespace, procedure.name]))


def _entity(node: LineageNode) -> str:
    kind = "version" if node.kind == LineageNode.Kind.MODEL else "snapshot"
    return f"expunge:{kind}/{node.object_id}"


def _generation(entity: str, run: object, at: datetime) -> Item:
    attributes = {
        "prov:entity": entity,
        "prov:activity": f"expunge:run/{run}",
        "prov:time": at.isoformat(),
    }
    return "wasGeneratedBy", f"_:g-{entity.rpartition('/')[2]}", attributes


def _revision(entity: str, earlier: str) -> Item:
    attributes = {
        "prov:generatedEntity": entity,
        "prov:usedEntity": earlier,
        "prov:type": _term("prov:Revision"),
    }
    return "wasDerivedFrom", f"_:r-{entity.rpartition('/')[2]}", attributes


def _invalidation(entity: str, case: object, at: datetime, name: str) -> Item:
    attributes = {
        "prov:entity": entity,
        "prov:activity": f"expunge:erasure/{case}",
        "prov:time": at.isoformat(),
    }
    return "wasInvalidatedBy", f"_:i-{name}", attributes


def _time(moment: datetime) -> dict[str, str]:
    return {"$": moment.isoformat(), "type": "xsd:dateTime"}


def _term(name: str) -> dict[str, str]:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}
