"""What a payload says besides its contrasts: accuracies, checks, the population attack.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.core.attack_register import attack_titles
from audits.core.canary_words import canary_words
from audits.views.cells import (
    interval,
    line,
    listed,
    mapping,
    not_computed,
    number,
    percent,
    text,
)
from audits.views.saying import told

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHECKS = {
    "manifest_matches": "Manifest digest recomputed and equal",
    "overlapping": "Ancestors whose inputs still hold an erased record",
    "inexact": "Ancestors that were not made exactly",
    "code_digest": "Digest of the code that ran",
    "environment_digest": "Digest of the environment",
    "smoke": "Attack as a smoke alarm",
    "destroyed": "The version was destroyed and read back as gone",
    "files": "Stored files that were destroyed",
    "epsilon": "Epsilon of its training, for those erased together",
    "delta": "Delta of its training",
    "people": "People erased together, as the training counted them",
    "accepted_epsilon": "Largest epsilon that the policy accepted",
    "accepted_delta": "Largest delta that the policy accepted",
    "missing": "Why its training promised nothing",
    "made_from": "Versions that were made from it",
}
ACCURACIES = {
    "reference_retained": "Retained records, models that never saw the erased ones",
    "unlearned_retained": "Retained records, unlearned models",
    "reference_test": "Test records, models that never saw the erased ones",
    "unlearned_test": "Test records, unlearned models",
}
POLICY = {
    "margin_record": "Margin, average over the records",
    "margin_subject": "Margin, the person as a whole",
    "margin_utility": "Margin, loss of accuracy",
    "alpha": "Error probability of a verdict",
    "alpha_instance": "Error probability of the instance test",
    "looks": "Models per arm at each look",
    "max_trainings": "Shadow models of both arms at most",
    "levels": "Levels that decide",
    "audit_data": "Records the shadow models learn from",
    "attacks": "Attacks",
    "equivalence": "Models retrained to compare with",
    "mode": "When a verdict may be taken",
}
# What the policy names by a code; attacks by their titles.
CODES = {
    "record_average": "record average",
    "subject": "subject",
    "worst_record": "worst record",
    "whole_set": "whole set",
    "own_records": "own records",
    "surrogate": "surrogate",
    "looks": "looks",
    "sequential": "sequential",
}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and its value in words; ``stored`` where that is a sentence of the evidence."""

    name: str
    value: str
    stored: bool = False

    @property
    def coded(self) -> bool:
        """Return whether the value is a digest or an id, to be set letter by letter."""
        return CODE.fullmatch(self.value) is not None


@dataclass(frozen=True, kw_only=True)
class PopulationRow:
    """The population attack on one model, with two-sided intervals over records."""

    model: str
    auc: str
    advantage: str
    records: str


def utility_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the accuracies that the utility gate looked at; empty where none were measured."""
    found = mapping(payload.get("utility"))
    return tuple(
        Fact(name=_(words), value=percent(found.get(name)))
        for name, words in ACCURACIES.items()
        if found
    )


def kept_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what else the payload says: the test of the deployed model, and what was not seen."""
    kept = mapping(payload.get("kept"))
    unseen = payload.get("records_without_signal")
    findings = kept.get("findings") or payload.get("findings")
    return (
        Fact(name=_("Confidence of each one-sided bound"), value=_confidence(payload)),
        Fact(
            name=_("Deployed model against models that never saw the records"), value=_p(payload)
        ),
        Fact(
            name=_("Records that the attack was not shown to see before unlearning"),
            value=_("%(n)s (random index: %(indices)s)")
            % {"n": len(unseen), "indices": listed(unseen)}
            if unseen
            else _none(unseen),
        ),
        Fact(
            name=_("Faults of the experiment"),
            value=listed(findings) if findings else _("none"),
            stored=bool(findings),
        ),
        Fact(
            name=_("Attempt on these records of this version"), value=text(payload.get("attempt"))
        ),
        Fact(name=_("Records that stay, told from strangers"), value=_retained(payload)),
        Fact(name=_("How the shadow models were trained"), value=_engine(payload)),
        Fact(name=_("Digest of the design"), value=text(payload.get("design_digest"))),
        Fact(name=_("Digest of the policy"), value=text(payload.get("policy_digest"))),
    )


