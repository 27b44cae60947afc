"""The OpenAPI 3.1 document of the API: what Ninja knows, and what holds for every call."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.core.software import VERSION
from lineage.api.auth import Scope
from lineage.api.conventions import BY_KEY, LONGEST_KEY, WITH_KEY, repeated
from lineage.api.problems import Problem
from lineage.services.api_keys import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ninja import NinjaAPI
    from ninja.operation import Operation

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
PROBLEM = "application/problem+json"
_CONVERTER = re.compile(r"\{\w+:")
SCHEME = "ApiKey"
# Why each status is answered; every operation names those that it can give.
WHY = {
    400: "The call cannot be read: its body is not JSON, or holds what nothing here can hold.",
    401: "There is no API key, or it is not known here, was revoked or has expired.",
    403: "The key lacks the scope, or whoever it acts for may not do this.",
    404: "There is no such thing here, or not for this key.",
    409: "It cannot be done as things stand; the sentence says why.",
    413: "The body is larger than this platform takes.",
    415: "The Content-Type is not one that this operation reads.",
    422: "A field, a parameter or a header has a value that is not allowed; it is named.",
    425: "The first call with this Idempotency-Key, or another part of this one, is under way.",
    429: "The key made too many calls; Retry-After says when to try again.",
    503: "It cannot be done at this moment; the same call may be made again.",
}
READS = (400, 401, 403, 404, 409, 422, 429, 503)
PUBLIC_READS = (400, 503)
DESCRIPTION = """\
Everything is JSON in UTF-8. Send an API key as `Authorization: Bearer <key>`; each operation names
the scope that it needs. What goes wrong is a problem (RFC 9457). Lists come in pages: follow
`next`. A GET has an `ETag`. A write that needs it takes an `Idempotency-Key`: the same key with
the same call gets the same answer. Addresses hold no names and no e-mail addresses of people."""


def document(api: NinjaAPI) -> dict[str, Any]:
    """Return the whole document, ready for JSON."""
    made: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
    made["info"] = {
        "title": "Expunge",
        "version": VERSION,
        "summary": "Data lineage and erasure from trained models",
        "description": DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    for path, method, operation in operations(api):
        _complete(made["paths"][path][method], operation)
    components = made["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["responses"] = {str(code): _problem(code) for code in WHY}
    components["headers"] = _rate_headers()
    components["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "Scopes: "
            + "; ".join(f"`{name}`: {words}" for name, words in SCOPES.items())
            + ".",
        }
    }
    made["tags"] = [{"name": name} for name in sorted(_tags(made))]
    return made


def written(api: NinjaAPI) -> str:
    """Return the document as docs/openapi.json holds it."""
    return json.dumps(document(api), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def operations(api: NinjaAPI) -> Iterator[tuple[str, str, Operation]]:
    """Yield every operation of the document with its path and its method in small letters."""
    for router in api._get_bound_routers():  # noqa: SLF001  (Ninja's own document asks it so)
        for path, view in router.path_operations.items():
            whole = "/".join(
                one.strip("/") for one in ("/api/v1", router.prefix, path) if one.strip("/")
            )
            for operation in view.operations:
                for method in operation.methods if operation.include_in_schema else ():
                    # As Ninja's document has it: {name}, and not {path:name}.
                    yield _CONVERTER.sub("{", f"/{whole}"), method.lower(), operation


def scopes_of(operation: Operation) -> tuple[str, ...]:
    """Return the scopes of which a key must have one; none for what everybody may ask."""
    found = [one for one in operation.auth_callbacks if isinstance(one, Scope)]
    return tuple(name for one in found for name in (one.scope, *one.others))


def _complete(told: dict[str, Any], operation: Operation) -> None:
    scopes = scopes_of(operation)
    told["security"] = [{SCHEME: [scope]} for scope in scopes]
    if scopes:
        words = " or ".join(f"`{scope}`" for scope in scopes)
        told["description"] = f"{told.get('description', '')}\n\nScope: {words}.".strip()
    write = "GET" not in operation.methods
    if repeated(operation) in {BY_KEY, WITH_KEY}:
        told.setdefault("parameters", []).append(_idempotency(operation))
    for code in _codes(operation, write=write):
        told["responses"].setdefault(str(code), {"$ref": f"#/components/responses/{code}"})
    for response in told["responses"].values():
        if "$ref" not in response and scopes:
            response["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in _rate_headers()
            }
    if not write and "200" in told["responses"]:
        told["responses"]["304"] = {"description": "It is as If-None-Match says."}
    told["parameters"] = sorted(told["parameters"], key=lambda one: (one["in"], one["name"]))


def _codes(operation: Operation, *, write: bool) -> tuple[int, ...]:
    if not scopes_of(operation):
        return PUBLIC_READS
    return tuple(WHY) if write else READS


def _idempotency(operation: Operation) -> dict[str, Any]:
    return {
        "in": "header",
        "name": "Idempotency-Key",
        "required": repeated(operation) == BY_KEY,
        "description": "Chosen by you for this call; the same call again gets the same answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    }


def _problem(code: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": f"{HTTPStatus(code).phrase}. {WHY[code]}",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        found["headers"] = {
            "Retry-After": {
                "required": True,
                "description": "Seconds until the key counts anew.",
                "schema": {"type": "integer"},
            }
        }
    return found


def _rate_headers() -> dict[str, Any]:
    words = {
        "RateLimit-Limit": "Calls that the key may make in a minute.",
        "RateLimit-Remaining": "How many of them are left.",
        "RateLimit-Reset": "Seconds until the key counts anew.",
    }
    return {
        name: {"description": said, "schema": {"type": "integer"}} for name, said in words.items()
    }


def _tags(made: dict[str, Any]) -> set[str]:
    every = (one for methods in made["paths"].values() for one in methods.values())
    return {tag for one in every for tag in one.get("tags", ())}
