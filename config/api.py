"""The HTTP API under ``/api/v1/``: routers of the apps, one manner of saying what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from audits.api import cases, deployments, log, serving
from lineage.api import capture, openlineage, training_views
from lineage.api.problems import answer_with, problem
from lineage.services.api_keys import KeyRefused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

api = NinjaAPI(title="Expunge", version="1", urls_namespace="api", docs_url=None)


def _unauthorised(request: HttpRequest, error: object) -> HttpResponse:  # noqa: ARG001
    return problem(401, "Send an API key: Authorization: Bearer <key>.")


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


api.add_exception_handler(AuthenticationError, _unauthorised)
api.add_exception_handler(HttpError, _http_error)
api.add_exception_handler(ValidationError, _invalid)
api.add_exception_handler(KeyRefused, answer_with(403))
for _error, _status in {
    **capture.ERRORS,
    **cases.ERRORS,
    **log.ERRORS,
    **openlineage.ERRORS,
    **serving.ERRORS,
    **deployments.ERRORS,
}.items():
    api.add_exception_handler(
        _error, answer_with(_status, capture.TYPES.get(_error, "about:blank"))
    )
api.add_router("/capture", capture.router)
api.add_router("/capture", training_views.router)
api.add_router("/cases", cases.router)
api.add_router("/log", log.router)
api.add_router("/serving", serving.router)
api.add_router("/deployments", deployments.router)
api.add_router("", openlineage.router)
