"""The tables of lineage, by what they describe."""

from __future__ import annotations

from lineage.models.access import ApiKey, KeptAnswer
from lineage.models.deployments import Deployment
from lineage.models.graph import (
    Artefact,
    Influence,
    LineageEdge,
    LineageNode,
    ModelVersion,
    Procedure,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.models.intake import (
    CaptureReport,
    LabelConflict,
    ManifestImport,
    NamedLocation,
    ReceivedEvent,
)
from lineage.models.jobs import Job, PausedQueue
from lineage.models.locations import Backup, Location, SuppressionHit
from lineage.models.purges import (
    ErasureViewOpening,
    LineagePurge,
    PurgePermit,
    PurgeTrace,
    Restriction,
    SnapshotSupersession,
)
from lineage.models.records import (
    DataRecord,
    Dataset,
    DatasetSnapshot,
    MembershipTile,
    OrdinalSpace,
    RecordContent,
    RecordLocation,
    RecordMapBlock,
    SnapshotChunk,
    TileGroup,
)
from lineage.models.subjects import DataSubject, SubjectIdentifier

__all__ = [
    "ApiKey",
    "Artefact",
    "Backup",
    "CaptureReport",
    "DataRecord",
    "DataSubject",
    "Dataset",
    "DatasetSnapshot",
    "Deployment",
    "ErasureViewOpening",
    "Influence",
    "Job",
    "KeptAnswer",
    "LabelConflict",
    "LineageEdge",
    "LineageNode",
    "LineagePurge",
    "Location",
    "ManifestImport",
    "MembershipTile",
    "ModelVersion",
    "NamedLocation",
    "OrdinalSpace",
    "PausedQueue",
    "Procedure",
    "PurgePermit",
    "PurgeTrace",
    "ReceivedEvent",
    "RecordContent",
    "RecordLocation",
    "RecordMapBlock",
    "Restriction",
    "Role",
    "Run",
    "RunInput",
    "RunOutput",
    "SnapshotChunk",
    "SnapshotSupersession",
    "SubjectIdentifier",
    "SuppressionHit",
    "TileGroup",
]
