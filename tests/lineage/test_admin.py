from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from lineage.models import Job
from tests.lineage.builders import data, filled, snapshot, trained

pytestmark = pytest.mark.django_db
SHOWN = ["dataset", "datasetsnapshot", "run", "modelversion", "artefact", "job", "datasubject"]


@pytest.fixture
def world(now, home, settings):
    settings.STATIC_ROOT = home  # any folder that exists
    Job.objects.create(
        key="k",
        kind="train",
        queue="heavy",
        payload_id="00000000-0000-0000-0000-000000000001",
        created_at=now,
        total=4,
    )
    return trained("m", now, data(snapshot(filled("faces", 3, now), now)))


@pytest.mark.parametrize("name", SHOWN)
def test_staff_can_list_search_and_open_rows_and_change_none(name, world, admin_client):
    model = apps.get_model("lineage", name)
    listed = admin_client.get(reverse(f"admin:lineage_{name}_changelist"), {"q": "m"})
    assert listed.status_code == 200
    row = model.objects.first()
    shown = admin_client.get(reverse(f"admin:lineage_{name}_change", args=[row.pk]))
    assert shown.status_code == 200
    assert b"person0" not in shown.content
    assert admin_client.get(reverse(f"admin:lineage_{name}_add")).status_code == 403
    deletion = reverse(f"admin:lineage_{name}_delete", args=[row.pk])
    assert admin_client.post(deletion, {"post": "yes"}).status_code == 403
    change = reverse(f"admin:lineage_{name}_change", args=[row.pk])
    assert admin_client.post(change, {}).status_code == 403


def test_the_lists_show_counts(world, admin_client):
    page = admin_client.get(reverse("admin:lineage_dataset_changelist")).content.decode()
    assert "faces" in page
    jobs = admin_client.get(reverse("admin:lineage_job_changelist")).content.decode()
    assert "0 / 4" in jobs
    assert admin.site.is_registered(Job)
