"""The report on evidence: what was attacked, under which rules, and what came out.

The numbers are estimated anew from the kept set of each U-LiRA evidence, and the verdict is drawn
anew under the policy: the report says whether both agree with what was recorded.
"""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from audits.attacks.population import Population
from audits.attacks.u_lira import ULira
from audits.core.contrast import measure, recompute, records_without_signal
from audits.core.estimates import Level
from audits.core.kept import Kept, KeptContrast
from audits.core.policy import EvidencePolicy, PolicyRefused
from audits.execution import report_words as words
from audits.execution.report_words import code, number, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audits.core.estimates import Contrast, Measurements

DESCRIPTIVE = (
    "Descriptive only: this attack compares different records under one model, so it can never "
    "clear a model, whatever it shows."
)
UNREADABLE = (
    "The kept numbers of this evidence are not of a form that this version can estimate from; "
    "they are in the attached record."
)
HEADER = ["Comparison", "Level", "Advantage", "At least", "At most", "Margin", "Models judged"]


def evidence_cards(findings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one card per piece of evidence, in the order of the record."""
    names = {run["run"]: run["version_name"] for run in findings["runs"]}
    kinds = {"U_LIRA": _u_lira, "POPULATION": _population, "CONSTRUCTION": _construction}
    result = []
    for row in findings["evidence"]:
        draw = kinds.get(row["kind"], _unknown)
        card = {"note": "", "table": [], "more": [], **draw(row, findings)}
        card["title"] = f"{card['title']}: {names.get(row['run'], row['run'])}"
        card["card"] += [["Digest of the evidence", code(row["digest"])]]
        card["verdict"] = _verdict(row)
        card["reasons"] = list(row["reasons"])
        card["plot_digest"] = row["plot_digest"]
        result.append(card)
    return result


def kept_of(row: Mapping[str, Any]) -> Kept | None:
    """Return the kept set of a U-LiRA evidence; None where there is none that can be read."""
    try:
        return Kept.from_dict(row["payload"]["kept"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def policy_of(findings: Mapping[str, Any]) -> EvidencePolicy | None:
    """Return the policy that was fixed for a case; None where it is not one of this version."""
    try:
        return EvidencePolicy.from_dict(findings["policy"])
    except PolicyRefused:
        return None


def scores_csv(findings: Mapping[str, Any]) -> str:
    """Return every kept number of every U-LiRA evidence, one per line; empty if there is none.

    ``average`` is the share of records guessed right under one model, ``subject`` its summed
    log-likelihood ratio, ``right`` the number of models under which one record, at a random
    place, was guessed right. Every verdict recomputes from these and the policy.
    """
    lines = [line for row in findings["evidence"] for line in _lines(row)]
    if not lines:
        return ""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["evidence", "run", "look", "contrast", "arm", "quantity", "index", "value"])
    table.writerows(lines)
    return text.getvalue()


def _lines(row: Mapping[str, Any]) -> Iterator[list[Any]]:
    kept = kept_of(row) if row["kind"] == "U_LIRA" else None
    for name in words.CONTRASTS:
        contrast = getattr(kept, name, None)
        if contrast is None:
            continue
        for field in fields(KeptContrast):
            quantity, _, arm = field.name.partition("_")
            for index, value in enumerate(getattr(contrast, field.name)):
                yield [
                    row["evidence"],
                    row["run"],
                    row["look"],
                    name,
                    arm,
                    quantity.removesuffix("s"),
                    index,
                    repr(value),
                ]


def _verdict(row: Mapping[str, Any]) -> str:
    if not row["verdict"]:
        return "No verdict is drawn from this."
    return f"{words.said(row['verdict'])}. {words.VERDICTS.get(row['verdict'], ('', ''))[1]}"


def _u_lira(row: Mapping[str, Any], findings: Mapping[str, Any]) -> dict[str, Any]:
    kept, policy = kept_of(row), policy_of(findings)
    card: dict[str, Any] = {"title": f"{ULira.title}, look {row['look'] + 1}", "card": []}
    if policy is None:
        return card | {"note": UNREADABLE}
    card["card"] = _rules(row, policy, findings)
    if kept is None or kept.models_per_arm not in policy.looks:
        return card | {"note": UNREADABLE}
    measured = measure(kept, policy.alpha_at(kept.models_per_arm))
    again = recompute(kept, policy)
    agrees = "agrees with" if again.outcome == row["verdict"] else "differs from"
    return card | {
        "table": _table(measured, policy),
        "more": [
            *_more(kept, measured, policy),
            [
                "Drawn again for this report",
                f"{words.said(again.outcome)}; this {agrees} the recorded verdict.",
            ],
        ],
    }


def _rules(
    row: Mapping[str, Any], policy: EvidencePolicy, findings: Mapping[str, Any]
) -> list[list[Any]]:
    levels = ", ".join(level.words for level in policy.levels)
    return [
        ["Source", ULira.paper],
        ["Adversary", ULira.adversary],
        ["Shadow models learned", words.AUDIT_DATA[policy.audit_data]],
        ["Models per arm", f"{row['models_per_arm']}; looks planned at {plain(policy.looks)}"],
        ["Margins, fixed beforehand", _margins(policy)],
        ["Levels needed to pass", levels],
        ["Error probability", f"{policy.alpha:g} over all looks together"],
        ["Rules fixed by the log", _fixed(policy.digest(), findings)],
        ["Digest of the rules", code(policy.digest())],
    ]


def _margins(policy: EvidencePolicy) -> str:
    return (
        f"record average {policy.margin_record:.2f}, subject {policy.margin_subject:.2f}, "
        f"accuracy {policy.margin_utility:.2f}"
    )


def _fixed(digest: str, findings: Mapping[str, Any]) -> str:
    for event in findings["events"]:
        if event["type"] == "policy_fixed" and event["data"]["policy"] == digest:
            return f"entry {event['index']}, {words.moment(event['at'])}"
    return "no entry of this case names these rules"


def _table(measured: Measurements, policy: EvidencePolicy) -> list[list[str]]:
    found = ((name, getattr(measured, name)) for name in words.CONTRASTS)
    return [
        _row(words.CONTRASTS[name], contrast, level, policy)
        for name, contrast in found
        if contrast is not None
        for level in Level
    ]


def _row(title: str, contrast: Contrast, level: Level, policy: EvidencePolicy) -> list[str]:
    found = contrast.at(level)
    return [
        title,
        level.words.capitalize(),
        number(found.estimate),
        number(found.lower),
        number(found.upper),
        f"{policy.margin(level):.2f}",
        f"{found.n_in} and {found.n_out}",
    ]


def _more(kept: Kept, measured: Measurements, policy: EvidencePolicy) -> list[list[str]]:
    blind = records_without_signal(kept.before, measured.alpha)
    rows = [
        ["Error probability at this look", f"{measured.alpha:.4g} for each bound"],
        [
            "Records without a signal before",
            f"{len(blind)} of {len(kept.before.right_in)}; for these the attack shows nothing",
        ],
    ]
    if (found := measured.utility) is not None:
        rows += [
            [
                "Accuracy on retained data",
                _fell(found.reference_retained, found.unlearned_retained),
            ],
            ["Accuracy on test data", _fell(found.reference_test, found.unlearned_test)],
        ]
    if measured.instance_p is not None:
        test = f"p = {measured.instance_p:.4f}; below {policy.alpha_instance:g} would fail"
        rows.append(["Test of the deployed model", test])
    return rows + [["Broken", finding] for finding in measured.findings]


def _fell(reference: float, unlearned: float) -> str:
    return f"{number(unlearned)}; models that never saw the records: {number(reference)}"


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


def _unknown(row: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": words.said(row["kind"]), "card": [], "note": UNREADABLE}
