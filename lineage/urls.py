"""Addresses of the model versions."""

from __future__ import annotations

from django.urls import path

from lineage import views

app_name = "lineage"

urlpatterns = [
    path("", views.version_list, name="version_list"),
    path("<uuid:version_id>/", views.version, name="version"),
]
