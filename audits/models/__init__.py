"""The tables of cases, evidence and the audit trail."""

from __future__ import annotations

from audits.models.anchors import CheckpointAnchor
from audits.models.certificates import ProcedureCertificate
from audits.models.clock import CaseClock, ClockPause, ExtensionDecision
from audits.models.decisions import Decision, GroundFinding, LocationException
from audits.models.evidence import AuditPlan, Evidence, ShadowResult, Verdict
from audits.models.holds import LegalHold
from audits.models.intake import IdentityCheck, Intake, PersonalDetails, ProcessingStop
from audits.models.job_lines import JobLine
from audits.models.letters import AnswerRoute, Letter, LetterTemplate
from audits.models.operator_cases import OperatorCase, ScoredRecord
from audits.models.owners import BudgetWait, ModelOwner, OwnedModel
from audits.models.pictures import CasePictures
from audits.models.places import LocationResult
from audits.models.policy_changes import PolicyChange
from audits.models.previews import PlanPreview
from audits.models.processing import ProcessingActivity, RulesVersion
from audits.models.queries import QueryCount, QueryReport, VersionQueries
from audits.models.recipients import Notice, Publication, Recipient, ToldWho
from audits.models.releases import Reading, Release
from audits.models.requests import DuplicateFinding, ErasureRequest, OwedToOthers
from audits.models.retention import CaseRetention
from audits.models.sign_in import SignInFailures, StaffSession
from audits.models.supplier import SupplierEvidence
from audits.models.sweep_marks import SweepMark
from audits.models.trail import ComplianceRecord, LogCheckpoint, LogHead, LogLeaf
from audits.models.version_ends import AnonymityClaim, VersionException
from audits.models.webhooks import Webhook, WebhookDelivery
from audits.models.worker_signs import WorkerSign

__all__ = [
    "AnonymityClaim",
    "AnswerRoute",
    "AuditPlan",
    "BudgetWait",
    "CaseClock",
    "CasePictures",
    "CaseRetention",
    "CheckpointAnchor",
    "ClockPause",
    "ComplianceRecord",
    "Decision",
    "DuplicateFinding",
    "ErasureRequest",
    "Evidence",
    "ExtensionDecision",
    "GroundFinding",
    "IdentityCheck",
    "Intake",
    "JobLine",
    "LegalHold",
    "Letter",
    "LetterTemplate",
    "LocationException",
    "LocationResult",
    "LogCheckpoint",
    "LogHead",
    "LogLeaf",
    "ModelOwner",
    "Notice",
    "OperatorCase",
    "OwedToOthers",
    "OwnedModel",
    "PersonalDetails",
    "PlanPreview",
    "PolicyChange",
    "ProcedureCertificate",
    "ProcessingActivity",
    "ProcessingStop",
    "Publication",
    "QueryCount",
    "QueryReport",
    "Reading",
    "Recipient",
    "Release",
    "RulesVersion",
    "ScoredRecord",
    "ShadowResult",
    "SignInFailures",
    "StaffSession",
    "SupplierEvidence",
    "SweepMark",
    "ToldWho",
    "Verdict",
    "VersionException",
    "VersionQueries",
    "Webhook",
    "WebhookDelivery",
    "WorkerSign",
]
