"""The report on evidence: what was attacked, under which rules, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.attacks.population import Population
from audits.core.canary_words import canary_words
from audits.execution import report_words as words
from audits.execution.report_u_lira import UNREADABLE, u_lira
from audits.execution.report_words import code, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTIVE = (
    "Descriptive only: this attack compares different records under one model, so it can never "
    "clear a model, whatever it shows."
)


def evidence_cards(findings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one card per piece of evidence, in the order of the record."""
    names = {run["run"]: run["version_name"] for run in findings["runs"]}
    kinds = {
        "U_LIRA": u_lira,
        "POPULATION": _population,
        "CONSTRUCTION": _construction,
        "RELEASE": _gate,
        "CANARIES": _canaries,
    }
    result = []
    for row in findings["evidence"]:
        draw = kinds.get(row["kind"], _unknown)
        card = {"note": "", "table": [], "more": [], **draw(row, findings)}
        card["title"] = f"{card['title']}: {names.get(row['run'], row['run'])}"
        card["card"] += [["Digest of the evidence", code(row["digest"])]]
        card["verdict"] = _verdict(row)
        card["reasons"] = list(row["reasons"])
        card["figure_digests"] = _figures(row)
        result.append(card)
    return result


def _figures(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of the curves and of the other figures that the payload names."""
    named = row["payload"].get("figures") or {}
    curves = {"curves": row["plot_digest"]} if row["plot_digest"] else {}
    return curves | {name: named[name] for name in words.CAPTIONS if name in named}


def _verdict(row: Mapping[str, Any]) -> str:
    if not row["verdict"]:
        return "No verdict is drawn from this."
    return f"{words.said(row['verdict'])}. {words.VERDICTS.get(row['verdict'], ('', ''))[1]}"


def _population(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    rows = [
        *_population_rows("Before unlearning", payload.get("original")),
        *_population_rows("After unlearning", payload.get("unlearned")),
    ]
    if reason := payload.get("not_computed"):
        rows.append(["Result", str(reason)])
    return {
        "title": Population.title,
        "card": [["Source", Population.paper], ["Adversary", Population.adversary]],
        "more": rows,
        "note": DESCRIPTIVE,
    }


def _population_rows(title: str, report: Any) -> list[list[str]]:  # noqa: ANN401  (any JSON value)
    if not isinstance(report, dict):
        return []
    kept = ((name, value) for name, value in report.items() if name != "original")
    return [[f"{title}: {words.said(name).lower()}", _interval(value)] for name, value in kept]


def _interval(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict) and value.keys() == {"estimate", "low", "high"}:
        low, high = number(value["low"]), number(value["high"])
        return f"{number(value['estimate'])}, 95 % interval {low} to {high}"
    return plain(value)


def _construction(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = {name: value for name, value in row["payload"].items() if name != "reasons"}
    checks = payload.pop("checks", {})
    return {
        "title": "Construction",
        "card": words.rows_of({**(checks if isinstance(checks, dict) else {}), **payload}),
        "note": "The claim rests on lineage and on how the version was made, not on an attack.",
    }


def _gate(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = {name: value for name, value in row["payload"].items() if value is not None}
    return {
        "title": "Release gate",
        "card": words.rows_of(payload),
        "note": "Accuracy before and after, on records that neither version learned from. It "
        "decides whether the new version is shown, not whether the records are erased.",
    }


def _canaries(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    return {
        "title": "Canaries",
        "card": [[name, value] for name, value in canary_words(payload)],
        "more": [["Result", str(each)] for each in payload.get("reasons") or ()],
        "note": "Synthetic examples with secret noise, erased with the records. They can fail a "
        "model and never clear one.",
    }


def _unknown(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": words.said(row["kind"]), "card": [], "note": UNREADABLE}
