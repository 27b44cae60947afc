from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.canonical import write_json
from audits.core.event_types import SCHEMA
from audits.core.events import Event, EventRefused, draft, encode, from_json, parse, table
from audits.core.fields import BOOL, CODE, COUNT, LARGEST, MILLI, list_of, record_of

quick = settings(max_examples=50, deadline=None)
CASE = "1111111a-2222-4333-8444-555555555555"
AT = "2026-03-02T09:30:00.125Z"

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
    "en or fr or de": "en|fr|de",
    "instant": "(?!)",
    "list of code": "(?!)",
    "bool": "(?!)",
}


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


def entry(**change: object):
    value = {
        "v": 1,
        "type": "request_verified",
        "case": CASE,
        "at": AT,
        "actor": "system",
        "data": {"method": "LINK"},
    }
    return value | change


def accepted(value):
    try:
        parse(write_json(value))
    except EventRefused:
        return False
    return True


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


@pytest.mark.parametrize(
    "spelled",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"LINK", b"\\u004cINK"),
        lambda data: data.replace(b'"v":1', b'"v":1.0'),
        lambda data: data.replace(b'"v":1', b'"v":1,"v":1'),
        lambda data: json.dumps(json.loads(data)).encode(),
    ],
)
def test_another_spelling_of_an_entry_is_refused(spelled):
    data = write_json(entry())
    parse(data)
    with pytest.raises(EventRefused):
        parse(spelled(data))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"type": "request_teleported"},
        {"case": CASE.upper()},
        {"case": CASE.replace("-", "")},
        {"case": f"{{{CASE}}}"},
        {"case": None},
        {"at": "2026-03-02T09:30:00Z"},
        {"at": "2026-03-02T09:30:00.125+00:00"},
        {"at": "2026-02-30T09:30:00.125Z"},
        {"at": "2026-03-02T24:30:00.125Z"},
        {"at": "٢٠٢٦-03-02T09:30:00.125Z"},
        {"actor": "root"},
        {"actor": "staff:"},
        {"actor": "system\n"},
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"method": "LINK", "note": "A"}},
        {"data": {"method": ""}},
        {"data": {"method": "A" * 65}},
    ],
)
def test_an_entry_outside_the_schema_is_refused(change):
    assert accepted(entry())
    assert not accepted(entry(**change))


def test_a_missing_or_unknown_field_of_the_event_is_refused():
    for name in entry():
        assert not accepted({key: value for key, value in entry().items() if key != name})
    assert not accepted(entry(note="A"))
    with pytest.raises(EventRefused):
        from_json([])


def test_an_event_of_the_system_needs_no_case():
    assert accepted(entry(type="version_withdrawn", data={"version": CASE}, case=None))


def test_a_refusal_does_not_repeat_the_value():
    with pytest.raises(EventRefused) as caught:
        from_json(entry(data={"method": "anna@example.org"}))
    assert "anna" not in str(caught.value)
    assert "data.method" in str(caught.value)


class Channel(str, Enum):  # noqa: UP042 - the older form, as some choices are declared
    FORM = "FORM"


def test_python_values_become_json_values():
    event = draft(
        "request_received",
        {
            "channel": Channel.FORM,
            "commitment": "ab" * 32,
            "received_on": date(2026, 3, 2),
            "due_on": date(2026, 4, 2),
            "rule": "CALENDAR_MONTH",
            "calendar": "DE",
        },
        at=datetime(2026, 3, 2, 11, 30, 0, 125999, tzinfo=timezone(timedelta(hours=2))),
        actor="subject",
        case=UUID(CASE),
    )
    assert json.loads(encode(event)) == {
        "v": 1,
        "type": "request_received",
        "case": CASE,
        "at": AT,
        "actor": "subject",
        "data": {
            "channel": "FORM",
            "commitment": "ab" * 32,
            "received_on": "2026-03-02",
            "due_on": "2026-04-02",
            "rule": "CALENDAR_MONTH",
            "calendar": "DE",
        },
    }


def test_a_moment_without_a_time_zone_is_refused():
    naive = datetime(2026, 3, 2, 9, 30, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(EventRefused, match="time zone"):
        draft("case_erased", {}, at=naive, actor="system", case=UUID(CASE))


def test_an_event_cannot_be_changed_after_its_check():
    data = {"method": "LINK"}
    event = Event(type="request_verified", at=AT, actor="system", case=CASE, data=data)
    data["method"] = "anna@example.org"
    assert event.data["method"] == "LINK"
    with pytest.raises(TypeError):
        event.data["method"] = "OTHER"  # type: ignore[index]  # the point of the test


def test_the_kinds_for_statistics_lists_and_records_hold_their_rules():
    pair = list_of(record_of({"look": COUNT, "bound": MILLI}))
    assert pair.accepts([{"look": 16, "bound": -5}, {"look": 32, "bound": 0}])
    assert not pair.accepts([{"look": 16}])
    assert not pair.accepts([{"look": 16, "bound": -5, "note": 1}])
    assert not pair.accepts({"look": 16, "bound": -5})
    assert not pair.accepts([[16, -5]])
    assert not list_of(CODE).accepts(("A",))
    assert MILLI.accepts(-LARGEST)
    assert not MILLI.accepts(-LARGEST - 1)
    assert not COUNT.accepts(LARGEST + 1)
    assert not COUNT.accepts(True)
    assert BOOL.accepts(False)
    assert not BOOL.accepts(0)


def test_the_table_names_every_type_and_field():
    rows = table().splitlines()
    for name, declared in SCHEMA.items():
        (row,) = [line for line in rows if line.startswith(f"| `{name}` ")]
        assert re.findall("`([a-z_]+)`", row)[1:] == list(declared)
