"""One version of a model runs at a place; what it took the place of is switched over."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from lineage.models import Deployment, ModelVersion, Run
from lineage.services import deployments
from lineage.services.deployments import DeploymentRefused, NoSuchDeployment
from tests.audits.world import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def version(number, name="faces", **fields: Any):  # noqa: ANN401  (fields of what is made)
    run = Run.objects.create(activity="TRAIN", started_at=NOW)
    return ModelVersion.objects.create(
        model_name=name, version=number, generated_by=run, generated_at=NOW, **fields
    )


def register(of, place="shop", now=NOW, **fields: Any):  # noqa: ANN401  (fields of what is made)
    return deployments.register(version=of, place=place, kind="ENDPOINT", now=now, **fields)


def test_a_newer_version_ends_the_older_one_at_that_place_and_nowhere_else():
    old, new = version(1), version(2)
    first, _ = register(old, contact="shop@example.org")
    elsewhere, _ = register(old, place="edge")
    other, _ = register(version(1, name="voices"))
    made, before = register(new, place=" shop ", now=LATER)
    assert (before, made.contact) == (first, "shop@example.org")
    assert (before.switched_at, before.replaced_by, before.acknowledged_at) == (LATER, new, None)
    assert [one.is_open for one in (before, made)] == [False, True]
    assert {elsewhere, other, made} == set(
        Deployment.objects.filter(switched_at=None, withdrawn_at=None)
    )


def test_what_is_said_again_changes_nothing():
    of = version(1)
    assert register(of)[0] == register(of, now=LATER)[0]
    assert Deployment.objects.get().deployed_at == NOW


def test_a_version_out_of_use_is_noted_and_a_shadow_model_is_refused():
    assert register(version(1, state="DESTROYED"))[0].is_open
    with pytest.raises(DeploymentRefused, match="shadow model, which is never deployed"):
        register(version(2, kind="SHADOW"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"place": "  "}, "place has 0 characters; it must have between 1 and 200"),
        ({"kind": "CELLAR"}, "kind is 'CELLAR'; allowed are ENDPOINT, HUB"),
        ({"note": "x" * 501}, "note has 501 characters; at most 500"),
    ],
)
def test_a_slip_is_answered_with_a_sentence(fields, said):
    given = {"place": "shop", "kind": "HUB", **fields}
    with pytest.raises(DeploymentRefused, match=said):
        deployments.register(version=version(1), now=NOW, **given)


def test_who_runs_a_place_says_once_that_it_is_gone():
    made, _ = register(version(1))
    deployments.acknowledge(deployment_id=made.pk, now=NOW)
    found = deployments.acknowledge(deployment_id=made.pk, now=LATER)
    assert (found.withdrawn_at, found.acknowledged_at) == (NOW, NOW)
    with pytest.raises(NoSuchDeployment):
        deployments.acknowledge(deployment_id=uuid.uuid4(), now=NOW)


def test_a_machine_speaks_only_of_what_keys_of_its_name_reported():
    mine, _ = register(version(1), reader="shop")
    for call in (
        lambda: register(version(2), reader="thief"),
        lambda: deployments.acknowledge(deployment_id=mine.pk, now=NOW, reader="thief"),
    ):
        with pytest.raises(DeploymentRefused, match="not reported with a key named thief"):
            call()
    assert deployments.acknowledge(deployment_id=mine.pk, now=NOW, reader="shop").acknowledged_at


def test_the_database_keeps_one_open_version_of_a_model_at_a_place():
    made, _ = register(version(1))
    with pytest.raises(IntegrityError):
        Deployment.objects.create(
            version=version(2),
            model_name="faces",
            place=made.place,
            kind="HUB",
            deployed_at=NOW,
        )
