"""The tables of lineage, by what they describe."""

from __future__ import annotations

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
from lineage.models.jobs import Job
from lineage.models.records import (
    DataRecord,
    Dataset,
    DatasetSnapshot,
    ErasureViewOpening,
    LineagePurge,
    MembershipTile,
    OrdinalSpace,
    RecordContent,
    RecordMapBlock,
    Restriction,
    SnapshotChunk,
)
from lineage.models.subjects import DataSubject, SubjectIdentifier

__all__ = [
    "Artefact",
    "DataRecord",
    "DataSubject",
    "Dataset",
    "DatasetSnapshot",
    "ErasureViewOpening",
    "Influence",
    "Job",
    "LineageEdge",
    "LineageNode",
    "LineagePurge",
    "MembershipTile",
    "ModelVersion",
    "OrdinalSpace",
    "Procedure",
    "RecordContent",
    "RecordMapBlock",
    "Restriction",
    "Role",
    "Run",
    "RunInput",
    "RunOutput",
    "SnapshotChunk",
    "SubjectIdentifier",
]
