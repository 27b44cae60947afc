"""What a picture of the graph says about its nodes, in one query for any number of them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connection

from lineage.core.folding import Item
from lineage.models import ModelVersion, Run
from lineage.queries.edges import with_sources

if TYPE_CHECKING:
    from collections.abc import Iterable

SNAPSHOT = "SNAPSHOT"
_FACTS = """
SELECT x.node, n.object_id,
    v.model_name, v.version, v.kind, v.state, v.generated_at, v.invalidated_at,
    r.capture_level, d.id, d.name, s.seq, s.record_count, s.created_at, w.capture_level
FROM ({sources}) x
JOIN lineage_lineagenode n ON n.id = x.node
LEFT JOIN lineage_modelversion v ON v.id = n.object_id
LEFT JOIN lineage_run r ON r.id = v.generated_by_id
LEFT JOIN lineage_datasetsnapshot s ON s.id = n.object_id
LEFT JOIN lineage_dataset d ON d.id = s.dataset_id
LEFT JOIN lineage_run w ON w.id = s.generated_by_id
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A snapshot (``dataset`` is set) or a version.

    * ``kind``: SNAPSHOT, or that of the version (MODEL, SHADOW, COMPONENT);
    * ``state``: of the version today; empty where it ended after the time that was asked for;
    * ``unknown``: nobody recorded what the run that wrote it had read. Shadow models of audits
      are never served, and coverage does not count them;
    * ``records``: how many a snapshot has.
    """

    node: int
    object_id: uuid.UUID
    kind: str
    label: str
    at: datetime
    unknown: bool
    state: str = ""
    dataset: uuid.UUID | None = None
    dataset_name: str = ""
    records: int = 0

    def item(self, *, alone: bool) -> Item:
        """Return it for folding: snapshots with those of their data set."""
        family = str(self.dataset) if self.dataset else ""
        return Item(
            node=self.node, name=str(self.object_id), kind=self.kind, family=family, alone=alone
        )


def facts_of(nodes: Iterable[int], *, as_of: datetime) -> dict[int, Facts]:
    """Return what is known of the nodes that there were at a time."""
    with connection.cursor() as cursor:
        cursor.execute(with_sources(_FACTS), [json.dumps(sorted(nodes))])
        rows = cursor.fetchall()
    found = [_snapshot(row) if row[9] else _version(row, as_of) for row in rows]
    return {one.node: one for one in found if one.at <= as_of}


def _version(row: tuple[object, ...], as_of: datetime) -> Facts:
    node, object_id, name, number, kind, state, made, ended, level, *_ = row
    return Facts(
        node=int(str(node)),
        object_id=uuid.UUID(str(object_id)),
        kind=str(kind),
        label=f"{name} v{number}",
        at=_moment(made),
        unknown=level == Run.Capture.NONE and kind != ModelVersion.Kind.SHADOW,
        state="" if ended and _moment(ended) > as_of else str(state),
    )


def _snapshot(row: tuple[object, ...]) -> Facts:
    node, object_id = row[:2]
    dataset, name, seq, records, made, level = row[9:]
    return Facts(
        node=int(str(node)),
        object_id=uuid.UUID(str(object_id)),
        kind=SNAPSHOT,
        label=f"{name}@{seq}",
        at=_moment(made),
        unknown=level == Run.Capture.NONE,
        dataset=uuid.UUID(str(dataset)),
        dataset_name=str(name),
        records=int(str(records)),
    )


def _moment(value: object) -> datetime:
    """Return a time as the database gave it: SQLite has texts."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
