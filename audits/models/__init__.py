"""The tables of cases, evidence and the audit trail."""

from __future__ import annotations

from audits.models.certificates import ProcedureCertificate
from audits.models.clock import CaseClock, ClockPause, ExtensionDecision
from audits.models.evidence import AuditPlan, Evidence, ShadowResult, Verdict
from audits.models.intake import IdentityCheck, Intake, PersonalDetails, ProcessingStop
from audits.models.operator_cases import OperatorCase, ScoredRecord
from audits.models.releases import Reading, Release
from audits.models.requests import DuplicateFinding, ErasureRequest, Letter, OwedToOthers
from audits.models.trail import ComplianceRecord, LogCheckpoint, LogHead, LogLeaf

__all__ = [
    "AuditPlan",
    "CaseClock",
    "ClockPause",
    "ComplianceRecord",
    "DuplicateFinding",
    "ErasureRequest",
    "Evidence",
    "ExtensionDecision",
    "IdentityCheck",
    "Intake",
    "Letter",
    "LogCheckpoint",
    "LogHead",
    "LogLeaf",
    "OperatorCase",
    "OwedToOthers",
    "PersonalDetails",
    "ProcedureCertificate",
    "ProcessingStop",
    "Reading",
    "Release",
    "ScoredRecord",
    "ShadowResult",
    "Verdict",
]
