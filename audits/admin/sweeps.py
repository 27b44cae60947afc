"""When the sweep came last, to read; it has one row."""

from __future__ import annotations

from django.contrib import admin

from audits.models import SweepMark
from lineage.admin import ReadOnlyAdmin


@admin.register(SweepMark)
class SweepMarkAdmin(ReadOnlyAdmin):
    """The last sweep that came to its end."""

    list_display = ("ended_at", "began_at", "failed", "left")
