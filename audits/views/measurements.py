"""What a payload says besides its contrasts: accuracies, checks, the population attack.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.core.canary_words import canary_words
from audits.views.cells import NOT_COMPUTED, interval, line, listed, mapping, number, percent, text

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


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and its value in words."""

    name: str
    value: str

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
    names = {
        "reference_retained": "Retained records, models that never saw the erased ones",
        "unlearned_retained": "Retained records, unlearned models",
        "reference_test": "Test records, models that never saw the erased ones",
        "unlearned_test": "Test records, unlearned models",
    }
    return tuple(
        Fact(name=words, value=percent(found.get(name))) for name, words in names.items() if found
    )


def kept_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what else the payload says: the test of the deployed model, and what was not seen."""
    kept = mapping(payload.get("kept"))
    unseen = payload.get("records_without_signal")
    findings = kept.get("findings") or payload.get("findings") or ["none"]
    return (
        Fact(name="Confidence of each one-sided bound", value=_confidence(payload)),
        Fact(name="Deployed model against models that never saw the records", value=_p(payload)),
        Fact(
            name="Records that the attack was not shown to see before unlearning",
            value=f"{len(unseen)} (random index: {listed(unseen)})" if unseen else _none(unseen),
        ),
        Fact(name="Faults of the experiment", value=listed(findings)),
        Fact(name="Attempt on these records of this version", value=text(payload.get("attempt"))),
        Fact(name="Records that stay, told from strangers", value=_retained(payload)),
        Fact(name="How the shadow models were trained", value=_engine(payload)),
        Fact(name="Digest of the design", value=text(payload.get("design_digest"))),
        Fact(name="Digest of the policy", value=text(payload.get("policy_digest"))),
    )


def _engine(payload: Mapping[str, Any]) -> str:
    """Return how many models were trained in which way, and why so."""
    found = mapping(payload.get("engine"))
    models = mapping(found.get("models"))
    told = text(listed([f"{number} {path}" for path, number in models.items()]))
    return f"{told} ({found['reason']})" if found.get("reason") else told


def population_rows(payload: Mapping[str, Any]) -> tuple[PopulationRow, ...]:
    """Return the population attack before and after unlearning."""
    names = {"original": "Before unlearning", "unlearned": "After unlearning"}
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
    known = {name: CHECKS[name] for name in CHECKS if name in found}
    others = {name: name.replace("_", " ").capitalize() for name in found if name not in CHECKS}
    return tuple(
        Fact(name=words, value=_check(name, found[name]))
        for name, words in (known | others).items()
    )


def gate_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what the release gate measured, before and after."""
    if reason := payload.get("not_computed"):
        return (Fact(name="Result", value=f"{NOT_COMPUTED} ({reason})"),)
    names = {"accuracy": "Accuracy", "adversarial": "Accuracy on inputs moved against the model"}
    pairs = ((words, mapping(payload.get(name))) for name, words in names.items())
    return (
        Fact(name="Records that neither version learned from", value=text(payload.get("records"))),
        *(
            Fact(
                name=words, value=f"{percent(row.get('before'))}, then {percent(row.get('after'))}"
            )
            for words, row in pairs
            if row
        ),
        Fact(name="Tolerated loss", value=percent(payload.get("margin"))),
        *(
            Fact(name="Of it, tolerated as chance in addition", value=percent(row.get("noise")))
            for row in [mapping(payload.get("accuracy"))]
            if row
        ),
        Fact(name="The version may be shown", value=line(payload.get("allowed"))),
    )


def canary_facts(payload: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what the attacks on canaries saw, before and after."""
    return tuple(Fact(name=name, value=value) for name, value in canary_words(payload))


def policy_facts(policy: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the rules of the audit, which were fixed before the first score."""
    return tuple(
        Fact(name=POLICY.get(name, name.replace("_", " ")), value=line(value).replace("_", " "))
        for name, value in policy.items()
    )


def _check(name: str, value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if name in ("overlapping", "inexact"):
        return listed(value) if value else "none"
    if name == "smoke" and not value:
        return "not run"
    return line(value)


def _retained(payload: Mapping[str, Any]) -> str:
    found = mapping(payload.get("retained"))
    if "increase" not in found:
        return text(found.get("not_computed"))
    flag = "; more than is tolerated" if found.get("flagged") is True else ""
    return (
        f"{number(found.get('before'))} before, {number(found.get('after'))} after, increase at "
        f"least {number(found.get('lower'))}{flag}"
    )


def _confidence(payload: Mapping[str, Any]) -> str:
    found = payload.get("alpha")
    return f"{100 * (1 - found):.4g} %" if isinstance(found, float) else NOT_COMPUTED


def _p(payload: Mapping[str, Any]) -> str:
    found = payload.get("instance_p")
    if not isinstance(found, float):
        return f"{NOT_COMPUTED} (no test of the instance)"
    models = payload.get("instance_models")
    beside = (
        f", beside {models} models trained for it" if isinstance(models, int) and models else ""
    )
    return f"p = {found:.4f}{beside}"


def _none(unseen: Any) -> str:  # noqa: ANN401  (any JSON value)
    return "none" if unseen == [] else NOT_COMPUTED
