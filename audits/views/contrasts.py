"""The three contrasts of a U-LiRA payload as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.core.estimates import Level
from audits.views.cells import mapping, not_computed, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = "U-LiRA"
MARGINS = {
    Level.RECORD_AVERAGE: "margin_record",
    Level.SUBJECT: "margin_subject",
    Level.WORST_RECORD: "margin_subject",
    Level.WHOLE_SET: "margin_subject",
}
LEVELS = {
    Level.RECORD_AVERAGE: "Average over the records",
    Level.SUBJECT: "The person as a whole",
    Level.WORST_RECORD: "The worst single record",
    Level.WHOLE_SET: "All records together",
}
CONTRASTS = {
    "before": "Before unlearning",
    "leak": "Leak after unlearning",
    "equivalence": "Equivalence to retraining",
}
MEANINGS = {
    "before": "Models that learned the records against models that never saw them. It shows "
    "whether this attack can see the records at all.",
    "leak": "The same models after unlearning. The largest plausible value must lie below the "
    "margin.",
    "equivalence": "Unlearned models against models that were retrained without the records.",
}
WHY_MISSING = {
    "before": "The payload holds no such contrast.",
    "leak": "The payload holds no such contrast.",
    "equivalence": "No shadow models were retrained without the records, so there is nothing to "
    "compare with.",
}


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    """One estimate of an advantage. Texts, ready for a cell; ``decides`` by the policy."""

    level: str
    estimate: str
    lower: str
    upper: str
    margin: str
    models: str
    unit: str
    method: str
    decides: bool


@dataclass(frozen=True, kw_only=True)
class ContrastTable:
    """One comparison at every level, or why it was not made: in words of its own, or stored."""

    title: str
    meaning: str
    rows: tuple[LevelRow, ...]
    missing: str = ""
    stored: bool = False


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack besides the main one; ``decides`` if a pass needs it."""

    title: str
    decides: bool
    contrasts: tuple[ContrastTable, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one deciding attack says at one deciding level. Texts, ready for a cell."""

    attack: str
    level: str
    before: str
    after: str
    margin: str
    says: str


def answers(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Return the few numbers that the verdict turns on: the main attack's, then the others'."""
    found = {MAIN: payload} | {
        text(one.get("title")): one
        for one in map(mapping, mapping(payload.get("attacks")).values())
        if one.get("decides")
    }
    return tuple(
        _answer(title, level, (before, leak), policy)
        for title, one in found.items()
        for level in Level
        if level.value in (policy.get("levels") or ())
        and (before := _at(one, "before", level))
        and (leak := _at(one, "leak", level))
    )


def contrast_tables(
    payload: Mapping[str, Any], policy: Mapping[str, Any]
) -> tuple[ContrastTable, ...]:
    """Return the three contrasts of a U-LiRA payload."""
    found = mapping(payload.get("contrasts"))
    reason = payload.get("not_computed", "")
    return tuple(_contrast(name, mapping(found.get(name)), policy, reason) for name in CONTRASTS)


def other_attacks(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> tuple[Attack, ...]:
    """Return what each attack besides U-LiRA measured."""
    found = mapping(payload.get("attacks"))
    return tuple(
        Attack(
            title=text(one.get("title")),
            decides=bool(one.get("decides")),
            contrasts=tuple(table for table in contrast_tables(one, policy) if table.rows),
        )
        for one in map(mapping, found.values())
    )


def _contrast(
    name: str, found: Mapping[str, Any], policy: Mapping[str, Any], reason: str
) -> ContrastTable:
    levels = {level: mapping(found.get(level.value)) for level in Level}
    rows = tuple(_level(level, row, policy) for level, row in levels.items() if row)
    return ContrastTable(
        title=_(CONTRASTS[name]),
        meaning=_(MEANINGS[name]),
        rows=rows,
        missing="" if rows else reason or _(WHY_MISSING[name]),
        stored=bool(reason and not rows),
    )


def _level(level: Level, row: Mapping[str, Any], policy: Mapping[str, Any]) -> LevelRow:
    return LevelRow(
        level=_(LEVELS[level]),
        estimate=number(row.get("estimate")),
        lower=number(row.get("lower")),
        upper=number(row.get("upper")),
        margin=number(policy.get(MARGINS[level]), digits=2),
        models=f"{text(row.get('n_in'))} / {text(row.get('n_out'))}",
        unit=text(row.get("unit")),
        method=text(row.get("method")),
        decides=level.value in (policy.get("levels") or ()),
    )


def _at(payload: Mapping[str, Any], contrast: str, level: Level) -> Mapping[str, Any]:
    found = mapping(mapping(payload.get("contrasts")).get(contrast))
    return mapping(found.get(level.value)) or _of_one_subject(found, level)


def _of_one_subject(found: Mapping[str, Any], level: Level) -> Mapping[str, Any]:
    """Return the subject's numbers for the whole set, which is the same where there is one."""
    return mapping(found.get(Level.SUBJECT.value)) if level is Level.WHOLE_SET else {}


def _answer(
    title: str,
    level: Level,
    stages: tuple[Mapping[str, Any], Mapping[str, Any]],
    policy: Mapping[str, Any],
) -> Answer:
    lower, upper = stages[0].get("lower"), stages[1].get("upper")
    margin = policy.get(MARGINS[level])
    return Answer(
        attack=title,
        level=_(LEVELS[level]),
        before=number(lower, digits=2),
        after=number(upper, digits=2),
        margin=number(margin, digits=2),
        says=_says(lower, upper, stages[1].get("lower"), margin),
    )


def _says(*values: Any) -> str:  # noqa: ANN401  (any JSON values)
    if not all(isinstance(value, int | float) for value in values):
        return not_computed()
    before, after, leak, margin = values
    if leak > margin:
        return _("leaks")
    if before > margin:
        below, above = (
            _("seen before, below the margin after"),
            _("seen before, perhaps above the margin after"),
        )
    else:
        below, above = (
            _("not shown to be seen before, below the margin after"),
            _("not shown to be seen before, perhaps above the margin after"),
        )
    return below if after <= margin else above
