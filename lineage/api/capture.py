"""Trainings outside report here: begin, heartbeat, finish, fail. Every call may be repeated."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import safetensors
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator, AwareDatetime, ValidationError

from expunge.wire import NOT_YOUR_RUN
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import HARMLESS, writes
from lineage.api.finite import NotFinite, check_finite
from lineage.api.sizes import TooLarge, check_size
from lineage.core.bitmaps import BitmapUnreadable
from lineage.core.first_steps import StepsUnreadable
from lineage.core.nul import holds_nul
from lineage.models import DatasetSnapshot, ModelVersion, Role, Run
from lineage.queries.capture_reports import NotYourRun, RunNotReported, Told, check_owner, told
from lineage.queries.training_view import RecordNotServed
from lineage.services import capture_reports
from lineage.services.run_plans import Input, RunPlan
from lineage.services.runs import SourceNotUsable
from lineage.services.snapshots import OrdinalsUnknown

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("capture"), tags=["capture"])
_FIRST_YEAR = 1970


class InputMissing(LookupError):
    """A snapshot or a version that the run should read is not here."""


class ReportUnreadable(ValueError):
    """A part of the report is missing, or is not what it should be."""


ERRORS: dict[type[Exception], int] = {
    NotYourRun: 403,
    InputMissing: 404,
    RunNotReported: 404,
    capture_reports.NotThisRun: 409,
    SourceNotUsable: 409,
    RecordNotServed: 409,
    TooLarge: 413,
    NotFinite: 422,
    ReportUnreadable: 422,
    BitmapUnreadable: 422,
    StepsUnreadable: 422,
    OrdinalsUnknown: 422,
    capture_reports.RanksMissing: 425,
}


TYPES: dict[type[Exception], str] = {NotYourRun: NOT_YOUR_RUN}


def _one_line(name: str) -> str:
    if not name.isprintable():
        raise ValueError("control characters are not allowed")
    return name


class RankIn(Schema):
    """Which process of the training speaks."""

    rank: Annotated[int, Field(ge=0)] = 0


class BeginIn(RankIn):
    """What is known when a training begins; ``at`` by the script's own clock."""

    at: AwareDatetime
    snapshot: UUID
    ranks: Annotated[int, Field(ge=1)] = 1
    activity: Literal["TRAIN", "FINE_TUNE", "DISTILL", "FIT"] = "TRAIN"
    level: Literal["SAMPLER", "CONSUMED"] = "SAMPLER"
    base: list[UUID] = []
    procedure: Annotated[str, Field(max_length=200)] = ""
    recipe: Annotated[str, Field(max_length=200)] = ""
    recipe_parameters: dict[str, Any] = {}
    recipe_digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    sampler: dict[str, Any] = {}
    environment: dict[str, Any] = {}


class FailIn(RankIn):
    """Why a training ended without a model: a code, never a text."""

    reason: Annotated[str, Field(pattern=r"^\w{1,80}$")]


class FinishIn(RankIn):
    """What a training says when it ends, beside its files; digests are SHA-256."""

    used_sha256: str
    weights_sha256: str = ""
    model_name: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = ""
    metrics: dict[str, Any] = {}
    sampler: dict[str, Any] = {}
    release: bool = True
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class ToldOut(Schema):
    """What became of the run."""

    run: UUID
    state: str
    ranks: int
    restricted: int
    version: UUID | None
    version_state: str
    born_affected: bool


@router.get("/runs/{run_id}", response=ToldOut, operation_id="show_reported_run")
def show(request: HttpRequest, run_id: UUID) -> Told:
    """Say what became of a run."""
    check_owner(run_id, owner=_owner(request))
    return told(run_id, rank=0)


def _owner(request: HttpRequest) -> str:
    return key_of(request).name


@router.post(
    "/runs/{run_id}/begin",
    response=ToldOut,
    operation_id="begin_run",
    openapi_extra=writes(HARMLESS),
)
def begin(request: HttpRequest, run_id: UUID, body: BeginIn) -> Told:
    """Open a run."""
    check_finite(
        environment=body.environment,
        sampler=body.sampler,
        recipe_parameters=body.recipe_parameters,
    )
    if body.at.year < _FIRST_YEAR:
        raise ReportUnreadable(f"at is in the year {body.at.year}; allowed is {_FIRST_YEAR} on.")
    if body.recipe and not body.recipe_digest:
        raise ReportUnreadable(
            f"recipe is {body.recipe!r}, but recipe_digest is empty; it must be the SHA-256 that "
            "the recipe's digest() gave where it was trained."
        )
    return capture_reports.begin_reported(
        plan=_plan(run_id, body),
        owner=_owner(request),
        rank=body.rank,
        ranks=body.ranks,
        at=body.at,
        now=timezone.now(),
    )


