"""The HTTP API under ``/api/v1/``: routers of the apps, one manner of saying what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, HttpResponseNotAllowed
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from audits.api import (
    case_deciding,
    case_work,
    cases,
    deployments,
    evidence,
    log,
    reports,
    serving,
    webhooks,
)
from config.openapi import document
from lineage.api import (
    affected,
    capture,
    health,
    openlineage,
    records,
    runs,
    snapshots,
    subjects,
    training_views,
    versions,
)
from lineage.api.conventions import CallUnclear, agreed
from lineage.api.pages import CursorUnreadable
from lineage.api.problems import answer_with, problem
from lineage.api.rates import RateExceeded
from lineage.queries.listings import NotHere, RecordUnreadable
from lineage.services.api_keys import KeyNotKnown, KeyRefused
from lineage.services.kept_answers import CallReused, CallUnderWay

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from django.http import HttpRequest

PREFIX = "/api/v1/"


class Api(NinjaAPI):
    """Ninja's, with the whole document: also for its page of documentation."""

    def get_openapi_schema(self, **asked: Any) -> Any:  # noqa: ANN401  (Ninja's own dictionary)
        """Return Ninja's document where it is asked for with a prefix, else the whole one."""
        return super().get_openapi_schema(**asked) if "path_prefix" in asked else document(self)


api = Api(title="Expunge", version="1", urls_namespace="api")
ERRORS: dict[type[Exception], int] = {
    KeyNotKnown: 401,
    KeyRefused: 403,
    NotHere: 404,
    RequestDataTooBig: 413,
    CallReused: 409,
    CursorUnreadable: 422,
    RecordUnreadable: 422,
    CallUnclear: 422,
    CallUnderWay: 425,
    RateExceeded: 429,
}
for _part in (
    capture,
    cases,
    case_work,
    case_deciding,
    log,
    openlineage,
    serving,
    deployments,
    evidence,
    reports,
    webhooks,
):
    ERRORS |= _part.ERRORS
ERRORS |= health.ERRORS


def _unauthorised(request: HttpRequest, error: object) -> HttpResponse:  # noqa: ARG001
    return _challenge(problem(401, "Send an API key: Authorization: Bearer <key>."))


def _key_not_known(request: HttpRequest, error: object) -> HttpResponse:  # noqa: ARG001
    return _challenge(problem(401, str(error)))


def _challenge(response: HttpResponse) -> HttpResponse:
    response["WWW-Authenticate"] = "Bearer"
    return response


def _http_error(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:  # noqa: ARG001
    status = error.status_code if isinstance(error, HttpError) else 500
    return problem(status, str(error))


def _invalid(
    request: HttpRequest,  # noqa: ARG001
    error: ValidationError | type[ValidationError],
) -> HttpResponse:
    # Places and rules only: a value that is refused may be somebody's name.
    found = error.errors if isinstance(error, ValidationError) else []
    errors = [
        {"field": ".".join(str(part) for part in one["loc"]), "rule": one["msg"]} for one in found
    ]
    listed = "; ".join(f"{one['field']}: {one['rule']}" for one in errors)
    return problem(422, f"The request is not valid: {listed}.", errors=errors)


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:  # noqa: ARG001
    """Answer for every other address below the API."""
    return problem(404, "There is no such address in this API.")


def _told(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say as a problem that a method is not one of an address, which Ninja says in plain text."""

    def answer(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:  # noqa: ANN401
        response = view(request, *given, **named)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = response["Allow"]
        told = problem(405, f"{request.method} is none of the methods here: {allowed}.")
        told["Allow"] = allowed
        return told

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # as Ninja's own: keys, not cookies
    return answer


api.add_decorator(agreed, mode="view")
for _error, _status in ERRORS.items():
    api.add_exception_handler(
        _error, answer_with(_status, capture.TYPES.get(_error, "about:blank"))
    )
api.add_exception_handler(AuthenticationError, _unauthorised)
api.add_exception_handler(KeyNotKnown, _key_not_known)
api.add_exception_handler(HttpError, _http_error)
api.add_exception_handler(ValidationError, _invalid)
api.add_router("/health", health.router)
api.add_router("/capture", capture.router)
api.add_router("/capture", training_views.router)
api.add_router("/subjects", subjects.router)
api.add_router("/records", records.router)
api.add_router("/snapshots", snapshots.router)
api.add_router("/runs", runs.router)
api.add_router("/versions", versions.router)
api.add_router("/lineage", affected.router)
api.add_router("/cases", cases.router)
api.add_router("/cases", case_work.router)
api.add_router("/cases", case_deciding.router)
api.add_router("/cases", evidence.router)
api.add_router("/cases", reports.router)
api.add_router("/log", log.router)
api.add_router("/serving", serving.router)
api.add_router("/deployments", deployments.router)
api.add_router("/webhooks", webhooks.router)
api.add_router("", openlineage.router)
# A router is bound to its API once, and its addresses are read here.
urls = api.urls
for _address in urls[0]:
    _address.callback = _told(_address.callback)  # type: ignore[arg-type]  # any view
