"""What belongs to a case in the admin: to read, with a button to the page where it is handled.

What a person wrote, and what is sealed, is not shown here; nothing is searched by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import Http404
from unfold.decorators import action

from audits.models import (
    AnswerRoute,
    CaseClock,
    CasePictures,
    CaseRetention,
    ClockPause,
    Decision,
    ExtensionDecision,
    GroundFinding,
    IdentityCheck,
    Intake,
    JobLine,
    LocationException,
    LocationResult,
    Notice,
    OwedToOthers,
    PersonalDetails,
    ProcessingStop,
    ScoredRecord,
    ToldWho,
    VersionException,
)
from lineage.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class CaseRowAdmin(ReadOnlyAdmin):
    """Rows of cases; ``case`` is how a row names its case."""

    case = "request"
    list_select_related: Any = ("request",)
    search_fields: tuple[str, ...] = ("request__reference", "request__id")
    actions_detail = ("open_case",)

    @action(description="Open the case page", url_path="open-case", icon="folder_open")  # type: ignore[untyped-decorator]  # unfold has no types
    def open_case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page of the case, on which services are asked."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        case_id = self.get_queryset(request).values_list(self.case, flat=True).get(pk=row.pk)
        return self.lead_to(request, "audits:case", case_id)


@admin.register(CaseClock)
class CaseClockAdmin(CaseRowAdmin):
    """Due dates as they were derived."""

    list_display = ("request", "regime", "received_on", "due_on", "extended_due_on", "stage")
    list_filter = ("regime", "calendar", "stage")
    date_hierarchy = "due_on"


@admin.register(CasePictures)
class CasePicturesAdmin(CaseRowAdmin):
    """The stored pictures of sealed records."""

    list_display = ("request", "provenance", "timeline")
    list_select_related = ("request", "provenance", "timeline")


@admin.register(ClockPause)
class ClockPauseAdmin(CaseRowAdmin):
    """Times in which a clock stood still."""

    list_display = ("request", "reason", "since", "until")
    list_filter = ("reason", ("until", admin.EmptyFieldListFilter))


@admin.register(ExtensionDecision)
class ExtensionDecisionAdmin(CaseRowAdmin):
    """Extensions of Art. 12(3); the reason as the person reads it stands on the case page."""

    list_display = ("request", "reason_code", "new_due", "decided_by", "decided_at")
    list_filter = ("reason_code",)
    list_select_related = ("request", "decided_by")
    exclude = ("reason_text",)


@admin.register(Decision)
class DecisionAdmin(CaseRowAdmin):
    """Decisions with who proposed and who approved; their words stand on the case page."""

    list_display = ("request", "kind", "state", "proposed_by", "approved_by", "proposed_at")
    list_filter = ("kind", "state", "refusal_code")
    list_select_related = ("request", "proposed_by", "approved_by", "returned_by")
    exclude = ("assessment", "evidence", "legal_position_note", "return_note")
    date_hierarchy = "proposed_at"


@admin.register(GroundFinding)
class GroundFindingAdmin(CaseRowAdmin):
    """Grounds of Art. 17(1), purpose by purpose."""

    case = "decision__request"
    list_display = ("decision", "code", "purpose")
    list_filter = ("code",)
    search_fields = ("decision__request__reference",)
    list_select_related = ("decision__request",)
    exclude = ("assessment", "other_ground")


@admin.register(LocationException)
class LocationExceptionAdmin(CaseRowAdmin):
    """What Art. 17(3) keeps in one place, and until when."""

    case = "decision__request"
    list_display = ("decision", "code", "dataset", "place", "until", "ended_at")
    list_filter = ("code", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("decision__request__reference",)
    list_select_related = ("decision__request", "dataset", "reviewer", "followed_by")


@admin.register(VersionException)
class VersionExceptionAdmin(CaseRowAdmin):
    """Versions that stay, and until when."""

    list_display = ("request", "version", "code", "until", "proposed_by", "approved_by")
    list_filter = ("code", ("approved_at", admin.EmptyFieldListFilter))
    list_select_related = ("request", "version", "proposed_by", "approved_by")


@admin.register(Intake)
class IntakeAdmin(CaseRowAdmin):
    """How requests came."""

    list_display = ("request", "source", "entered_at", "entered_by", "answer_by", "by_agent")
    list_filter = ("source", "answer_by", "by_agent", "mandate_seen")
    list_select_related = ("request", "entered_by")
    exclude = ("idempotency", "content", "mandate_digest")


@admin.register(PersonalDetails)
class PersonalDetailsAdmin(CaseRowAdmin):
    """That a person said more than an address; what they said is sealed."""

    list_display = ("request",)
    fields = ("request",)


@admin.register(IdentityCheck)
class IdentityCheckAdmin(CaseRowAdmin):
    """How it was checked who asks; documents are destroyed and never stored."""

    list_display = ("request", "doubt", "method", "level", "checked_by", "checked_at")
    list_filter = ("method", "level", "doubt")
    list_select_related = ("request", "checked_by")


@admin.register(ProcessingStop)
class ProcessingStopAdmin(CaseRowAdmin):
    """Restrictions and objections; the balance in words stands on the case page."""

    list_display = ("request", "stopped_at", "objection", "balance", "lift_on", "lifted_at")
    list_filter = ("objection", "balance", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("request", "balanced_by")
    exclude = ("balance_text", "lift_reason")


@admin.register(AnswerRoute)
class AnswerRouteAdmin(CaseRowAdmin):
    """Whether a person is answered by e-mail or by post; the address is sealed."""

    list_display = ("request", "way", "requested", "set_at")
    list_filter = ("way",)


@admin.register(ScoredRecord)
class ScoredRecordAdmin(CaseRowAdmin):
    """Scores of records in the operator's own cases."""

    case = "case__request"
    list_display = ("case", "ordinal", "score", "cluster")
    search_fields = ("case__request__reference",)
    list_select_related = ("case__request", "case__space")


