"""The closed shape of evidence, as a JSON Schema, and the sentence for what does not fit it.

``evidence.schema.json`` beside this module says what a file of the format ``expunge-evidence/1``
and the payload of each kind may hold. Members that came later are not required, so that evidence
which an earlier release kept still fits; a member that the schema does not know fits nowhere.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.core.canonical import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCHEMA = Path(__file__).with_name("evidence.schema.json")
KINDS = ("U_LIRA", "POPULATION", "CONSTRUCTION", "RELEASE", "CANARIES")
SHOWN = 60  # characters of a value in a sentence


class PayloadUnfit(ValueError):
    """What is to be kept is not of the shape that was published: a fault of the program."""


def check_payload(kind: str, payload: Mapping[str, Any]) -> None:
    """Refuse a payload that a reader of the published schema could not read.

    Raises:
        PayloadUnfit: the sentence names the place.
        ImportError: ``jsonschema`` is not installed.
    """
    if why := misfit(json.loads(write_json(dict(payload))), kind):
        raise PayloadUnfit(f"The payload of {kind} evidence does not fit its schema: {why}")


def misfit(value: object, kind: str = "") -> str:
    """Return why plain JSON does not fit the schema, as a sentence; empty if it does.

    Args:
        value: a payload, or a whole file.
        kind: of the payload; empty for a whole file.

    Raises:
        ImportError: ``jsonschema`` is not installed.
    """
    from jsonschema.exceptions import best_match  # noqa: PLC0415  (optional, and slow to import)

    found = best_match(_validator(kind).iter_errors(value))
    return "" if found is None else _sentence(found, "payload" if kind else "file")


@cache
def schema() -> dict[str, Any]:
    """Return the published schema."""
    read: dict[str, Any] = json.loads(SCHEMA.read_text())
    return read


@cache
def _validator(kind: str) -> Any:  # noqa: ANN401  (of a library without types)
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (optional, and slow to import)

    whole = schema()
    part = {"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]}
    return Draft202012Validator(part if kind else whole)


def _sentence(found: Any, root: str) -> str:  # noqa: ANN401  (of a library without types)
    steps = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in found.absolute_path)
    where = root + "".join(steps)
    if found.validator == "additionalProperties":
        known = ", ".join(found.schema.get("properties", found.schema.get("patternProperties")))
        unknown = next(_unknown(found.instance, found.schema))
        return f"{where} has the member {unknown!r}, which is not known; it may have {known}."
    if found.validator == "required":
        return f"{where} lacks {_lacking(found.instance, found.validator_value)}."
    if found.validator == "anyOf" and all("required" in one for one in found.validator_value):
        ways = [_lacking(found.instance, one["required"]) for one in found.validator_value]
        return f"{where} lacks {'; or '.join(ways)}."
    asked = f"{found.validator} {_short(found.validator_value)}"
    return f"{where} is {_short(found.instance)}; the schema asks for {asked}."


def _lacking(instance: Mapping[str, Any], required: Sequence[str]) -> str:
    return ", ".join(name for name in required if name not in instance)


def _unknown(instance: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterator[str]:
    patterns = rules.get("patternProperties", ())
    for name in instance:
        named = any(re.search(pattern, name) for pattern in patterns)
        if not named and name not in rules.get("properties", ()):
            yield name


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def table() -> str:
    """Return the members of a file and of each payload as tables, for the documentation."""
    whole = schema()
    parts = [
        ("A file", whole),
        *((f"`payload` of {kind}", whole["$defs"][kind]) for kind in KINDS),
    ]
    return "\n\n".join(_table(title, part) for title, part in parts)


def _table(title: str, part: Mapping[str, Any]) -> str:
    rows = [
        f"| `{name}` | {'yes' if name in part.get('required', ()) else 'no'} "
        f"| {rules['description']} |"
        for name, rules in part["properties"].items()
    ]
    return "\n".join([f"| {title} | required | |", "|---|---|---|", *rows])
