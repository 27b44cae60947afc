"""Problem details (RFC 9457): how this API says what is wrong."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from ninja import Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


class Problem(Schema):
    """``title`` names the kind of problem, ``detail`` is a sentence about this one."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, detail: str, **more: Any) -> HttpResponse:  # noqa: ANN401  (JSON)
    """Return a response of the type ``application/problem+json``."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")


def answer_with(
    status: int, kind: str = "about:blank"
) -> Callable[[HttpRequest, object], HttpResponse]:
    """Return a handler that turns an exception into a problem whose detail is its text.

    ``kind`` is its type: a URI where a client must tell it from others of the status.
    """

    def handler(request: HttpRequest, error: object) -> HttpResponse:
        return problem(status, str(error), type=kind)

    return handler
