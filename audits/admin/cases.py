"""Cases, evidence and the log in the admin: to read. Decisions are taken on the case page.

No e-mail address and no digest of a secret link is shown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.models import User
from unfold.decorators import action

from audits.core.roles import Right
from audits.models import (
    AuditPlan,
    CheckpointAnchor,
    ComplianceRecord,
    DuplicateFinding,
    ErasureRequest,
    Evidence,
    Letter,
    LogCheckpoint,
    LogLeaf,
    OperatorCase,
    Reading,
    Release,
    Verdict,
)
from audits.services.rights import has_right
from lineage.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    """Cases. Buttons lead to the pages on which they are started and handled."""

    list_display = ("reference", "status", "outcome", "received_at", "due_on", "sealed_at")
    list_filter = ("status", "outcome", "channel", "ground")
    search_fields = ("reference", "id")
    list_select_related = ("subject", "joined_to", "linked_to", "accepted_by")
    date_hierarchy = "received_at"
    exclude = ("email", "confirm_digest", "status_digest")
    actions_list = ("new_case",)
    actions_detail = ("open_case", "accept")

    # Unfold looks a named permission up in the database before there is one, a method not.
    def has_handle_permission(
        self,
        request: HttpRequest,
        object_id: str | None = None,  # noqa: ARG002  (unfold's signature)
    ) -> bool:
        """Return whether the buttons lead anywhere: to whoever handles cases."""
        return isinstance(request.user, User) and has_right(request.user, Right.HANDLE)

    @action(
        description="Start a case of our own…",
        permissions=["handle"],
        url_path="new-case",
        icon="add",
    )  # type: ignore[untyped-decorator]  # unfold has no types
    def new_case(self, request: HttpRequest) -> HttpResponse:
        """Lead to the page on which staff start a case that no data subject asked for."""
        return self.lead_to(request, "audits:new_case")

    @action(description="Open the case page", url_path="open-case", icon="folder_open")  # type: ignore[untyped-decorator]  # unfold has no types
    def open_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page of the case."""
        return self.lead_to(request, "audits:case", object_id)

    @action(description="Accept…", permissions=["handle"], url_path="accept", icon="check")  # type: ignore[untyped-decorator]  # unfold has no types
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page on which a request is accepted with its ground."""
        return self.lead_to(request, "audits:accept", object_id)


@admin.register(OperatorCase)
class OperatorCaseAdmin(ReadOnlyAdmin):
    """The operator's own cases: what for, who proposed and who approved."""

    list_display = ("request", "reason", "disposal", "version", "proposed_by", "approved_by")
    list_filter = ("reason", "disposal")
    list_select_related = ("request", "version", "space", "proposed_by", "approved_by")
    exclude = ("seeds", "chosen")


@admin.register(DuplicateFinding)
class DuplicateFindingAdmin(ReadOnlyAdmin):
    """Kept records that resemble erased ones, and what was decided about them."""

    list_display = ("request", "kind", "distance", "decision", "decided_by")
    list_filter = ("kind", "decision")
    list_select_related = ("request", "space", "proposed_by", "decided_by")


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Letters and whether they were sent; their texts are sealed."""

    exclude = ("content", "asked")
    list_display = ("request", "code", "state", "created_at", "sent_at", "error")
    list_filter = ("code", ("sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("request",)


@admin.register(AuditPlan)
class AuditPlanAdmin(ReadOnlyAdmin):
    """Designs and policies, fixed before the first shadow model."""

    list_display = ("run", "fixed_at", "design_digest", "policy_digest")
    search_fields = ("run__id", "design_digest", "policy_digest")
    list_select_related = ("run__target", "certificate")


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """What the attacks measured."""

    list_display = ("run", "kind", "look", "models_per_arm", "digest", "created_at")
    list_filter = ("kind",)
    search_fields = ("id", "digest")
    list_select_related = ("run__target", "request", "plot")


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    """What was concluded."""

    list_display = ("run", "outcome", "final", "created_at")
    list_filter = ("outcome", "final")
    search_fields = ("run__id",)
    list_select_related = ("run__target", "evidence__run__target", "evidence__request")


@admin.register(LogLeaf)
class LogLeafAdmin(ReadOnlyAdmin):
    """The append-only log."""

    list_display = ("index", "at", "type", "case_id")
    list_filter = ("type",)
    search_fields = ("case_id",)
    ordering = ("-index",)
    fields = ("index", "at", "type", "case_id", "event", "leaf")
    readonly_fields = fields

    @admin.display(description="Event (canonical JSON)")
    def event(self, leaf: LogLeaf) -> str:
        """The bytes that were hashed."""
        return bytes(leaf.data).decode()

    @admin.display(description="Leaf hash (RFC 6962)")
    def leaf(self, leaf: LogLeaf) -> str:
        """The hash in hexadecimal."""
        return bytes(leaf.leaf_hash).hex()


@admin.register(LogCheckpoint)
class LogCheckpointAdmin(ReadOnlyAdmin):
    """Signed statements of the size and root of the log."""

    list_display = ("size", "created_at", "stamped")
    exclude = ("root",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogCheckpoint]:
        """Fetch what others said of the checkpoints in one query."""
        return super().get_queryset(request).prefetch_related("anchors")

    @admin.display(description="Time stamp")
    def stamped(self, checkpoint: LogCheckpoint) -> str:
        """The time that another authority confirmed, or why it did not yet."""
        for one in checkpoint.anchors.all():
            if one.kind == CheckpointAnchor.Kind.STAMP:
                return str(one.said_at or f"Waits. {one.error}".strip())
        return "-"


@admin.register(ComplianceRecord)
class ComplianceRecordAdmin(ReadOnlyAdmin):
    """Sealed records; download them from the case page."""

    list_display = ("request", "outcome", "sha256", "seal_index", "created_at")
    list_filter = ("outcome",)
    search_fields = ("sha256", "request__reference")
    list_select_related = ("request",)
    exclude = ("data",)


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """Unlearned versions that are shown, held or passed over; decide on the case page."""

    list_display = ("run", "state", "created_at", "released_at", "decided_by")
    list_filter = ("state",)
    list_select_related = ("run__target", "decided_by")


@admin.register(Reading)
class ReadingAdmin(ReadOnlyAdmin):
    """Which reader was given which version."""

    list_display = ("reader", "version", "since", "followed", "gone_at")
    search_fields = ("reader",)
    list_select_related = ("version",)
