"""Model versions, and why one of them learned from somebody."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ninja import Router, Schema

from lineage.api.asked import records_asked, telling
from lineage.api.auth import Scope
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.queries.listings import version_called, versions
from lineage.queries.questions import why_version
from lineage.queries.version_page import Source, sources_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import ModelVersion

router = Router(auth=Scope("lineage:read"), tags=["versions"])
State = Literal["CANDIDATE", "ACTIVE", "WITHDRAWN", "QUARANTINED", "DESTROYED"]


class ModelVersionOut(Schema):
    """A version of a model. ``captured`` says how it is known what its run read."""

    version: UUID
    name: str
    model: str
    number: int
    kind: str
    state: str
    guarantee: str
    captured: str
    run: UUID
    revision_of: UUID | None
    generated_at: datetime
    invalidated_at: datetime | None
    external_id: str
    metrics: dict[str, Any]


class VersionsOut(PageOut):
    """Some versions, the newest first."""

    items: list[ModelVersionOut]


class SourceOut(Schema):
    """What a run read: a snapshot of data or another version, for what, and how it acts."""

    label: str
    role: str
    influence: str
    version: UUID | None
    snapshot: UUID | None


class StepOut(Schema):
    """One step of the way from the data to the version."""

    source: str
    role: str
    influence: str


class NamedVersionOut(Schema):
    """A version by its name."""

    version: UUID
    name: str
    external_id: str
    kind: str
    state: str
    captured: str


class WhyOut(NamedVersionOut):
    """Whether a version learned from some records: null where nobody captured what it read.

    ``why`` is the shortest way; ``hits`` how many of the records act on it, ``depth`` through how
    many versions, ``earliest_step`` the first step of its training that used one.
    ``forget_set_digest`` is null unless the key has the scope ``subjects:read``.
    """

    affected: bool | None
    why: list[StepOut]
    space: str | None = None
    hits: int = 0
    direct: bool | None = None
    influence: str | None = None
    depth: int | None = None
    earliest_step: int | None = None
    forget_set_digest: str | None = None


@router.get("", response=VersionsOut, operation_id="list_versions")
def list_versions(
    request: HttpRequest, asked: Asked, model: str = "", state: State | None = None
) -> dict[str, Any]:
    """List the versions of all models, or of one."""
    found = versions()
    if model:
        found = found.filter(model_name=model)
    if state:
        found = found.filter(state=state)
    return page_of(request, asked, found, Order("generated_at"), shown)


@router.get("/{version_id}", response=ModelVersionOut, operation_id="show_version")
def show(request: HttpRequest, version_id: UUID) -> ModelVersionOut:
    """Show a version."""
    return shown(version_called(version_id))


@router.get("/{version_id}/sources", response=list[SourceOut], operation_id="list_sources")
def sources(request: HttpRequest, version_id: UUID) -> list[SourceOut]:
    """Say what a version learned from: the snapshots and versions that its run read."""
    return [read(one) for one in sources_of(version_called(version_id).generated_by)]


@router.get("/{version_id}/why", response=WhyOut, operation_id="why_version")
def why(
    request: HttpRequest, version_id: UUID, record: str = "", subject: UUID | None = None
) -> dict[str, Any]:
    """Say whether and how a version learned from a record, or from anything of a person.

    ``record`` is SPACE:ORDINAL, ``subject`` a pseudonym; one of them. A subject takes the scope
    ``subjects:read`` as well.
    """
    asked = records_asked(request, record, subject)
    return telling(request, why_version(version_called(version_id), asked))


def shown(version: ModelVersion) -> ModelVersionOut:
    """Return a version as the API shows it."""
    return ModelVersionOut(
        version=version.pk,
        name=str(version),
        model=version.model_name,
        number=version.version,
        kind=version.kind,
        state=version.state,
        guarantee=version.guarantee,
        captured=version.generated_by.capture_level,
        run=version.generated_by_id,
        revision_of=version.revision_of_id,
        generated_at=version.generated_at,
        invalidated_at=version.invalidated_at,
        external_id=version.external_id,
        metrics=version.metrics,
    )


def read(source: Source) -> SourceOut:
    """Return what a run read as the API shows it."""
    return SourceOut(
        label=source.label,
        role=source.role,
        influence=source.influence,
        version=source.version.pk if source.version else None,
        snapshot=source.snapshot.pk if source.snapshot else None,
    )
