from __future__ import annotations

import json
import subprocess
import sys
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from audits.core import evidence_file, evidence_schema
from audits.core.canonical import sha256, write_json
from audits.core.estimates import InstanceTest, Level, Utility
from audits.core.evidence_schema import PayloadUnfit, check_payload, schema
from audits.core.kept import Kept, KeptContrast
from audits.core.recheck import EvidenceRefused, recheck
from audits.core.verdict import Outcome
from audits.models import Evidence
from tests.audits.core_evidence.test_recheck import written

DOCUMENT = Path(__file__).parents[3] / "docs" / "evidence-format.md"
DEFINED = schema()["$defs"]


def parts(node):
    """Every schema inside a schema."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(one)


def test_it_is_a_schema_and_closed_everywhere():
    Draft202012Validator.check_schema(schema())
    shapes = [one for one in parts(schema()) if one.get("type") == "object"]
    # Only the payload is left open at its place: its kind names the closed schema of it.
    assert [one for one in shapes if one.get("additionalProperties") is not False] == [
        schema()["properties"]["payload"]
    ]
    named = [one["then"]["properties"]["payload"]["$ref"] for one in schema()["allOf"]]
    assert named == [f"#/$defs/{kind}" for kind in evidence_schema.KINDS]


def test_it_knows_what_the_code_knows():
    assert set(schema()["required"]) == evidence_file.MEMBERS
    assert set(evidence_schema.KINDS) == set(Evidence.Kind.values)
    assert set(DEFINED["outcome"]["enum"]) == set(Outcome)
    assert set(DEFINED["level"]["enum"]) == set(Level)
    for name, kind in (
        ("kept", Kept),
        ("kept_contrast", KeptContrast),
        ("utility", Utility),
        ("instance", InstanceTest),
    ):
        assert set(DEFINED[name]["properties"]) == set(kind.__dataclass_fields__)


def test_the_document_holds_the_tables_of_the_schema():
    _, rest = DOCUMENT.read_text().split("<!-- members:begin -->\n")
    assert rest.split("<!-- members:end -->")[0] == evidence_schema.table() + "\n"


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        ("U_LIRA", {"not_computed": "", "score": 1}, "payload has the member 'score'"),
        ("U_LIRA", {}, "payload lacks kept; or not_computed"),
        ("U_LIRA", {"not_computed": "", "alpha": "small"}, r"payload\.alpha is \"small\""),
        ("U_LIRA", {"not_computed": "", "figures": {"faces": ""}}, r"payload\.figures has"),
        ("U_LIRA", {"not_computed": "", "attacks": {"../x": {}}}, r"payload\.attacks has"),
        ("POPULATION", {"not_computed": ""}, "payload lacks original, unlearned"),
        (
            "CONSTRUCTION",
            {"checks": {"who": "Ada"}, "reasons": []},
            r"\.checks has the member 'who'",
        ),
        ("RELEASE", {"allowed": True}, "payload lacks records, margin"),
    ],
)
def test_what_does_not_fit_is_refused_naming_the_place(kind, payload, sentence):
    with pytest.raises(PayloadUnfit, match=sentence):
        check_payload(kind, payload)


def places(value, at=()):
    """Every place in a JSON value."""
    yield at
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*at, name))


FILE = json.loads(written())
PLACES = list(places(FILE))
OBJECTS = [at for at in PLACES if isinstance(reduce(getitem, at, FILE), dict)]
LEAVES = [at for at in PLACES if at and at[0] in {"payload", "policy"}]


def changed(at, change):
    """The file with another value at a place, and the digest that goes with it."""
    values = json.loads(json.dumps(FILE))
    inside = {"": values}
    place = inside
    for step in ("", *at)[:-1]:
        place = place[step]
    last = ("", *at)[-1]
    place[last] = change(place[last])
    values = inside[""]
    values["digest"] = sha256(write_json(values["payload"]))
    return write_json(values)


@given(st.sampled_from(OBJECTS), st.from_regex(r"[a-z]{9}", fullmatch=True))
def test_an_unknown_member_is_refused_naming_it(at, name):
    with pytest.raises(EvidenceRefused, match=rf"{name}|exactly digest"):
        recheck(changed(at, lambda held: {**held, name: 1}))


@given(st.sampled_from(LEAVES), st.sampled_from([{"a": 1}, "text", True, [[]], None]))
def test_a_member_of_another_kind_is_refused(at, value):
    def other(held):
        return {"b": 2} if held == value else value

    try:
        recheck(changed(at, other))
    except EvidenceRefused:
        return
    optional = value is None and at[-1] in {"equivalence", "utility", "instance", "record_shift"}
    assert optional or value is True, f"{at} may be {value}"


@given(st.sampled_from([at for at in PLACES if at]))
def test_a_change_without_its_digest_is_refused_or_gives_another_verdict(at):
    values = json.loads(json.dumps(FILE))
    place = values
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = "PASS_LEAK"
    try:
        found = recheck(write_json(values))
    except EvidenceRefused:
        return
    assert at[0] == "reasons" or not found.agrees


def test_a_process_that_checks_nothing_does_not_load_the_library():
    program = (
        "import sys; import audits.core.evidence_schema, audits.core.recheck;"
        "sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