def _engine(payload: Mapping[str, Any]) -> str:
    """Return how many models were trained in which way, and why so."""
    found = mapping(payload.get("engine"))
    models = mapping(found.get("models"))
    counted = text(listed([f"{number} {path}" for path, number in models.items()]))
    return f"{counted} ({found['reason']})" if found.get("reason") else counted


def population_rows(payload: Mapping[str, Any]) -> tuple[PopulationRow, ...]:
    """Return the population attack before and after unlearning."""
    names = {"original": _("Before unlearning"), "unlearned": _("After unlearning")}
    return tuple(
        PopulationRow(
            model=words,
            auc=interval(found.get("auc")),
            advantage=interval(found.get("advantage")),
            records=text(found.get("records")),
        )
        for name, words in names.items()
        if (found := mapping(payload.get(name)))
    )


def check_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the checks behind an erasure by construction."""
    found = mapping(payload.get("checks"))
    known = {name: _(CHECKS[name]) for name in CHECKS if name in found}
    others = {name: name.replace("_", " ").capitalize() for name in found if name not in CHECKS}
    return tuple(
        Fact(name=words, value=_check(name, found[name]))
        for name, words in (known | others).items()
    )


def gate_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what the release gate measured, before and after."""
    if reason := payload.get("not_computed"):
        return (Fact(name=_("Result"), value=f"{not_computed()} ({reason})"),)
    names = {
        "accuracy": _("Accuracy"),
        "adversarial": _("Accuracy on inputs moved against the model"),
    }
    pairs = ((words, mapping(payload.get(name))) for name, words in names.items())
    return (
        Fact(
            name=_("Records that neither version learned from"), value=text(payload.get("records"))
        ),
        *(
            Fact(
                name=words,
                value=_("%(before)s, then %(after)s")
                % {"before": percent(row.get("before")), "after": percent(row.get("after"))},
            )
            for words, row in pairs
            if row
        ),
        Fact(name=_("Tolerated loss"), value=percent(payload.get("margin"))),
        *(
            Fact(name=_("Of it, tolerated as chance in addition"), value=percent(row.get("noise")))
            for row in [mapping(payload.get("accuracy"))]
            if row
        ),
        Fact(name=_("The version may be shown"), value=line(payload.get("allowed"))),
    )


def canary_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what the attacks on canaries saw, before and after."""
    return tuple(Fact(name=name, value=value) for name, value in canary_words(payload, told))


def policy_facts(policy: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the rules of the audit, which were fixed before the first score."""
    return tuple(
        Fact(name=_(POLICY.get(name, name.replace("_", " "))), value=_ruled(name, value))
        for name, value in policy.items()
    )


def _ruled(name: str, value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a value of the policy in words."""
    if not isinstance(value, list | str):
        return line(value)
    known = attack_titles() if name == "attacks" else {code: _(CODES[code]) for code in CODES}
    codes = value if isinstance(value, list) else [value]
    return text(listed([known.get(str(one), str(one).replace("_", " ")) for one in codes]))


def _check(name: str, value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if name in ("overlapping", "inexact"):
        return listed(value) if value else _("none")
    if name == "smoke" and not value:
        return _("not run")
    return line(value)


def _retained(payload: Mapping[str, Any]) -> str:
    found = mapping(payload.get("retained"))
    if "increase" not in found:
        return text(found.get("not_computed"))
    words = (
        _(
            "%(before)s before, %(after)s after, increase at least %(lower)s; more than is "
            "tolerated"
        )
        if found.get("flagged") is True
        else _("%(before)s before, %(after)s after, increase at least %(lower)s")
    )
    return words % {name: number(found.get(name)) for name in ("before", "after", "lower")}


def _confidence(payload: Mapping[str, Any]) -> str:
    found = payload.get("alpha")
    return f"{100 * (1 - found):.4g} %" if isinstance(found, float) else not_computed()


def _p(payload: Mapping[str, Any]) -> str:
    found = payload.get("instance_p")
    if not isinstance(found, float):
        return _("not computed (no test of the instance)")
    models, shown = payload.get("instance_models"), f"{found:.4f}"
    if not isinstance(models, int) or not models:
        return f"p = {shown}"
    return _("p = %(p)s, beside %(models)s models trained for it") % {"p": shown, "models": models}


def _none(unseen: Any) -> str:  # noqa: ANN401  (any JSON value)
    return _("none") if unseen == [] else not_computed()
