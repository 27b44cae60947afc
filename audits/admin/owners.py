"""Owners of models, their budgets, the cases that wait for one, and the workers that are there."""

from __future__ import annotations

from django.contrib import admin

from audits.models import BudgetWait, ModelOwner, OwnedModel, WorkerSign
from lineage.admin import ReadOnlyAdmin


@admin.register(ModelOwner)
class ModelOwnerAdmin(ReadOnlyAdmin):
    """A team and what may be computed for it."""

    list_display = ("name", "seconds", "runs", "lead_days")
    search_fields = ("name",)


@admin.register(OwnedModel)
class OwnedModelAdmin(ReadOnlyAdmin):
    """Whose a model is."""

    list_display = ("model_name", "owner")
    list_select_related = ("owner",)
    search_fields = ("model_name",)


@admin.register(BudgetWait)
class BudgetWaitAdmin(ReadOnlyAdmin):
    """Why a case waits for the budget of an owner, or did."""

    list_display = ("request", "owner", "code", "state", "since", "ended_at")
    list_select_related = ("request", "owner")
    list_filter = ("state", "code")


@admin.register(WorkerSign)
class WorkerSignAdmin(ReadOnlyAdmin):
    """A worker that said that it is there."""

    list_display = ("name", "queues", "at")
