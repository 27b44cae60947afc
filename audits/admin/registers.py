"""Registers, rules, certificates and the log's own rows in the admin: to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from unfold.decorators import action

from audits.models import (
    AnonymityClaim,
    CheckpointAnchor,
    LegalHold,
    LetterTemplate,
    LogHead,
    PlanPreview,
    PolicyChange,
    ProcedureCertificate,
    ProcessingActivity,
    Publication,
    QueryCount,
    QueryReport,
    Recipient,
    RulesVersion,
    ShadowResult,
    SupplierEvidence,
    VersionQueries,
)
from lineage.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    """Legal holds; on whom is a keyed digest, not shown. They are released on their own page."""

    list_display = ("__str__", "kind", "dataset", "placed_by", "review_on", "released_at")
    list_filter = ("kind", ("released_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "dataset__name")
    list_select_related = ("dataset", "placed_by", "released_by")
    exclude = ("digest",)
    actions_detail = ("open_holds",)

    @action(description="Open the register of holds", url_path="open-holds", icon="gavel")  # type: ignore[untyped-decorator]  # unfold has no types
    def open_holds(self, request: HttpRequest, object_id: str) -> HttpResponse:  # noqa: ARG002  (unfold's signature)
        """Lead to the page on which holds are placed and released."""
        return self.lead_to(request, "audits:holds")


@admin.register(LetterTemplate)
class LetterTemplateAdmin(ReadOnlyAdmin):
    """Texts of letters, every version. Append-only."""

    list_display = ("code", "locale", "version", "builtin", "created_by", "active_from")
    list_filter = ("code", "locale", "builtin")
    search_fields = ("code", "digest")
    list_select_related = ("created_by",)


@admin.register(ProcessingActivity)
class ProcessingActivityAdmin(ReadOnlyAdmin):
    """What staff said for the record of processing, every version."""

    list_display = ("__str__", "dataset", "location", "number", "basis", "described_at")
    list_filter = ("basis",)
    search_fields = ("dataset__name", "location__slug", "digest")
    list_select_related = ("dataset", "location", "described_by")


@admin.register(QueryCount)
class QueryCountAdmin(ReadOnlyAdmin):
    """How many answers callers of a model had; who they are is a keyed digest, not shown."""

    list_display = ("model_name", "day", "answers")
    list_filter = ("day",)
    search_fields = ("model_name",)
    exclude = ("caller",)


@admin.register(VersionQueries)
class VersionQueriesAdmin(ReadOnlyAdmin):
    """How many answers versions gave."""

    list_display = ("version", "day", "answers", "reported_at")
    list_filter = ("day",)
    search_fields = ("version__model_name",)
    list_select_related = ("version",)


@admin.register(QueryReport)
class QueryReportAdmin(ReadOnlyAdmin):
    """Reports of answers that were added up, by the process that counted."""

    list_display = ("id", "reader", "day", "received_at")
    list_filter = ("day",)
    search_fields = ("reader",)


@admin.register(RulesVersion)
class RulesVersionAdmin(ReadOnlyAdmin):
    """Rules that were in force, by kind."""

    list_display = ("kind", "number", "since", "digest")
    list_filter = ("kind",)
    search_fields = ("digest",)
    date_hierarchy = "since"


@admin.register(PolicyChange)
class PolicyChangeAdmin(ReadOnlyAdmin):
    """Changes of the policy values; they are proposed and approved on the page *Policy*."""

    list_display = ("number", "state", "version", "proposed_by", "decided_by", "decided_at")
    list_filter = ("state",)
    search_fields = ("digest", "reason")
    list_select_related = ("proposed_by", "decided_by")
    actions_detail = ("open_policy",)

    @action(description="Open the policy", url_path="open-policy", icon="rule")  # type: ignore[untyped-decorator]  # unfold has no types
    def open_policy(self, request: HttpRequest, object_id: str) -> HttpResponse:  # noqa: ARG002  (unfold's signature)
        """Lead to the page on which a change is approved or sent back."""
        return self.lead_to(request, "audits:policy")


@admin.register(PlanPreview)
class PlanPreviewAdmin(ReadOnlyAdmin):
    """Questions about what an erasure would do; what was asked and told is for the asker only."""

    list_display = ("version", "by", "records", "asked_by", "created_at", "ended_at")
    list_filter = ("by",)
    search_fields = ("version__model_name",)
    list_select_related = ("version", "asked_by")
    exclude = ("forget", "result")


@admin.register(Recipient)
class RecipientAdmin(ReadOnlyAdmin):
    """Recipients, processors and joint controllers."""

    list_display = ("name", "role", "contract_ref", "since", "active")
    list_filter = ("role", "active", "locale")
    search_fields = ("name", "contract_ref")


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    """Where data sets or versions were made public."""

    list_display = ("address", "where", "since", "active")
    list_filter = ("where", "active")
    search_fields = ("address",)


@admin.register(SupplierEvidence)
class SupplierEvidenceAdmin(ReadOnlyAdmin):
    """What suppliers of models said and sent."""

    list_display = ("version", "kind", "supplier", "dated", "added_by", "added_at")
    list_filter = ("kind",)
    search_fields = ("supplier", "version__model_name")
    list_select_related = ("version", "file", "added_by")


@admin.register(AnonymityClaim)
class AnonymityClaimAdmin(ReadOnlyAdmin):
    """Versions that are claimed to be anonymous, and why."""

    list_display = ("version", "claimed_by", "claimed_at")
    search_fields = ("version__model_name",)
    list_select_related = ("version", "claimed_by")


@admin.register(ProcedureCertificate)
class ProcedureCertificateAdmin(ReadOnlyAdmin):
    """Certificates of procedures. Append-only."""

    list_display = ("__str__", "outcome", "attempt", "issued_at", "expires_at", "digest")
    list_filter = ("outcome",)
    search_fields = ("id", "key", "digest")
    list_select_related = ("evidence__run__target", "evidence__request")
    date_hierarchy = "issued_at"


@admin.register(ShadowResult)
class ShadowResultAdmin(ReadOnlyAdmin):
    """Shadow models of audits, until they are destroyed."""

    list_display = ("run", "index", "version", "created_at")
    search_fields = ("run__id", "version__model_name")
    list_select_related = ("run__target", "version")


@admin.register(LogHead)
class LogHeadAdmin(ReadOnlyAdmin):
    """The size of the log."""

    list_display = ("__str__", "size")


@admin.register(CheckpointAnchor)
class CheckpointAnchorAdmin(ReadOnlyAdmin):
    """What time-stamping authorities and witnesses said of checkpoints."""

    list_display = ("checkpoint", "kind", "said_at", "attempts", "error", "created_at")
    list_filter = ("kind", ("said_at", admin.EmptyFieldListFilter))
    search_fields = ("digest",)
    list_select_related = ("checkpoint",)
