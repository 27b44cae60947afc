"""Events that are drawn: what gets into an entry, and what never does."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.canonical import write_json
from audits.core.event_types import SCHEMA
from audits.core.events import EventRefused, encode, parse
from audits.core.fields import LARGEST
from tests.audits.core_trail.entries import AT, CASE, accepted

quick = settings(max_examples=50, deadline=None)
VALID = {
    "uuid": st.uuids().map(str),
    "sha256": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "commitment": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "salted": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "code": st.text("ABZ09_", max_size=9).map("A".__add__),
    "slug": st.text("abz09_", min_size=1, max_size=9),
    "count": st.integers(0, LARGEST),
    "date": st.dates().map(date.isoformat),
    "FOUND or NOT_FOUND": st.sampled_from(["FOUND", "NOT_FOUND"]),
    "RELEASED or HELD": st.sampled_from(["RELEASED", "HELD"]),
    "UPHELD or OVERRULED": st.sampled_from(["UPHELD", "OVERRULED"]),
    "STAFF or GONE": st.sampled_from(["STAFF", "GONE"]),
    "GIVEN or TAKEN": st.sampled_from(["GIVEN", "TAKEN"]),
    "REGULATOR or PERSON or PUBLIC": st.sampled_from(["REGULATOR", "PERSON", "PUBLIC"]),
    "TOTP or WEBAUTHN or RECOVERY_CODES": st.sampled_from(["TOTP", "WEBAUTHN", "RECOVERY_CODES"]),
    "SECONDS or RUNS": st.sampled_from(["SECONDS", "RUNS"]),
    "FREE or DUE": st.sampled_from(["FREE", "DUE"]),
    "en or fr or de": st.sampled_from(["en", "fr", "de"]),
    "instant": st.just(AT),
    "list of code": st.lists(st.text("ABZ09_", max_size=9).map("A".__add__), max_size=3),
    "bool": st.booleans(),
}
# Written again on purpose, without the product's code: what text each kind lets through.
HEX_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ORACLE = {
    "uuid": HEX_UUID,
    "sha256": "[0-9a-f]{64}",
    "commitment": "[0-9a-f]{64}",
    "salted": "[0-9a-f]{64}",
    "code": "[A-Z][A-Z0-9_]{0,63}",
    "slug": "[a-z0-9_]{1,64}",
    "count": "(?!)",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "FOUND or NOT_FOUND": "FOUND|NOT_FOUND",
    "RELEASED or HELD": "RELEASED|HELD",
    "UPHELD or OVERRULED": "UPHELD|OVERRULED",
    "GIVEN or TAKEN": "GIVEN|TAKEN",
    "REGULATOR or PERSON or PUBLIC": "REGULATOR|PERSON|PUBLIC",
    "STAFF or GONE": "STAFF|GONE",
    "TOTP or WEBAUTHN or RECOVERY_CODES": "TOTP|WEBAUTHN|RECOVERY_CODES",
    "SECONDS or RUNS": "SECONDS|RUNS",
    "FREE or DUE": "FREE|DUE",
    "en or fr or de": "en|fr|de",
    "instant": "(?!)",
    "list of code": "(?!)",
    "bool": "(?!)",
}


def test_every_kind_of_field_is_drawn():
    kinds = {field.name for fields in SCHEMA.values() for field in fields.values()}
    assert kinds <= VALID.keys()
    assert VALID.keys() == ORACLE.keys()


@st.composite
def wire(draw):
    """The JSON of any valid event."""
    kind = draw(st.sampled_from(sorted(SCHEMA)))
    return {
        "v": 1,
        "type": kind,
        "case": CASE,
        "at": AT,
        "actor": draw(st.sampled_from(["system", "subject", f"staff:{CASE}"])),
        "data": {name: draw(VALID[field.name]) for name, field in SCHEMA[kind].items()},
    }


@quick
@given(wire())
def test_an_event_reads_back_from_its_entry(value):
    event = parse(write_json(value))
    assert encode(event) == write_json(value)
    assert parse(encode(event)) == event


@quick
@given(wire(), st.text())
def test_free_text_never_gets_into_an_entry(value, text):
    canary = f"{text} canary"  # the space makes it free text for every kind
    for name in value:
        assert not accepted(value | {name: canary})
    assert not accepted(value | {canary: "system"})
    assert not accepted(value | {"data": value["data"] | {canary: 1}})
    assert not accepted(value | {"actor": f"staff:{canary}"})
    for name in value["data"]:
        for shape in (canary, [canary], {canary: canary}, canary.upper(), f"A\n{canary}"):
            assert not accepted(value | {"data": value["data"] | {name: shape}})


personal = st.one_of(
    st.text(max_size=40),
    st.emails(),
    st.ip_addresses().map(str),
    st.sampled_from(["Anna Weiss", "anna weiss", "+49 30 1234567", "1980-02-30", "ÄRGER", "A\n"]),
    st.text("AZaz09_", min_size=1, max_size=70),
)


@quick
@given(wire(), personal)
def test_text_gets_into_a_field_only_where_its_kind_says_so(value, text):
    for name, kind in SCHEMA[value["type"]].items():
        changed = value | {"data": value["data"] | {name: text}}
        if accepted(changed):
            assert re.fullmatch(ORACLE[kind.name], text)
        elif re.fullmatch(ORACLE[kind.name], text):
            assert kind.name == "date"  # of the right form, but no such day


junk = st.recursive(
    st.none() | st.booleans() | st.floats(-LARGEST, LARGEST) | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@quick
@given(wire(), junk)
def test_a_value_of_another_type_is_refused(value, other):
    number = type(other) is int and other >= 0
    for name, kind in SCHEMA[value["type"]].items():
        changed = value | {"data": value["data"] | {name: other}}
        whole = isinstance(other, float) and other.is_integer() and other >= 0  # 1.0 is written 1
        fits = kind.name == "count" and (number or whole)
        fits = fits or (kind.name == "list of code" and other == [])
        assert accepted(changed) == fits
    for name in ("type", "at", "actor"):
        assert not accepted(value | {name: other})


@quick
@given(st.binary() | junk.map(json.dumps).map(str.encode))
def test_any_other_bytes_are_refused(data):
    with pytest.raises(EventRefused):
        parse(data)
