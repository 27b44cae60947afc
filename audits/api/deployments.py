"""Machines say here where a version runs, and that it is gone from there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from ninja import Router, Schema, Status

from audits.queries.serving import version_of
from audits.services import deployments
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import HARMLESS, WITH_KEY, writes
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.models import Deployment, ModelVersion
from lineage.services.deployments import DeploymentRefused, NoSuchDeployment

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("serve", "capture"), tags=["deployments"])

ERRORS: dict[type[Exception], int] = {DeploymentRefused: 409, NoSuchDeployment: 404}


class DeploymentIn(Schema):
    """That a version runs at a place from now on.

    ``contact`` is told when it must go, in the language ``locale``.
    """

    version: UUID
    place: str
    kind: str = Deployment.Kind.ENDPOINT
    contact: str = ""
    locale: str = ""
    note: str = ""


class DeploymentOut(Schema):
    """A deployment. ``usable``: whether the version may be used; where not, take it down."""

    deployment: UUID
    version: UUID
    name: str
    place: str
    kind: str
    usable: bool
    deployed_at: datetime
    switched_at: datetime | None
    withdrawn_at: datetime | None
    acknowledged_at: datetime | None


class DeploymentsOut(PageOut):
    """Some deployments, the newest first."""

    items: list[DeploymentOut]


@router.get("", response=DeploymentsOut, operation_id="list_deployments")
def list_deployments(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """List what keys of this name said runs somewhere, also what is gone from there."""
    rows = Deployment.objects.filter(reader=_key(request)).select_related("version")
    return page_of(request, asked, rows, Order("deployed_at"), _told)


@router.post(
    "",
    response={201: DeploymentOut},
    operation_id="register_deployment",
    openapi_extra=writes(WITH_KEY),
)
def register(request: HttpRequest, said: DeploymentIn) -> Status[DeploymentOut]:
    """Say that a version runs at a place; what of its model ran there is switched over."""
    made = deployments.register(
        version=version_of(said.version),
        place=said.place,
        kind=said.kind,
        contact=said.contact,
        locale=said.locale,
        note=said.note,
        reader=_key(request),
        user=None,
        now=timezone.now(),
    )
    return Status(201, _told(made))


@router.post(
    "/{deployment_id}/withdrawn",
    response=DeploymentOut,
    operation_id="acknowledge_withdrawal",
    openapi_extra=writes(HARMLESS),
)
def withdrawn(request: HttpRequest, deployment_id: UUID) -> DeploymentOut:
    """Say that a version is gone from a place, with every copy there."""
    gone = deployments.acknowledge(
        deployment_id=deployment_id, by="API", reader=_key(request), now=timezone.now()
    )
    return _told(gone)


def _key(request: HttpRequest) -> str:
    return key_of(request).name


def _told(one: Deployment) -> DeploymentOut:
    return DeploymentOut(
        deployment=one.pk,
        version=one.version_id,
        name=str(one.version),
        place=one.place,
        kind=one.kind,
        usable=one.version.state == ModelVersion.State.ACTIVE,
        deployed_at=one.deployed_at,
        switched_at=one.switched_at,
        withdrawn_at=one.withdrawn_at,
        acknowledged_at=one.acknowledged_at,
    )
