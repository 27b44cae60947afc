"""Parsers of bodies and queries that the API takes, with what its schemas allow."""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ninja import Schema
from pydantic import ValidationError

from tests.fuzzing.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Mapping


BODIES = (
    *("lineage.api.capture", "lineage.api.training_views", "lineage.api.subjects"),
    *("lineage.api.pages", "audits.api.deployments", "audits.api.queries", "audits.api.cases"),
    *("audits.api.case_deciding", "audits.api.case_work", "audits.api.webhooks"),
)


def schemas() -> dict[str, type[Schema]]:
    """Return every body and query that the API takes, by the name of its class."""
    return {
        name: one
        for module in map(import_module, BODIES)
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Schema) and name.endswith("In")
    }


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    return tuple(_body(name, schema) for name, schema in schemas().items())


def _body(name: str, schema: type[Schema]) -> Parser:
    told = schema.model_json_schema()
    return Parser(
        name=f"API {name}",
        reads=schema.__module__.replace(".", "/") + ".py",
        call=lambda value: schema.model_validate_json(_sent(value)),
        refuses=(ValidationError,),
        seeds=(_example(told, told.get("$defs", {})),),
    )


FORMATS = {
    "date-time": "2026-03-04T12:00:00Z",
    "date": "2026-03-04",
    "uuid": "00000000-0000-0000-0000-00000000004d",
}


def _example(told: Mapping[str, Any], named: Mapping[str, Any]) -> Any:  # noqa: ANN401, PLR0911  (any JSON)
    """Return the first value that a JSON schema of ours takes."""
    if "$ref" in told:
        return _example(named[told["$ref"].rpartition("/")[2]], named)
    if "const" in told or "enum" in told:
        return told.get("const", told.get("enum", [None])[0])
    if "anyOf" in told:
        return _example(told["anyOf"][0], named)
    kind = told.get("type")
    if kind == "object":
        return {key: _example(one, named) for key, one in told.get("properties", {}).items()}
    if kind == "array":
        return [_example(told.get("items", {}), named)]
    if kind == "integer":
        return max(told.get("minimum", 0), 1)
    if kind == "string":
        return FORMATS.get(told.get("format", ""), _word(told))
    return {"number": 0.5, "boolean": True}.get(str(kind))


def _word(told: Mapping[str, Any]) -> str:
    words = ("ok", "a" * 64, "a" * 32, "a@example.org", "https://example.org/in", "", "OTHER")
    pattern = told.get("pattern", "")
    fits = (word for word in words if re.search(pattern, word))
    return next(fits, "ok").ljust(told.get("minLength", 0), "x")


def _sent(value: object) -> bytes:
    """Return the body as a client could send it, with what JSON in Python adds to JSON."""
    try:
        return json.dumps(value, allow_nan=True).encode()
    except RecursionError:  # which a client in another language does not have
        return b"[" * 5_000 + b"]" * 5_000
