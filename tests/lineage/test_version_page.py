from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lineage.models import ModelVersion, Run
from lineage.services import versions
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


def page_of(client, version):
    response = client.get(f"/models/{version.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_pages_are_for_staff(client, now):
    version = trained("cnn", now)
    outsider = Client()
    outsider.force_login(User.objects.create_user("outsider"))
    for path in ("/models/", f"/models/{version.pk}/"):
        assert client.get(path).headers["Location"].startswith("/accounts/login/")
        assert outsider.get(path).status_code == 403


def test_an_empty_list_says_how_versions_come(staff):
    assert "No model version is known yet." in staff.get("/models/").content.decode()


def test_versions_are_listed_without_shadow_models(staff, now):
    trained("cnn", now)
    trained("cnn", now)
    trained("spy", now, kind=ModelVersion.Kind.SHADOW)
    page = staff.get("/models/").content.decode()
    assert page.index("cnn v2") < page.index("cnn v1")
    assert "spy" not in page
    assert "Not captured" in page


def test_a_version_shows_what_it_learned_from_and_what_learned_from_it(staff, now):
    dataset = filled("photos", 9, now)
    first = trained("cnn", now, data(snapshot(dataset, now, range(7))))
    child = trained("tuned", now, base(first), activity="FINE_TUNE")
    trained("spy", now, base(first), kind=ModelVersion.Kind.SHADOW, activity="SHADOW")
    page = page_of(staff, first)
    assert "photos@0" in page
    assert 'data-label="Records" class="number">7<' in page
    assert f"/models/{child.pk}/" in page
    assert "1 shadow model of audits" in page
    page = page_of(staff, child)
    assert f"/models/{first.pk}/" in page
    assert "Base model" in page


def test_recipe_run_and_environment_are_shown(staff, now):
    version = trained("cnn", now, metrics={"accuracy": 0.97}, seconds=12.5)
    Run.objects.filter(pk=version.generated_by_id).update(
        recipe="shop.recipes:Faces",
        recipe_digest="ab" * 32,
        recipe_parameters={"epochs": 30},
        environment={"torch": "2.13.0"},
    )
    page = page_of(staff, version)
    for word in ("shop.recipes:Faces", "ab" * 32, "&quot;epochs&quot;: 30", "2.13.0", "0.97"):
        assert word in page
    assert "12.5 seconds" in page


def test_a_version_without_recipe_says_what_that_means(staff, now):
    page = page_of(staff, trained("cnn", now))
    assert "it cannot be trained again here" in page
    assert "possibly affected by every erasure" in page


def test_a_destroyed_version_keeps_its_digests(staff, now):
    version = trained("cnn", now)
    weights = version.artefacts.get()
    versions.destroy_version(version=version, by_case=version.pk, now=now)
    page = page_of(staff, version)
    assert weights.sha256 in page
    assert "Destroyed on 1 March 2026" in page
    assert "The case that caused it" in page


def test_how_often_a_version_answered_is_shown(staff, now, settings):
    version = trained("cnn", now)
    assert "No guard of a process that serves it has reported" in page_of(staff, version)
    version.queries.create(day=now.date(), answers=1234, reported_at=now)
    settings.EXPUNGE_QUERIES_PER_DAY = 50
    page = page_of(staff, version)
    assert 'data-label="This version" class="number">1,234<' in page
    assert "<dd>50</dd>" in page


def test_a_version_that_does_not_exist_is_not_found(staff):
    assert staff.get("/models/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_what_the_run_was_told_is_folded(staff, now):
    version = trained("cnn", now)
    Run.objects.filter(pk=version.generated_by_id).update(environment={"torch": "2"})
    page = page_of(staff, version)
    assert '<details><summary>Environment</summary><pre tabindex="0">' in page
    assert page.count("<pre") == page.count("<details><summary>")
