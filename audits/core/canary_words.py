"""What evidence of the kind CANARIES says, as names and values for a page or the report.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.saying import Say, english

if TYPE_CHECKING:
    from collections.abc import Mapping


def canary_words(payload: Mapping[str, Any], say: Say = english) -> tuple[tuple[str, str], ...]:
    """Return how many there were, and what each attack saw before and after."""
    kept, found = _object(payload.get("kept")), _object(payload.get("findings"))
    included = kept.get("included")
    erased = included if isinstance(included, list) else []
    rows = [
        (say("Drawn when the version was trained"), _number(payload.get("planted"), say)),
        (
            say("Erased with the records"),
            say("%(n)s of %(all)s drawn for it", n=sum(map(bool, erased)), all=len(erased)),
        ),
    ]
    for name in sorted(found):
        one = _object(found[name])
        rows.append(
            (
                str(one.get("title", name)),
                say(
                    "%(n)s canaries; p = %(before)s before, p = %(after)s in the deployed model",
                    n=_number(one.get("canaries"), say),
                    before=_number(one.get("control"), say),
                    after=_number(one.get("p_value"), say),
                ),
            )
        )
    missing = _object(payload.get("not_made"))
    not_made = (
        (title, say("could not be made: %(reason)s", reason=missing[title]))
        for title in sorted(missing)
    )
    return (*rows, *not_made)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object, say: Say) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.3g}" if known else say("not known")
