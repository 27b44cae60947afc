"""Serving processes ask here which version they may use, and whether they still may."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema

from audits.queries.serving import VersionNotHere, newest_version, version_of
from audits.services import serving
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import BYTES, HARMLESS, writes
from lineage.artifacts import ArtefactMissing
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("serve"), tags=["serving"])

ERRORS: dict[type[Exception], int] = {
    serving.ReaderRefused: 403,
    VersionNotHere: 404,
    serving.VersionNotServed: 409,
    ArtefactMissing: 409,
}


class VersionOut(Schema):
    """A version, whether it may be used now, and how exactly its answers may be told.

    ``outputs`` is FULL, LABELS or a number of decimals.
    """

    version: UUID
    name: str
    state: str
    usable: bool
    outputs: str


@router.get("/models/{name}", response=VersionOut, operation_id="newest_served_version")
def newest(request: HttpRequest, name: str) -> VersionOut:
    """Return the newest version of a model that is in use."""
    return _told(newest_version(name))


@router.get("/versions/{version_id}", response=VersionOut, operation_id="show_served_version")
def describe(request: HttpRequest, version_id: UUID) -> VersionOut:
    """Return whether a version may still be used."""
    return _told(version_of(version_id))


@router.post(
    "/versions/{version_id}/open",
    response=VersionOut,
    operation_id="open_version",
    openapi_extra=writes(HARMLESS),
)
def open_version(request: HttpRequest, version_id: UUID) -> VersionOut:
    """Begin to serve a version whose weights the reader has from elsewhere."""
    return _told(_give(request, version_id))


WEIGHTS = {
    "responses": {
        200: {
            "description": "A safetensors file.",
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@router.get(
    "/versions/{version_id}/weights", operation_id="download_weights", openapi_extra=WEIGHTS
)
def weights(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Return the weights of a version as safetensors."""
    data = weights_of(_give(request, version_id))
    return HttpResponse(data, content_type=BYTES)


def _give(request: HttpRequest, version_id: UUID) -> ModelVersion:
    return serving.give_version(
        reader=key_of(request).name, version_id=version_id, now=timezone.now()
    )


def _told(version: ModelVersion) -> VersionOut:
    return VersionOut(
        version=version.pk,
        name=str(version),
        state=version.state,
        usable=version.state == ModelVersion.State.ACTIVE,
        outputs=settings.EXPUNGE_OUTPUTS,
    )
