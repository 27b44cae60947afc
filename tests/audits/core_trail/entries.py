"""Entries of the log, written by hand."""

from __future__ import annotations

from audits.core.canonical import write_json
from audits.core.events import EventRefused, parse

CASE = "1111111a-2222-4333-8444-555555555555"
AT = "2026-03-02T09:30:00.125Z"


def accepted(value):
    try:
        parse(write_json(value))
    except EventRefused:
        return False
    return True
