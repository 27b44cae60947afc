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
from audits.execution.report_retold import quoted
from audits.execution.report_scores import all_kept_of, policy_of
from audits.execution.report_speech import decimal, moment, number, say
from audits.execution.report_words import code, plain

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
    card: dict[str, Any] = {
        "title": say("%(attack)s, look %(look)s", attack=ULira.title, look=row["look"] + 1),
        "card": [],
    }
    if policy is None:
        return card | {"note": say(UNREADABLE)}
    card["card"] = [*_rules(row, policy, findings), *_certificate(row)]
    if any(one.models_per_arm not in policy.looks for one in attacks.values()) or not attacks:
        return card | {"note": say(UNREADABLE)}
    (_, kept), *others = attacks.items()
    measured, again = measure_under(kept, policy), recompute_all(attacks, policy)
    titles = row["payload"].get("attacks", {})
    beside = [
        line
        for name, one in others
        for line in _table(measure_under(one, policy), policy, f" ({titles[name]['title']})")
    ]
    agrees = (
        say(
            "%(verdict)s; this agrees with the recorded verdict.",
            verdict=words.said(again.outcome),
        )
        if again.outcome == row["verdict"]
        else say(
            "%(verdict)s; this differs from the recorded verdict.",
            verdict=words.said(again.outcome),
        )
    )
    return card | {
        "table": [*_table(measured, policy), *beside],
        "more": [
            *_more(kept, measured, policy),
            *_beside(row["payload"], measured),
            [
                say("Drawn again for this report"),
                agrees,
            ],
        ],
    }


def _rules(
    row: Mapping[str, Any], policy: EvidencePolicy, findings: Mapping[str, Any]
) -> list[list[Any]]:
    levels = ", ".join(say(level.words) for level in policy.levels)
    return [
        [say("Source"), quoted(ULira.paper)],
        [say("Adversary"), say(ULira.adversary)],
        [say("Shadow models learned"), say(words.AUDIT_DATA[policy.audit_data])],
        [say("Shadow models trained"), _trained(row["payload"].get("engine"))],
        [
            say("Models per arm"),
            say(
                "%(models)s; looks planned at %(looks)s",
                models=row["models_per_arm"],
                looks=plain(policy.looks),
            ),
        ],
        [say("Margins, fixed beforehand"), _margins(policy)],
        [say("Levels needed to pass"), levels],
        [say("Attacks that were asked for"), ", ".join(policy.attacks)],
        [
            say("Error probability"),
            say("%(alpha)s over all looks together", alpha=decimal(f"{policy.alpha:g}")),
        ],
        [say("When a verdict may be taken"), say(words.MODES[policy.mode])],
        [say("Rules fixed by the log"), _fixed(policy.digest(), findings)],
        [say("Digest of the rules"), code(policy.digest())],
    ]


def _trained(engine: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return how many were trained at once and how many one after the other, and why so."""
    if not isinstance(engine, dict):
        return say("one after the other, as always when this was measured")
    told = ", ".join(f"{number} {path}" for path, number in engine.get("models", {}).items())
    return f"{told} ({engine['reason']})" if engine.get("reason") else told


def _certificate(row: Mapping[str, Any]) -> list[list[Any]]:
    """Return the certificate that the audit relied on, or why it relied on none."""
    said = certificate_words(row["payload"])
    return [
        [quoted(name), code(value) if name.startswith("Digest") else quoted(value)]
        for name, value in said
    ]


def _margins(policy: EvidencePolicy) -> str:
    return say(
        "record average %(record)s, subject %(subject)s, accuracy %(utility)s",
        record=number(policy.margin_record, 2),
        subject=number(policy.margin_subject, 2),
        utility=number(policy.margin_utility, 2),
    )


def _fixed(digest: str, findings: Mapping[str, Any]) -> str:
    for event in findings["events"]:
        if event["type"] == "policy_fixed" and event["data"]["policy"] == digest:
            return say("entry %(entry)s, %(when)s", entry=event["index"], when=moment(event["at"]))
    return say("no entry of this case names these rules")


def _table(measured: Measurements, policy: EvidencePolicy, by: str = "") -> list[list[str]]:
    found = ((name, getattr(measured, name)) for name in words.CONTRASTS)
    return [
        _row(say(words.CONTRASTS[name]) + by, contrast, level, policy)
        for name, contrast in found
        if contrast is not None
        for level, _ in contrast.levels()
    ]


def _row(title: str, contrast: Contrast, level: Level, policy: EvidencePolicy) -> list[str]:
    found = contrast.at(level)
    return [
        title,
        _capital(say(level.words)),
        number(found.estimate),
        number(found.lower),
        number(found.upper),
        number(policy.margin(level), 2),
        say("%(one)s and %(other)s", one=found.n_in, other=found.n_out),
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _more(kept: Kept, measured: Measurements, policy: EvidencePolicy) -> list[list[str]]:
    blind = records_without_signal(kept.before, measured.alpha)
    rows = [
        [
            say("Error probability at this look"),
            say("%(alpha)s for each bound", alpha=decimal(f"{measured.alpha:.4g}")),
        ],
        [
            say("Records without a signal before"),
            say(
                "%(blind)s of %(all)s; for these the attack shows nothing",
                blind=len(blind),
                all=len(kept.before.right_in),
            ),
        ],
    ]
    if (found := measured.utility) is not None:
        rows += [
            [
                say("Accuracy on retained data"),
                _fell(found.reference_retained, found.unlearned_retained),
            ],
            [say("Accuracy on test data"), _fell(found.reference_test, found.unlearned_test)],
        ]
    if measured.instance_p is not None:
        rows.append(
            [say("Test of the deployed model"), _tested(kept, measured.instance_p, policy)]
        )
    return rows + [[say("Broken"), quoted(finding)] for finding in measured.findings]


def _tested(kept: Kept, p: float, policy: EvidencePolicy) -> str:
    compared = len(kept.instance.never_seen) if kept.instance else 0
    return say(
        "p = %(p)s, beside %(models)s models that never saw the records; below %(alpha)s would "
        "fail",
        p=number(p, 4),
        models=compared,
        alpha=decimal(f"{policy.alpha_instance:g}"),
    )


def _beside(payload: Mapping[str, Any], measured: Measurements) -> list[list[str]]:
    """Return what so many models can show, which attempt it is, and which attacks did not run."""
    rows = [
        [
            say("At best, %(level)s", level=say(level.words)),
            say(
                "so many models can bound the advantage at %(bound)s",
                bound=number(one.smallest_bound),
            ),
        ]
        for level, one in measured.power.items()
    ]
    rows.append([say("Attempt on these records of this version"), str(measured.attempt)])
    rows += [
        [
            say("%(attack)s, unlearned against retrained", attack=one["title"]),
            one.get("not_computed")
            or say(
                "percentile %(percentile)s among retrained models compared with one another, "
                "%(models)s models in a group; it decides nothing",
                percentile=f"{one['percentile']:.0f}",
                models=one["models"],
            ),
        ]
        for one in payload.get("comparisons") or ()
    ]
    not_made = payload.get("not_made") or {}
    rows += [
        [say("Could not be made"), quoted(f"{attack}: {why}")] for attack, why in not_made.items()
    ]
    missing = payload.get("not_run")
    listed = missing if isinstance(missing, list) else []
    return rows + [[say("Not run"), quoted(f"{one['attack']}: {one['reason']}")] for one in listed]


def _fell(reference: float, unlearned: float) -> str:
    return say(
        "%(unlearned)s; models that never saw the records: %(reference)s",
        unlearned=number(unlearned),
        reference=number(reference),
    )
