"""What a U-LiRA payload says beside its bounds: power, comparisons, and what was not run.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.core.estimates import Level
from audits.views.cells import mapping, not_computed, number, text
from audits.views.contrasts import LEVELS, MARGINS
from audits.views.measurements import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class PowerRow:
    """What so many models can show at one level. Texts, ready for a cell."""

    level: str
    rules_out: str
    finds: str
    margin: str


def power_rows(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> tuple[PowerRow, ...]:
    """Return what so many models can show at best, at each level of which it is known."""
    found = mapping(payload.get("power"))
    return tuple(
        PowerRow(
            level=_(LEVELS[level]),
            rules_out=number(row.get("smallest_bound"), digits=2),
            finds=_finds(row),
            margin=number(policy.get(MARGINS[level]), digits=2),
        )
        for level in Level
        if (row := mapping(found.get(level.value)))
    )


def comparison_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return where unlearned models lie among retrained ones, attack by attack."""
    return tuple(
        Fact(name=text(one.get("title")), value=_place(one))
        for one in _rows(payload, "comparisons")
    )


def not_run_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the attacks that were not run, with the reason."""
    return tuple(
        Fact(name=text(one.get("attack")), value=text(one.get("reason")))
        for one in _rows(payload, "not_run")
    )


def _rows(payload: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = payload.get(name)
    return [mapping(one) for one in found] if isinstance(found, list) else []


def _finds(row: Mapping[str, Any]) -> str:
    """Return what is found in 80 % of audits; None says that nothing is, or that nobody knows."""
    if "detectable" in row and row["detectable"] is None:
        return _("none that is known")
    return number(row.get("detectable"), digits=2)


def _place(one: Mapping[str, Any]) -> str:
    if "percentile" not in one:
        return text(one.get("not_computed"))
    place = number(one["percentile"], digits=0)
    if place == not_computed():
        return place
    return _("percentile %(place)s of 100, with %(models)s models in a group") % {
        "place": place,
        "models": text(one.get("models")),
    }
