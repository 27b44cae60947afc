"""What evidence of the kind CANARIES says, as names and values for a page or the report.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "not known"


def canary_words(payload: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return how many there were, and what each attack saw before and after."""
    kept, found = _object(payload.get("kept")), _object(payload.get("findings"))
    included = kept.get("included")
    erased = included if isinstance(included, list) else []
    rows = [
        ("Drawn when the version was trained", _number(payload.get("planted"))),
        ("Erased with the records", f"{sum(map(bool, erased))} of {len(erased)} drawn for it"),
    ]
    for name in sorted(found):
        one = _object(found[name])
        rows.append(
            (
                str(one.get("title", name)),
                f"{_number(one.get('canaries'))} canaries; p = {_number(one.get('control'))} "
                f"before, p = {_number(one.get('p_value'))} in the deployed model",
            )
        )
    missing = _object(payload.get("not_made"))
    return (*rows, *((title, f"could not be made: {missing[title]}") for title in sorted(missing)))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.3g}" if known else UNKNOWN
