"""JSON values as the texts of table cells.

What is missing is shown as not computed, never as zero, and never breaks a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_COMPUTED = "not computed"


def mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401  (any JSON value)
    """Return a JSON object; anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def not_computed() -> str:
    """Return that there is no value, in the language of the page."""
    return _(NOT_COMPUTED)


def text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a text, or that there is none."""
    return not_computed() if value in (None, "") else str(value)


def listed(values: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a list in one line."""
    return ", ".join(str(value) for value in values) if isinstance(values, list) else str(values)


def line(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return any JSON value in one line."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return listed(value) if isinstance(value, list) else text(value)


def number(value: Any, *, digits: int = 3) -> str:  # noqa: ANN401  (any JSON value)
    """Return a measured number, never an invented zero."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if numeric else not_computed()


def percent(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a share as a percentage."""
    if not isinstance(value, int | float):
        return not_computed()
    return f"{100 * value:.1f} %"


def interval(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return an estimate with its two-sided interval."""
    found = mapping(value)
    if not found:
        return not_computed()
    low, high = number(found.get("low")), number(found.get("high"))
    return _("%(estimate)s (%(low)s to %(high)s)") % {
        "estimate": number(found.get("estimate")),
        "low": low,
        "high": high,
    }
