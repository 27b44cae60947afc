"""The HTTP API operation by operation, drawn from docs/openapi.json while the site is built."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Schema = dict[str, Any]
HEAD = """# HTTP operations

Drawn from the [OpenAPI document](openapi.json). What holds for all of them, such as keys, scopes,
problems and lists, is in [The HTTP API](api.md).
"""


def page_text(document: Path) -> str:
    """Return the page: every operation, then every shape that they take and give."""
    api = json.loads(document.read_text())
    shapes = (shape(name, one) for name, one in sorted(api["components"]["schemas"].items()))
    return "\n".join([HEAD, *operations(api["paths"]), "## Shapes\n", *shapes])


def operations(paths: Mapping[str, Schema]) -> Iterator[str]:
    """Yield the headings of the areas, each followed by its operations."""
    found = [
        (operation["tags"][0], path, verb, operation)
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
    ]
    area = None
    for tag, path, verb, operation in sorted(found, key=lambda one: one[:3]):
        if tag != area:
            area = tag
            yield f"## {tag}\n"
        yield f"### `{verb.upper()} {path}`\n\n{operation['description']}\n"
        yield from taken(operation)
        yield from given(operation)


def taken(operation: Schema) -> Iterator[str]:
    """Yield the parameters and the body of a call."""
    parameters = operation.get("parameters", [])
    if parameters:
        rows = (row(one["name"], one["schema"], said(one), one["in"]) for one in parameters)
        yield table("parameter | type | what | in", rows)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body (`{kind}`): {kind_of(body['schema'])}\n"


def given(operation: Schema) -> Iterator[str]:
    """Yield what answers a call that went well."""
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        kinds = answer.get("content", {"no body": {}}).items()
        told = ", ".join(f"{kind_of(body.get('schema', {}))} (`{kind}`)" for kind, body in kinds)
        yield f"Answer {status}: {told}\n"


def shape(name: str, schema: Schema) -> str:
    """Return one shape with its fields."""
    needed = schema.get("required", [])
    rows = (
        row(field, one, said(one), "yes" if field in needed else "")
        for field, one in schema.get("properties", {}).items()
    )
    fields = table("field | type | what | always", rows)
    return f"### {name}\n\n{schema.get('description', '')}\n\n{fields}"


def table(heads: str, rows: Iterator[str]) -> str:
    """Return a table in Markdown."""
    return "\n".join([f"| {heads} |", "|---" * (heads.count("|") + 1) + "|", *rows, ""])


def row(name: str, schema: Schema, what: str, last: str) -> str:
    """Return one row of a table."""
    return f"| `{name}` | {kind_of(schema)} | {what} | {last} |"


def said(one: Schema) -> str:
    """Return what is said of a field, on one line, with its default."""
    words = " ".join(one.get("description", "").split()).replace("|", "\\|")
    default = one.get("default", one.get("schema", {}).get("default"))
    return words if default in (None, "", [], {}) else f"{words} Default: `{default}`.".strip()


def kind_of(schema: Schema) -> str:
    """Return what a schema allows, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(kind_of, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    words = [str(schema.get("type", "anything")), str(schema.get("format", ""))]
    return " ".join(filter(None, words))
