"""Machines register where a version runs, and that it is gone, with a key of either scope."""

from __future__ import annotations

import uuid

import pytest

from audits.models import LogLeaf
from lineage.models import Deployment, ModelVersion
from tests.audits.world import NOW, empty_version
from tests.lineage.remote import key

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(signing_key):
    return empty_version("faces")


def post(client, path, secret, body=None):
    return client.post(
        f"/api/v1/deployments{path}",
        body or {},
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )


def said(version, **more: str):
    return {"version": str(version.pk), "place": "shop", **more}


@pytest.mark.parametrize("scope", ["serve", "capture"])
def test_a_process_says_what_runs_and_that_it_is_gone(client, version, scope):
    secret = key(scope, name="shop")
    made = post(client, "", secret, said(version, contact="shop@example.org"))
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["usable"]) == ("faces v1", True)
    one = made.json()["deployment"]
    newer = empty_version("faces")
    post(client, "", secret, said(newer))
    assert Deployment.objects.get(pk=one).replaced_by == newer
    gone = post(client, f"/{one}/withdrawn", secret)
    assert gone.json()["acknowledged_at"] is not None
    kinds = list(LogLeaf.objects.order_by("index").values_list("type", flat=True))
    assert kinds == [
        "deployment_registered",
        "deployment_registered",
        "deployment_switched",
        "deployment_withdrawn",
    ]


def test_a_process_learns_that_its_version_must_not_be_used(client, version):
    ModelVersion.objects.update(state="WITHDRAWN", invalidated_at=NOW)
    made = post(client, "", key("serve"), said(version))
    assert (made.status_code, made.json()["usable"]) == (201, False)


@pytest.mark.parametrize(
    "contact",
    ["the shop", "a@b", "x@y.example\nBcc: z@y.example", f"{'a' * 260}@y.example", "\x1b"],
)
def test_a_contact_that_no_letter_can_go_to_is_refused(client, version, contact):
    refused = post(client, "", key("serve"), said(version, contact=contact))
    assert refused.status_code == 409
    assert "is no e-mail address" in refused.json()["detail"]
    assert not Deployment.objects.exists()


def test_what_cannot_be_registered_is_answered_with_a_sentence(client, version):
    secret = key("serve", name="shop")
    assert post(client, "", secret, said(version, kind="CELLAR")).status_code == 409
    assert post(client, f"/{uuid.uuid4()}/withdrawn", secret).status_code == 404
    unknown = post(client, "", secret, {"version": str(uuid.uuid4()), "place": "shop"})
    assert unknown.status_code == 404
    refused = post(client, "", key("lineage:read"), said(version))
    assert refused.status_code == 403
    assert "does not have the scope serve" in refused.json()["detail"]
    one = post(client, "", secret, said(version)).json()["deployment"]
    assert post(client, f"/{one}/withdrawn", key("serve", name="thief")).status_code == 409
