"""The report on one U-LiRA look.

The numbers are estimated anew from the kept set, and the verdict is drawn anew under the policy:
the report says whether it agrees with the one that was recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.attacks.u_lira import ULira
from audits.core.certificate_words import certificate_words
from audits.core.contrast import measure_under, recompute_all, records_without_signal
from audits.execution import report_words as words
from audits.execution.report_scores import all_kept_of, policy_of
from audits.execution.report_words import code, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.estimates import Contrast, Level, Measurements
    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy

UNREADABLE = (
    "The kept numbers of this evidence are not of a form that this version can estimate from; "
    "they are in the attached record."
)


def u_lira(row: Mapping[str, Any], findings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of one look: the rules fixed beforehand, the bounds, what else was seen."""
    attacks, policy = all_kept_of(row), policy_of(findings)
    card: dict[str, Any] = {"title": f"{ULira.title}, look {row['look'] + 1}", "card": []}
    if policy is None:
        return card | {"note": UNREADABLE}
    card["card"] = [*_rules(row, policy, findings), *_certificate(row)]
    if any(one.models_per_arm not in policy.looks for one in attacks.values()) or not attacks:
        return card | {"note": UNREADABLE}
    (_, kept), *others = attacks.items()
    measured, again = measure_under(kept, policy), recompute_all(attacks, policy)
    titles = row["payload"].get("attacks", {})
    beside = [
        line
        for name, one in others
        for line in _table(measure_under(one, policy), policy, f" ({titles[name]['title']})")
    ]
    agrees = "agrees with" if again.outcome == row["verdict"] else "differs from"
    return card | {
        "table": [*_table(measured, policy), *beside],
        "more": [
            *_more(kept, measured, policy),
            *_beside(row["payload"], measured),
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
        ["Shadow models trained", _trained(row["payload"].get("engine"))],
        ["Models per arm", f"{row['models_per_arm']}; looks planned at {plain(policy.looks)}"],
        ["Margins, fixed beforehand", _margins(policy)],
        ["Levels needed to pass", levels],
        ["Attacks that were asked for", ", ".join(policy.attacks)],
        ["Error probability", f"{policy.alpha:g} over all looks together"],
        ["When a verdict may be taken", words.MODES[policy.mode]],
        ["Rules fixed by the log", _fixed(policy.digest(), findings)],
        ["Digest of the rules", code(policy.digest())],
    ]


def _trained(engine: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return how many were trained at once and how many one after the other, and why so."""
    if not isinstance(engine, dict):
        return "one after the other, as always when this was measured"
    told = ", ".join(f"{number} {path}" for path, number in engine.get("models", {}).items())
    return f"{told} ({engine['reason']})" if engine.get("reason") else told


def _certificate(row: Mapping[str, Any]) -> list[list[Any]]:
    """Return the certificate that the audit relied on, or why it relied on none."""
    said = certificate_words(row["payload"])
    return [[name, code(value) if name.startswith("Digest") else value] for name, value in said]


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


def _table(measured: Measurements, policy: EvidencePolicy, by: str = "") -> list[list[str]]:
    found = ((name, getattr(measured, name)) for name in words.CONTRASTS)
    return [
        _row(words.CONTRASTS[name] + by, contrast, level, policy)
        for name, contrast in found
        if contrast is not None
        for level, _ in contrast.levels()
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
        rows.append(["Test of the deployed model", _tested(kept, measured.instance_p, policy)])
    return rows + [["Broken", finding] for finding in measured.findings]


def _tested(kept: Kept, p: float, policy: EvidencePolicy) -> str:
    compared = len(kept.instance.never_seen) if kept.instance else 0
    return (
        f"p = {p:.4f}, beside {compared} models that never saw the records; below "
        f"{policy.alpha_instance:g} would fail"
    )


def _beside(payload: Mapping[str, Any], measured: Measurements) -> list[list[str]]:
    """Return what so many models can show, which attempt it is, and which attacks did not run."""
    rows = [
        [
            f"At best, {level.words}",
            f"so many models can bound the advantage at {number(one.smallest_bound)}",
        ]
        for level, one in measured.power.items()
    ]
    rows.append(["Attempt on these records of this version", str(measured.attempt)])
    rows += [
        [
            f"{one['title']}, unlearned against retrained",
            one.get("not_computed")
            or f"percentile {one['percentile']:.0f} among retrained models compared with one "
            f"another, {one['models']} models in a group; it decides nothing",
        ]
        for one in payload.get("comparisons") or ()
    ]
    not_made = payload.get("not_made") or {}
    rows += [["Could not be made", f"{attack}: {why}"] for attack, why in not_made.items()]
    missing = payload.get("not_run")
    listed = missing if isinstance(missing, list) else []
    return rows + [["Not run", f"{one['attack']}: {one['reason']}"] for one in listed]


def _fell(reference: float, unlearned: float) -> str:
    return f"{number(unlearned)}; models that never saw the records: {number(reference)}"
