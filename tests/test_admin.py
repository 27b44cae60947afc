"""Every table of ours is in the admin: to find, to read, and to change nothing."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CompositePrimaryKey
from django.test import Client
from django.urls import reverse

from tests.any_row import any_row, full_row

pytestmark = pytest.mark.django_db
OURS = ("lineage", "unlearning", "audits")
MOST_QUERIES, ROWS = 25, 4
# What no list shows and nobody searches by: keyed digests of people, and what they wrote.
SECRET = {
    *("email", "confirm_digest", "status_digest", "content", "body", "address", "key_hmac"),
    *("mandate_digest", "idempotency", "settings", "caller"),
}


def composite(model):
    return isinstance(model._meta.pk, CompositePrimaryKey)


MODELS = [model for name in OURS for model in apps.get_app_config(name).get_models()]
SHOWN = [model for model in MODELS if not composite(model)]


@pytest.fixture
def root(settings, tmp_path, monkeypatch):
    # Purges that no journal knows would close the site.
    monkeypatch.setattr("config.middleware.replay_needed", lambda: False)
    settings.KEYS = settings.STATIC_ROOT = tmp_path
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_every_table_is_registered_but_those_that_django_cannot_show():
    missing = {model.__name__ for model in MODELS if not admin.site.is_registered(model)}
    assert missing == {model.__name__ for model in MODELS if composite(model)}


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_a_table_is_listed_and_read_in_few_queries_and_nothing_is_changed(
    model, root, django_assert_max_num_queries
):
    for _ in range(ROWS):
        full_row(model)
    row = model._default_manager.first()
    assert row, "a row cannot be made"
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    if admin.site.get_model_admin(model).search_fields:
        assert root.get(reverse(f"{name}_changelist"), {"q": "1"}).status_code == 200
    with django_assert_max_num_queries(MOST_QUERIES) as asked:
        assert root.get(reverse(f"{name}_changelist")).status_code == 200
    assert one_by_one(asked) == []
    assert root.get(reverse(f"{name}_add")).status_code == 403
    change = reverse(f"{name}_change", args=[row.pk])
    with django_assert_max_num_queries(MOST_QUERIES):
        page = root.get(change)
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert root.post(change, {}).status_code == 403
    deletion = reverse(f"{name}_delete", args=[row.pk])
    assert root.post(deletion, {"post": "yes"}).status_code == 403


def one_by_one(asked):
    """The queries that were asked once for every row."""
    shapes = Counter(re.sub(r"'[^']*'|\b[0-9a-f]{32}\b|\b\d+\b", "?", q["sql"]) for q in asked)
    return [shape for shape, times in shapes.items() if times >= ROWS]


def test_nothing_that_is_secret_is_listed_or_searched():
    for model in SHOWN:
        page = admin.site.get_model_admin(model)
        named = {name.split("__")[-1] for name in page.search_fields} | set(page.list_display)
        if model.__name__ != "Publication":  # whose address is that of a web page
            assert named.isdisjoint(SECRET), model


def test_what_a_member_of_staff_asked_of_the_planner_is_not_shown():
    shown = admin.site.get_model_admin(apps.get_model("audits", "PlanPreview"))
    assert {"forget", "result"} <= set(shown.exclude or ())


def test_the_admin_has_the_mark_and_leads_home(root):
    page = root.get("/admin/").content.decode()
    assert '<link rel="icon" href="/static/expunge/mark.svg"' in page
    assert 'href="/home/"' in page


def test_a_row_links_to_the_lists_of_rows_that_name_it(root):
    version = any_row(apps.get_model("lineage", "ModelVersion"))
    assert version is not None
    at = reverse("admin:lineage_modelversion_change", args=[version.pk])
    page = root.get(at).content.decode()
    link = f"/admin/lineage/artefact/?version__id__exact={version.pk}"
    assert link in page
    assert root.get(link).status_code == 200
