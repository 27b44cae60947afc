"""Failures to sign in and sessions of staff, to read; accounts are unlocked on their own list."""

from __future__ import annotations

from django.contrib import admin

from audits.models import SignInFailures, StaffSession
from lineage.admin import ReadOnlyAdmin


@admin.register(SignInFailures)
class SignInFailuresAdmin(ReadOnlyAdmin):
    """Whose passwords or codes were wrong, and who is locked out."""

    list_display = ("member", "failures", "locked_at")
    search_fields = ("member__username",)
    list_select_related = ("member",)


@admin.register(StaffSession)
class StaffSessionAdmin(ReadOnlyAdmin):
    """Where members are signed in; the key of a session opens it and is not shown."""

    list_display = ("member", "began_at", "seen_at")
    search_fields = ("member__username",)
    list_select_related = ("member",)
    exclude = ("session",)
