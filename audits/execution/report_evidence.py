"""The report on evidence: what was attacked, under which rules, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.attacks.population import Population
from audits.core.canary_words import canary_words
from audits.execution import report_words as words
from audits.execution.report_retold import quoted
from audits.execution.report_speech import inside, number, say
from audits.execution.report_u_lira import UNREADABLE, u_lira
from audits.execution.report_words import code, plain

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
        card["card"] += [[say("Digest of the evidence"), code(row["digest"])]]
        card["verdict"] = _verdict(row)
        card["reasons"] = list(map(quoted, row["reasons"]))
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
        return say("No verdict is drawn from this.")
    meaning = words.VERDICTS.get(row["verdict"], ("", ""))[1]
    return f"{words.said(row['verdict'])}. {say(meaning)}"


def _population(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    rows = [
        *_population_rows(say("Before unlearning"), payload.get("original")),
        *_population_rows(say("After unlearning"), payload.get("unlearned")),
    ]
    if reason := payload.get("not_computed"):
        rows.append([say("Result"), quoted(str(reason))])
    return {
        "title": say(Population.title),
        "card": [
            [say("Source"), quoted(Population.paper)],
            [say("Adversary"), say(Population.adversary)],
        ],
        "more": rows,
        "note": say(DESCRIPTIVE),
    }


def _population_rows(title: str, report: Any) -> list[list[str]]:  # noqa: ANN401  (any JSON value)
    if not isinstance(report, dict):
        return []
    kept = ((name, value) for name, value in report.items() if name != "original")
    return [[f"{title}: {inside(words.said(name))}", _interval(value)] for name, value in kept]


def _interval(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict) and value.keys() == {"estimate", "low", "high"}:
        return say(
            "%(estimate)s, 95 %% interval %(low)s to %(high)s",
            **{name: number(one) for name, one in value.items()},
        )
    return plain(value)


def _construction(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = {name: value for name, value in row["payload"].items() if name != "reasons"}
    checks = payload.pop("checks", {})
    return {
        "title": say("Construction"),
        "card": words.rows_of({**(checks if isinstance(checks, dict) else {}), **payload}),
        "note": say(
            "The claim rests on lineage and on how the version was made, not on an attack."
        ),
    }


def _gate(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = {name: value for name, value in row["payload"].items() if value is not None}
    return {
        "title": say("Release gate"),
        "card": words.rows_of(payload),
        "note": say(
            "Accuracy before and after, on records that neither version learned from. It decides "
            "whether the new version is shown, not whether the records are erased."
        ),
    }


def _canaries(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    return {
        "title": say("Canaries"),
        "card": [[quoted(name), quoted(value)] for name, value in canary_words(payload)],
        "more": [[say("Result"), quoted(str(each))] for each in payload.get("reasons") or ()],
        "note": say(
            "Synthetic examples with secret noise, erased with the records. They can fail a model "
            "and never clear one."
        ),
    }


def _unknown(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": words.said(row["kind"]), "card": [], "note": say(UNREADABLE)}
