"""The payload of an evidence as rows of tables.

A payload is JSON that was sealed by an earlier release perhaps: whatever is missing is shown as
not computed, never as zero, and never breaks the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.core.estimates import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_COMPUTED = "not computed"
MARGINS = {
    Level.RECORD_AVERAGE: "margin_record",
    Level.SUBJECT: "margin_subject",
    Level.WORST_RECORD: "margin_subject",
}
LEVELS = {
    Level.RECORD_AVERAGE: "Average over the records",
    Level.SUBJECT: "The person as a whole",
    Level.WORST_RECORD: "The worst single record",
}
CONTRASTS = {
    "before": (
        "Before unlearning",
        "Models that learned the records against models that never saw them. It shows whether "
        "this attack can see the records at all.",
    ),
    "leak": (
        "Leak after unlearning",
        "The same models after unlearning. The largest plausible value must lie below the margin.",
    ),
    "equivalence": (
        "Equivalence to retraining",
        "Unlearned models against models that were retrained without the records.",
    ),
}
WHY_MISSING = {
    "before": "The payload holds no such contrast.",
    "leak": "The payload holds no such contrast.",
    "equivalence": "No shadow models were retrained without the records, so there is nothing to "
    "compare with.",
}
CHECKS = {
    "manifest_matches": "Manifest digest recomputed and equal",
    "overlapping": "Ancestors whose inputs still hold an erased record",
    "inexact": "Ancestors that were not made exactly",
    "code_digest": "Digest of the code that ran",
    "environment_digest": "Digest of the environment",
    "smoke": "Attack as a smoke alarm",
    "destroyed": "The version was destroyed and read back as gone",
    "files": "Stored files that were destroyed",
}

POLICY = {
    "margin_record": "Margin, average over the records",
    "margin_subject": "Margin, the person as a whole",
    "margin_utility": "Margin, loss of accuracy",
    "alpha": "Error probability of a verdict",
    "alpha_instance": "Error probability of the instance test",
    "looks": "Models per arm at each look",
    "max_trainings": "Shadow models at most",
    "levels": "Levels that decide",
    "audit_data": "Records the shadow models learn from",
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
    """One comparison at every level, or why it was not made."""

    title: str
    meaning: str
    rows: tuple[LevelRow, ...]
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and its value in words."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class PopulationRow:
    """The population attack on one model, with two-sided intervals over records."""

    model: str
    auc: str
    advantage: str
    records: str


def contrast_tables(
    payload: Mapping[str, Any], policy: Mapping[str, Any]
) -> tuple[ContrastTable, ...]:
    """Return the three contrasts of a U-LiRA payload."""
    found = _mapping(payload.get("contrasts"))
    reason = payload.get("not_computed", "")
    return tuple(_contrast(name, _mapping(found.get(name)), policy, reason) for name in CONTRASTS)


def utility_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the accuracies that the utility gate looked at; empty where none were measured."""
    found = _mapping(payload.get("utility"))
    names = {
        "reference_retained": "Retained records, models that never saw the erased ones",
        "unlearned_retained": "Retained records, unlearned models",
        "reference_test": "Test records, models that never saw the erased ones",
        "unlearned_test": "Test records, unlearned models",
    }
    return tuple(
        Fact(name=words, value=_percent(found.get(name))) for name, words in names.items() if found
    )


