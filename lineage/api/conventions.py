"""What every call of the API has in common: media types, ETags, rates, calls made twice."""

from __future__ import annotations

import logging
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response

from lineage.api.auth import key_of
from lineage.api.problems import problem
from lineage.api.rates import tell_rate
from lineage.core.nul import holds_nul
from lineage.services.kept_answers import Call, begin_call, forget_call, keep_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from ninja.operation import Operation

    from lineage.models import KeptAnswer

    Answer = Callable[..., HttpResponse]

JSON, BYTES = "application/json", "application/octet-stream"
# How a write says in ``openapi_extra`` that it may be made again: see docs/api.md.
REPEATED = "x-repeated"
BY_KEY, WITH_KEY = "idempotency-key", "idempotency-key-optional"
FOR_EVER, HARMLESS = "idempotency-key-for-ever", "harmless"
LONGEST_KEY = 200
_OF_THE_KEY = {401, 403, 429}  # answers to the key and not to the call


# A call by the name of its operation: an address may hold what is somebody's.
logger = logging.getLogger("expunge.api")


class CallUnclear(ValueError):
    """A part of the call that every call has is missing or cannot be used."""


def writes(how: str, **extra: Any) -> dict[str, Any]:  # noqa: ANN401  (OpenAPI)
    """Return what a write says of itself: how it may be made again, and more for the document."""
    return {REPEATED: how, **extra}


def agreed(run: Answer) -> Answer:
    """Wrap an operation of the API, from before its key is checked to its finished answer."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]  # a bound method

    @wraps(run)
    def answer(request: HttpRequest, **given: Any) -> HttpResponse:  # noqa: ANN401  (path values)
        # The key first: what is wrong with a call is no business of who may not make it.
        response = operation._run_checks(request)  # noqa: SLF001  (asked once: see ``Scope``)
        if response is None:
            try:
                response = _answered(operation, request, run, given)
            except Exception as error:  # noqa: BLE001  (Ninja's manner: handled, or raised again)
                response = operation.api.on_exception(request, error)
        tell_rate(request, response)
        _noted(operation, request, response)
        return _tagged(request, response)

    return answer


def repeated(operation: Operation) -> str:
    """Return how a write may be made again, one of the words above; "" for what only reads."""
    return str((operation.openapi_extra or {}).get(REPEATED, ""))


def media_types(operation: Operation) -> set[str]:
    """Return what an operation takes as its body."""
    declared = (operation.openapi_extra or {}).get("requestBody", {}).get("content", {})
    takes_json = any(model.__ninja_param_source__ == "body" for model in operation.models)
    return set(declared) or ({JSON} if takes_json else set())


def _answered(
    operation: Operation, request: HttpRequest, run: Answer, given: dict[str, Any]
) -> HttpResponse:
    taken = media_types(operation)
    sent = int(request.headers.get("Content-Length") or 0)
    if sent and taken and request.content_type not in taken:
        return problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The Content-Type is {request.content_type or 'missing'}; send "
            f"{' or '.join(sorted(taken))}.",
        )
    if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        raise CallUnclear("The address holds the character U+0000, which nothing here can have.")
    if any(model.__ninja_param_source__ == "body" for model in operation.models) and (
        holds_nul(request.body)
    ):
        raise CallUnclear("The body holds the character U+0000, which nothing here can have.")
    how, key = repeated(operation), request.headers.get("Idempotency-Key", "")
    if how == BY_KEY and not 0 < len(key) <= LONGEST_KEY:
        raise CallUnclear(
            f"Idempotency-Key has {len(key)} characters; allowed are 1 to {LONGEST_KEY}. Choose "
            "a new one for each new call, and send it again with the same call."
        )
    if how in {BY_KEY, WITH_KEY} and key:
        return _once(request, key, lambda: run(request, **given))
    return run(request, **given)


def _once(request: HttpRequest, key: str, carry_out: Callable[[], HttpResponse]) -> HttpResponse:
    content = b"\0".join((f"{request.method} {request.path}".encode(), request.body))
    call = Call(owner=str(key_of(request).pk), idempotency=key, content=content)
    kept = begin_call(call=call, now=timezone.now())
    if kept is not None:
        return _again(kept)
    try:
        response = carry_out()
    except BaseException:
        forget_call(call=call)
        raise
    if (
        response.status_code in _OF_THE_KEY
        or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        forget_call(call=call)
    else:
        keep_answer(
            call=call,
            status=response.status_code,
            media_type=response["Content-Type"],
            body=response.content,
        )
    return response


def _again(kept: KeptAnswer) -> HttpResponse:
    response = HttpResponse(
        bytes(kept.body), status=kept.status or 200, content_type=kept.media_type
    )
    response["Idempotent-Replayed"] = "true"
    return response


def _noted(operation: Operation, request: HttpRequest, response: HttpResponse) -> None:
    """Write which key made a call that is no reading; events of the audit log have no place."""
    key = vars(request).get("auth")
    if key is not None and request.method != "GET":
        logger.info(
            "key=%s operation=%s status=%d",
            key.prefix,
            operation.operation_id,
            response.status_code,
        )


def _tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Name the state of what was read, and say only that it is the same where it is."""
    read = request.method == "GET" and response.status_code == HTTPStatus.OK
    if not read or response.streaming or response["Content-Type"] == BYTES:
        return response
    etag = f'"{sha256(response.content).hexdigest()[:32]}"'
    response["ETag"], response["Cache-Control"] = etag, "private, no-cache"
    return cast("HttpResponse", get_conditional_response(request, etag=etag, response=response))
