"""JSON values as the texts of table cells.

What is missing is shown as not computed, never as zero, and never breaks a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_COMPUTED = "not computed"


def mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401  (any JSON value)
    """Return a JSON object; anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a text, or that there is none."""
    return NOT_COMPUTED if value in (None, "") else str(value)


def listed(values: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a list in one line."""
    return ", ".join(str(value) for value in values) if isinstance(values, list) else str(values)


def line(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return any JSON value in one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return listed(value) if isinstance(value, list) else text(value)


def number(value: Any, *, digits: int = 3) -> str:  # noqa: ANN401  (any JSON value)
    """Return a measured number, never an invented zero."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if numeric else NOT_COMPUTED


def percent(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a share as a percentage."""
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else NOT_COMPUTED


def interval(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return an estimate with its two-sided interval."""
    found = mapping(value)
    if not found:
        return NOT_COMPUTED
    low, high = number(found.get("low")), number(found.get("high"))
    return f"{number(found.get('estimate'))} ({low} to {high})"
