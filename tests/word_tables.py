"""Where the pages have their words from, beside templates and calls of gettext."""

from __future__ import annotations

# Every template that speaks to a person, and what they include; the others speak to staff.
PUBLIC_TEMPLATES = (
    *("base", "_languages", "400", "403", "403_csrf", "404", "500"),
    *("_problem", "_choices", "_question", "_steps", "_reach"),
    *("audits/erasure_form", "audits/ask_kind", "audits/ask_more", "audits/ask_email"),
    *("audits/check", "audits/_asked", "audits/_traps", "audits/erasure_received"),
    *(
        "audits/confirm",
        "audits/confirmed",
        "audits/link_not_usable",
        "audits/link_used",
        "audits/withdrawn",
    ),
    *("audits/answer", "audits/answered", "audits/not_there", "audits/acknowledge"),
    *("audits/status", "audits/status_unknown", "audits/withdraw", "audits/withdraw_late"),
)
# Words that are translated where they are shown, as (module, name of a table or of an enum).
TABLES = (
    ("audits.execution.pictures", "CAPTIONS"),
    *(
        ("audits.execution.provenance_words", name)
        for name in ("ENDS", "ROLES", "METHODS", "VERDICTS")
    ),
    *(("audits.execution.timeline_picture", name) for name in ("NAMES", "UNITS")),
    ("audits.core.badges", "VERDICTS"),
    ("audits.core.failures", "SENTENCES"),
    ("audits.core.fleet_words", "DOES_NOT_MEAN"),
    ("audits.core.webhook_words", "HEALTH"),
    ("audits.queries.journey", "LABELS_FOR_THE_PERSON"),
    *(("audits.views.contrasts", name) for name in ("LEVELS", "CONTRASTS", "MEANINGS")),
    ("audits.views.contrasts", "WHY_MISSING"),
    ("audits.views.controls", "RESTING"),
    ("audits.views.charts", "TONES"),
    *(("audits.views.evidence", name) for name in ("KINDS", "FIGURES")),
    *(("audits.views.evidence_numbers", name) for name in ("STAGES", "ARMS", "LACKING")),
    ("audits.views.fleet", "NO_OUTCOME"),
    *(("audits.views.measurements", name) for name in ("CHECKS", "ACCURACIES", "POLICY", "CODES")),
    ("audits.views.methods", "BESIDE"),
    *(("audits.views.needs", name) for name in ("TITLES", "HINTS")),
    ("lineage.core.queues", "QUEUES"),
    ("audits.views.wording", "OUTCOMES"),
    *(("audits.views.wording", name) for name in ("CAME_BY", "GUARANTEES", "JOBS")),
    *(("audits.queries.journey", f"LABELS_FOR_{who}") for who in ("STAFF", "THE_OPERATOR")),
    *(("audits.core.grounds", name) for name in ("EXCEPTIONS", "RESTRICTIONS", "REFUSALS")),
    *(("audits.views.weighing", name) for name in ("WAYS", "PROMISES", "SET_BY")),
    ("audits.views.case_runs", "CAPTIONS"),
    *(("audits.views.decisions", name) for name in ("STOPPED", "STOPPED_CASE")),
    ("audits.views.retention", "POSTPONED"),
    ("audits.queries.case_page", "OWNERS"),
    ("audits.queries.ends", "WORDS"),
    ("audits.queries.method_titles", "SPECIAL_METHODS"),
    ("audits.core.deadline_words", "SENTENCES"),
    ("audits.core.regimes", "REASON_WORDS"),
    *(
        ("audits.core.identity", name)
        for name in ("METHODS", "LEVELS", "DOUBTS", "NOT_IDENTIFIED")
    ),
    ("audits.services.entering", "CHANNELS"),
    ("audits.services.destruction", "GROUNDS"),
    ("audits.services.previews", "NOTES"),
    ("audits.views.intake_forms", "WISHES"),
    ("audits.views.deciding_forms", "NUMBERED"),
    ("audits.views.label_conflicts", "DONE"),
    ("audits.views.what_if", "PHASES"),
    *(("audits.views.jobs", name) for name in ("LABELS", "STOPPED", "REPEATED")),
    ("audits.queries.event_pages", "WHY_NOT"),
    ("audits.core.policy_fixed", "FIXED"),
    *(("lineage.views.versions", name) for name in ("STATES", "GUARANTEES")),
    ("lineage.views.graph_picture", "SHORT"),
)
# Enums whose labels are shown, and those whose labels stand in lower case within a sentence.
ENUMS = (
    ("audits.models", "ErasureRequest.Status"),
    ("audits.models", "ErasureRequest.Outcome"),
    ("audits.models", "ErasureRequest.Kind"),
    ("audits.models", "ErasureRequest.Ground"),
    ("audits.models", "CaseRetention.Longer"),
    ("audits.models", "Decision.Kind"),
    ("audits.models", "DuplicateFinding.Kind"),
    ("audits.models", "Evidence.Kind"),
    ("audits.models", "ExtensionDecision.Reason"),
    *(("audits.models", f"Intake.{name}") for name in ("AnswerBy", "Source")),
    ("audits.models", "Letter.State"),
    ("audits.models", "LocationResult.Result"),
    ("audits.models", "Notice.State"),
    *(("audits.models", f"OperatorCase.{name}") for name in ("Disposal", "Reason")),
    *(("audits.models", f"ProcessingStop.{name}") for name in ("Balance", "Objection")),
    ("audits.models", "Publication.Where"),
    ("audits.models", "Recipient.Role"),
    ("audits.models", "Release.State"),
    ("audits.models", "VersionException.Code"),
    ("audits.models", "WebhookDelivery.State"),
    ("lineage.models", "Deployment.Kind"),
    ("lineage.models", "Influence"),
    ("unlearning.models", "UnlearningRun.Status"),
    ("audits.models", "LegalHold.Kind"),
    ("audits.models", "AnswerRoute.Way"),
    ("audits.models", "ProcessingActivity.Basis"),
    ("audits.models", "SupplierEvidence.Kind"),
    ("lineage.models", "Location.Category"),
    ("lineage.models", "ModelVersion.State"),
    ("lineage.models", "LabelConflict.State"),
    ("audits.models", "CheckpointAnchor.Kind"),
    ("audits.models", "PolicyChange.State"),
    *(("lineage.models", f"Run.{name}") for name in ("Activity", "Capture")),
    ("lineage.models", "Role"),
    ("lineage.models", "Artefact.Kind"),
)
LOWERED: tuple[tuple[str, str], ...] = (
    ("audits.models", "Letter.State"),
    ("lineage.models", "Role"),
)
# Where no case stops or is held.
NO_STAND = ("SEALED", "REFUSED", "WITHDRAWN", "EXPIRED", "FAILED", "ON_HOLD", "INFO_ASKED")
# What a worker writes of a phase that has no name in it.
PHASES = (
    "Building membership tiles",
    "Destroying what was superseded",
    "Drawing the plan",
    "Judging the result",
    "Purging shadow models",
    "Releasing the unlearned versions",
    "Rows and files of the records",
    "Scoring the training records",
    "Writing the editions",
    "Writing the report",
)
# Modules without Django whose sentences are told by whoever shows them (``audits.core.saying``).
SPEAKERS = ("certificate_words", "canary_words", "fleet_words")
AUTHORITY = "the data protection authority of your country"