def _plan(run_id: UUID, body: BeginIn) -> RunPlan:
    snapshot = DatasetSnapshot.objects.filter(id=body.snapshot).first()
    bases = ModelVersion.objects.in_bulk(body.base)
    missing = [str(pk) for pk in body.base if pk not in bases]
    if snapshot is None or missing:
        raise InputMissing(f"Not here: {', '.join(missing) or f'the snapshot {body.snapshot}'}.")
    roles = {Run.Activity.DISTILL: Role.TEACHER}
    role = roles.get(Run.Activity(body.activity), Role.BASE_MODEL)
    models = tuple(Input(source=base, role=role) for base in bases.values())
    return RunPlan(
        run_id=run_id,
        activity=body.activity,
        inputs=(Input(source=snapshot), *models),
        capture_level=body.level,
        procedure=body.procedure,
        recipe=body.recipe,
        recipe_parameters=body.recipe_parameters,
        recipe_digest=body.recipe_digest,
        seed=body.seed,
        sampler=body.sampler,
        environment=body.environment,
    )


@router.post(
    "/runs/{run_id}/heartbeat",
    response=ToldOut,
    operation_id="heartbeat_run",
    openapi_extra=writes(HARMLESS),
)
def heartbeat(request: HttpRequest, run_id: UUID, body: RankIn) -> Told:
    """Say that the training goes on, and learn whether its records still may be used."""
    return capture_reports.hear(
        run_id=run_id, owner=_owner(request), rank=body.rank, now=timezone.now()
    )


@router.post(
    "/runs/{run_id}/fail",
    response=ToldOut,
    operation_id="fail_run",
    openapi_extra=writes(HARMLESS),
)
def fail(request: HttpRequest, run_id: UUID, body: FailIn) -> Told:
    """Say that the training ended without a model."""
    return capture_reports.fail_reported(
        run_id=run_id,
        owner=_owner(request),
        rank=body.rank,
        reason=body.reason,
        now=timezone.now(),
    )


_PART = {"type": "string", "format": "binary"}
PARTS = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["message", "used"],
                "properties": dict.fromkeys(("message", "used", "weights", "first_steps"), _PART),
            }
        }
    },
}


@router.post(
    "/runs/{run_id}/finish",
    response=ToldOut,
    operation_id="finish_run",
    openapi_extra=writes(HARMLESS, requestBody=PARTS),
)
def finish(request: HttpRequest, run_id: UUID) -> Told:
    """Say what was used and hand in the model.

    Multipart, each part a file: ``message`` (JSON, ``FinishIn``), ``used`` (portable Roaring),
    and where there are any ``weights`` (safetensors) and ``first_steps``.
    """
    # The body is read here and not by a declared parameter, so that its length comes first.
    check_size(request, "EXPUNGE_CAPTURE_MAX_MB", "report")
    message = _message(_part(request, "message"))
    check_finite(metrics=message.metrics, sampler=message.sampler)
    ending = capture_reports.Ending(
        rank=message.rank,
        used=_checked("used", _part(request, "used"), message.used_sha256),
        first_steps=_part(request, "first_steps", needed=False),
        sampler=message.sampler,
        model_name=message.model_name,
        weights=_weights(_part(request, "weights", needed=False), message.weights_sha256),
        metrics=message.metrics,
        release=message.release,
        seconds=message.seconds,
    )
    return capture_reports.finish_reported(
        run_id=run_id, owner=_owner(request), ending=ending, now=timezone.now()
    )


def _part(request: HttpRequest, name: str, *, needed: bool = True) -> bytes:
    file = request.FILES.get(name)
    if file is None and needed:
        raise ReportUnreadable(f"The multipart body has no file {name}.")
    return b"" if file is None else file.read()


def _message(raw: bytes) -> FinishIn:
    if holds_nul(raw):
        raise ReportUnreadable("The part message holds the character U+0000.")
    try:
        return FinishIn.model_validate_json(raw)
    except ValidationError as error:
        # Places only: a value that is refused may say something of a person.
        places = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        raise ReportUnreadable(
            f"The part message is not valid in: {', '.join(places) or 'JSON'}."
        ) from None


def _checked(name: str, data: bytes, sha256: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ReportUnreadable(f"The file {name} does not have the SHA-256 that was announced.")
    return data


def _weights(data: bytes, sha256: str) -> bytes:
    if not data:
        return b""
    try:
        safetensors.deserialize(_checked("weights", data, sha256))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise ReportUnreadable("The file weights is not a safetensors file.") from error
    return data
