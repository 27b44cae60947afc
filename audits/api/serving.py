"""Serving processes ask here which version they may use, and whether they still may."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema

from audits.api import queries
from audits.queries.serving import FOLLOWS, VersionNotHere, newest_version, version_of
from audits.services import serving
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import BYTES, HARMLESS, writes
from lineage.artifacts import ArtefactMissing
from lineage.models import ModelVersion
from lineage.queries.artefacts import digest_of_weights, weights_of

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("serve"), tags=["serving"])

ERRORS: dict[type[Exception], int] = {
    serving.ReaderRefused: 403,
    VersionNotHere: 404,
    serving.VersionNotServed: 409,
    serving.TooEarly: 409,
    ArtefactMissing: 409,
    **queries.ERRORS,
}
_by_name = Router(auth=Scope("serve"))


class VersionOut(Schema):
    """A version, whether it may be used now, and how exactly its answers may be told.

    ``outputs`` is FULL, LABELS or a number of decimals; ``digest`` is the SHA-256 of the weights
    in hex, and empty where none are stored. A caller may have ``queries_per_day`` answers of all
    versions of a model in a day; 0 is for as many as they like.
    """

    version: UUID
    name: str
    model: str
    digest: str
    state: str
    usable: bool
    outputs: str
    queries_per_day: int


@_by_name.get("/models/{path:name}", response=VersionOut, operation_id="newest_served_version")
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


class GoneOut(Schema):
    """Versions of a model that are out of use and of which nothing is left, oldest first."""

    gone: list[UUID]


@router.post(
    "/models/{path:name}/gone",
    response=GoneOut,
    operation_id="forget_versions",
    openapi_extra=writes(HARMLESS),
)
def gone(request: HttpRequest, name: str) -> GoneOut:
    """Say that nothing is left of the versions of a model that are out of use."""
    reader = key_of(request).name
    versions = serving.note_gone(reader=reader, model_name=name, now=timezone.now())
    return GoneOut(gone=[one.pk for one in versions])


def _give(request: HttpRequest, version_id: UUID) -> ModelVersion:
    key = key_of(request)
    return serving.give_version(
        reader=key.name,
        version_id=version_id,
        now=timezone.now(),
        follows=FOLLOWS in key.scopes,
    )


def _told(version: ModelVersion) -> VersionOut:
    return VersionOut(
        version=version.pk,
        name=str(version),
        model=version.model_name,
        digest=digest_of_weights(version),
        state=version.state,
        usable=version.state == ModelVersion.State.ACTIVE,
        outputs=settings.EXPUNGE_OUTPUTS,
        queries_per_day=settings.EXPUNGE_QUERIES_PER_DAY,
    )


# A name may have slashes. So the address that ends with it is the last that is looked at.
router.add_router("", queries.router)
router.add_router("", _by_name)
