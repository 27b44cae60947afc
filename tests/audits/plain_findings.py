"""Findings of a small case as a sealed record has them, without a database."""

from __future__ import annotations

from typing import Any

REQUEST = {
    "reference": "ER-2345-6789",
    "channel": "POST",
    "received_at": "2026-03-02T23:30:00.000Z",
    "verified_at": "2026-03-03T09:00:00.000Z",
    "due_on": "2026-04-03",
    "ground": "ART_17_1_B",
    "refusal_code": "",
    "outcome": "ERASED",
}
SEALED = {"type": "case_sealed", "at": "2026-04-03T21:30:00.000Z"}


def findings(**changed: object) -> dict[str, Any]:
    """The findings of a case in which records were deleted, as a record has them."""
    found: dict[str, Any] = {
        "request": REQUEST,
        "plan": {},
        "runs": [],
        "evidence": [],
        "limits": ["There is one."],
        "erasure": {"records": [{"records": 7, "remaining": 0}], "subject_keys_destroyed": 0},
        "answers": {"exceptions": {"none": "NOTHING_EXCEPTED"}},
        "events": [SEALED],
    }
    return found | changed


def run(name: str = "bare v1", **changed: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "run": f"run of {name}",
        "version": name,
        "version_name": name,
        "method": "retrain",
        "guarantee": "EXACT",
        "status": "CLEARED",
        "verdict": "ERASED_BY_CONSTRUCTION",
        "report": {},
        "error_code": "",
    }
    return made | changed
