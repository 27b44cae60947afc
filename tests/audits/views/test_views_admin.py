from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from audits.models import ErasureRequest
from tests.audits.views import worlds

OURS = ("audits", "unlearning")


def text_of(response):
    return response.content.decode()


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def registered():
    return [model for model in admin.site._registry if model._meta.app_label in OURS]


def test_every_table_can_be_listed_and_read_and_nothing_changed(root):
    worlds.judged(worlds.u_lira(), worlds.population())
    assert registered()
    for model in registered():
        at = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert root.get(at).status_code == 200
        assert root.get(f"{at}add/").status_code == 403
        row = model._default_manager.first()
        if row is not None:
            page = root.get(f"{at}{row.pk}/change/")
            assert page.status_code == 200
            assert 'name="_save"' not in text_of(page)
            assert root.post(f"{at}{row.pk}/delete/").status_code == 403


def test_the_admin_of_a_case_leads_to_its_page_and_hides_address_and_secrets(root):
    case = worlds.verified()
    at = f"/admin/audits/erasurerequest/{case.pk}/"
    page = text_of(root.get(f"{at}change/"))
    assert worlds.EMAIL not in page
    assert ErasureRequest.objects.get().status_digest not in page
    assert root.get(f"{at}open-case", follow=True).redirect_chain[-1][0] == f"/cases/{case.pk}/"
    assert (
        root.get(f"{at}accept", follow=True).redirect_chain[-1][0] == f"/cases/{case.pk}/accept/"
    )


def test_the_buttons_that_handle_a_case_are_for_case_officers(decider, reader):
    case = worlds.verified()
    at = f"/admin/audits/erasurerequest/{case.pk}/"
    assert f"{at}accept" in text_of(decider.get(f"{at}change/"))
    assert f"{at}accept" not in text_of(reader.get(f"{at}change/"))
    assert reader.get(f"{at}accept", follow=True).status_code == 403
    assert reader.get(f"{at}open-case", follow=True).status_code == 200


def test_only_the_admin_has_the_looser_policy(root):
    assert "unsafe" in root.get("/admin/").headers["Content-Security-Policy"]
    assert "unsafe" not in root.get("/cases/").headers["Content-Security-Policy"]