def kept_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what else the payload says: the test of the deployed model, and what was not seen."""
    kept = _mapping(payload.get("kept"))
    unseen = payload.get("records_without_signal")
    findings = kept.get("findings") or payload.get("findings") or ["none"]
    return (
        Fact(name="Confidence of each one-sided bound", value=_confidence(payload)),
        Fact(name="Deployed model against models that never saw the records", value=_p(payload)),
        Fact(
            name="Records that the attack was not shown to see before unlearning",
            value=f"{len(unseen)} (random index: {_listed(unseen)})" if unseen else _none(unseen),
        ),
        Fact(name="Faults of the experiment", value=_listed(findings)),
        Fact(name="Digest of the design", value=_text(payload.get("design_digest"))),
        Fact(name="Digest of the policy", value=_text(payload.get("policy_digest"))),
    )


def population_rows(payload: Mapping[str, Any]) -> tuple[PopulationRow, ...]:
    """Return the population attack before and after unlearning."""
    names = {"original": "Before unlearning", "unlearned": "After unlearning"}
    return tuple(
        PopulationRow(
            model=words,
            auc=_interval(found.get("auc")),
            advantage=_interval(found.get("advantage")),
            records=_text(found.get("records")),
        )
        for name, words in names.items()
        if (found := _mapping(payload.get(name)))
    )


def check_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the checks behind an erasure by construction."""
    found = _mapping(payload.get("checks"))
    known = {name: CHECKS[name] for name in CHECKS if name in found}
    others = {name: name.replace("_", " ").capitalize() for name in found if name not in CHECKS}
    return tuple(
        Fact(name=words, value=_check(name, found[name]))
        for name, words in (known | others).items()
    )


def policy_facts(policy: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the rules of the audit, which were fixed before the first score."""
    return tuple(
        Fact(name=POLICY.get(name, name.replace("_", " ")), value=_value(value).replace("_", " "))
        for name, value in policy.items()
    )


def _contrast(
    name: str, found: Mapping[str, Any], policy: Mapping[str, Any], reason: str
) -> ContrastTable:
    title, meaning = CONTRASTS[name]
    levels = {level: _mapping(found.get(level.value)) for level in Level}
    rows = tuple(_level(level, row, policy) for level, row in levels.items() if row)
    return ContrastTable(
        title=title,
        meaning=meaning,
        rows=rows,
        missing="" if rows else reason or WHY_MISSING[name],
    )


def _level(level: Level, row: Mapping[str, Any], policy: Mapping[str, Any]) -> LevelRow:
    return LevelRow(
        level=LEVELS[level],
        estimate=_number(row.get("estimate")),
        lower=_number(row.get("lower")),
        upper=_number(row.get("upper")),
        margin=_number(policy.get(MARGINS[level]), digits=2),
        models=f"{_text(row.get('n_in'))} / {_text(row.get('n_out'))}",
        unit=_text(row.get("unit")),
        method=_text(row.get("method")),
        decides=level.value in (policy.get("levels") or ()),
    )


def _check(name: str, value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if name in ("overlapping", "inexact"):
        return _listed(value) if value else "none"
    if name == "smoke" and not value:
        return "not run"
    return _value(value)


def _confidence(payload: Mapping[str, Any]) -> str:
    found = payload.get("alpha")
    return NOT_COMPUTED if found is None else f"{100 * (1 - found):.4g} %"


def _p(payload: Mapping[str, Any]) -> str:
    found = payload.get("instance_p")
    return f"{NOT_COMPUTED} (no test of the instance)" if found is None else f"p = {found:.4f}"


def _none(unseen: Any) -> str:  # noqa: ANN401  (any JSON value)
    return "none" if unseen == [] else NOT_COMPUTED


def _interval(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    found = _mapping(value)
    if not found:
        return NOT_COMPUTED
    low, high = _number(found.get("low")), _number(found.get("high"))
    return f"{_number(found.get('estimate'))} ({low} to {high})"


def _number(value: Any, *, digits: int = 3) -> str:  # noqa: ANN401  (any JSON value)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if numeric else NOT_COMPUTED


def _percent(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else NOT_COMPUTED


def _value(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _listed(value) if isinstance(value, list) else _text(value)


def _listed(values: Any) -> str:  # noqa: ANN401  (any JSON value)
    return ", ".join(str(value) for value in values) if isinstance(values, list) else str(values)


def _text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    return NOT_COMPUTED if value in (None, "") else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401  (any JSON value)
    return value if isinstance(value, dict) else {}