@admin.register(LocationResult)
class LocationResultAdmin(CaseRowAdmin):
    """What became of a person's data at each place."""

    case = "case"
    list_display = ("case", "location", "result", "found", "remaining", "verified_at")
    list_filter = ("result", "location")
    search_fields = ("case__reference",)
    list_select_related = ("case", "location")


@admin.register(Notice)
class NoticeAdmin(CaseRowAdmin):
    """Notices to recipients, publications and deployments, and what they answered."""

    list_display = ("__str__", "request", "occasion", "state", "sent_at", "ack_at", "error")
    list_filter = ("state", "occasion")
    search_fields = ("id", "request__reference", "digest")
    list_select_related = (
        *("request", "recipient", "publication", "deployment__version", "decided_by"),
    )
    exclude = ("text",)
    date_hierarchy = "created_at"


@admin.register(ToldWho)
class ToldWhoAdmin(CaseRowAdmin):
    """Cases whose person asked who received their data."""

    list_display = ("request", "asked_who_received")
    list_filter = ("asked_who_received",)


@admin.register(CaseRetention)
class CaseRetentionAdmin(CaseRowAdmin):
    """Until when closed cases say whose they were."""

    list_display = ("request", "closed_on", "days", "until", "longer_until", "key_destroyed_at")
    list_filter = ("longer_reason", ("key_destroyed_at", admin.EmptyFieldListFilter))
    list_select_related = ("request", "longer_by")
    date_hierarchy = "until"


@admin.register(OwedToOthers)
class OwedToOthersAdmin(ReadOnlyAdmin):
    """Runs that must also serve somebody else."""

    list_display = ("subject", "run")
    search_fields = ("subject__pseudonym", "run__id")
    list_select_related = ("subject", "run__target")


@admin.register(JobLine)
class JobLineAdmin(ReadOnlyAdmin):
    """What jobs said last."""

    list_display = ("job", "at", "level", "text")
    list_filter = ("level",)
    list_select_related = ("job",)
    search_fields = ("text", "job__id")
    date_hierarchy = "at"
