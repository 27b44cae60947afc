from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from uuid import UUID

import pytest

from audits.core.canonical import write_json
from audits.core.event_types import SCHEMA
from audits.core.events import Event, EventRefused, draft, encode, from_json, parse, table
from audits.core.fields import BOOL, CODE, COUNT, LARGEST, MILLI, list_of, record_of
from tests.audits.core_trail.entries import AT, CASE, accepted


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
