"""From measurements to one outcome, with the reasons in plain sentences.

The order of the rules is part of the policy: a broken experiment says nothing, a leak outranks
everything else, a destroyed model cannot pass, and a pass needs proof that the same attack saw the
records before they were unlearned (assay sensitivity, as in equivalence trials).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from audits.core.policy import AuditData

if TYPE_CHECKING:
    from audits.core.estimates import Contrast, Estimate, Level, Measurements
    from audits.core.policy import EvidencePolicy


class Outcome(StrEnum):
    """What an audit concluded."""

    INVALID = "INVALID"
    FAIL = "FAIL"
    DESTROYED = "DESTROYED"
    PASS_LEAK = "PASS_LEAK"  # noqa: S105  (an outcome, not a password)
    PASS_STRICT = "PASS_STRICT"  # noqa: S105  (an outcome, not a password)
    NO_SIGNAL = "NO_SIGNAL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERASED_BY_CONSTRUCTION = "ERASED_BY_CONSTRUCTION"
    BOUNDED_IN_TRAINING = "BOUNDED_IN_TRAINING"
    BOUNDED_REMOVAL = "BOUNDED_REMOVAL"

    @property
    def closes(self) -> bool:
        """Return whether the case may be closed on this outcome alone."""
        return self in {
            self.PASS_LEAK,
            self.PASS_STRICT,
            self.ERASED_BY_CONSTRUCTION,
            self.BOUNDED_IN_TRAINING,
            self.BOUNDED_REMOVAL,
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An outcome and why; ``incident`` asks for a person to look at once."""

    outcome: Outcome
    reasons: tuple[str, ...]
    incident: bool = False


@dataclass(frozen=True, kw_only=True)
class ExactChecks:
    """What lineage and replay say about an exactly unlearned model.

    Attributes:
        manifest_matches: the recomputed manifest digest equals the recorded one.
        overlapping: ancestors whose inputs still hold a record of the forget set.
        inexact: ancestors that were not themselves made exactly.
        code_digest: digest of the code that ran; empty where it was not recorded.
        environment_digest: digest of the environment; empty where it was not recorded.
        smoke: outcome of the attack run as a smoke alarm; None where none was run.
    """

    manifest_matches: bool
    overlapping: tuple[str, ...] = ()
    inexact: tuple[str, ...] = ()
    code_digest: str
    environment_digest: str
    smoke: Outcome | None = None


def decide(policy: EvidencePolicy, measured: Measurements) -> Verdict:
    """Return the first outcome whose rule holds: invalid, fail, destroyed, pass, no signal."""
    ordered = (
        (Outcome.INVALID, measured.findings),
        (Outcome.FAIL, _leaks(policy, measured)),
        (Outcome.DESTROYED, _losses(policy, measured)),
    )
    for outcome, reasons in ordered:
        if reasons:
            return Verdict(outcome=outcome, reasons=reasons)
    missing = _missing_for_pass(policy, measured)
    if not missing:
        return _pass(policy, measured)
    if blind := _blind(policy, measured):
        return Verdict(outcome=Outcome.NO_SIGNAL, reasons=blind)
    return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=missing)


def decide_exact(checks: ExactChecks) -> Verdict:
    """Return whether an exactly unlearned model is erased by construction.

    Lineage is the evidence. An attack can only contradict it: a failed smoke alarm is an incident,
    since a copy, a warm start or a cached feature must have carried the record past the lineage.
    """
    if checks.smoke is Outcome.FAIL:
        reason = "The attack still sees the erased records in a model that lineage calls clean."
        return Verdict(outcome=Outcome.FAIL, reasons=(reason,), incident=True)
    if broken := _broken_proof(checks):
        return Verdict(outcome=Outcome.INVALID, reasons=broken)
    if checks.inexact:
        reason = f"Not every ancestor was made exactly: {', '.join(checks.inexact)}."
        return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=(reason,))
    reasons = (
        "The manifest digest matches, no ancestor's inputs hold a record of the forget set, every "
        "ancestor was made exactly, and the code and environment are recorded.",
        f"Smoke alarm: {checks.smoke.value if checks.smoke else 'not run'}.",
    )
    return Verdict(outcome=Outcome.ERASED_BY_CONSTRUCTION, reasons=reasons)


def _broken_proof(checks: ExactChecks) -> tuple[str, ...]:
    reasons = []
    if not checks.manifest_matches:
        reasons.append("The manifest digest does not match the recorded one.")
    if checks.overlapping:
        held = ", ".join(checks.overlapping)
        reasons.append(f"Records of the forget set are still among the inputs of {held}.")
    reasons += [
        f"The {name} digest was not recorded."
        for name, digest in (
            ("code", checks.code_digest),
            ("environment", checks.environment_digest),
        )
        if not digest
    ]
    return tuple(reasons)


def _confidence(measured: Measurements) -> str:
    return f"with {100 * (1 - measured.alpha):.3g} % confidence"


def _leaks(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    """Return a reason for each level, whether or not it decides, where a leak is shown."""
    reasons = [
        f"{_name(level)}: after unlearning the attack has an advantage of at least "
        f"{found.lower:.3f} {_confidence(measured)}, above the margin {policy.margin(level):.2f} "
        f"(estimate {found.estimate:.3f}, {_models(found)})."
        for level, found in measured.leak.levels()
        if found.lower > policy.margin(level)
    ]
    if measured.instance_p is not None and measured.instance_p < policy.alpha_instance:
        reasons.append(
            f"The deployed model stands out from models that never saw the records: "
            f"p = {measured.instance_p:.4f}, below {policy.alpha_instance:g}."
        )
    return tuple(reasons)


def _losses(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    utility = measured.utility
    if utility is None:
        return ()
    accuracies = (
        ("Retained", utility.reference_retained, utility.unlearned_retained),
        ("Test", utility.reference_test, utility.unlearned_test),
    )
    return tuple(
        f"{name} accuracy fell from {before:.4f} to {after:.4f}, more than the margin "
        f"{policy.margin_utility:g}; a destroyed model leaks nothing and proves nothing."
        for name, before, after in accuracies
        if not before - after <= policy.margin_utility
    )


def _missing_for_pass(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    missing = []
    if not measured.can_pass:
        missing.append("This attack is descriptive and can never clear a model.")
    if measured.utility is None:
        missing.append("The accuracy of the unlearned models was not measured.")
    if policy.audit_data is AuditData.SURROGATE and measured.instance_p is None:
        missing.append(
            "The shadow models learned from surrogates; the deployed model was not tested."
        )
    for level in policy.levels:
        missing += _missing_at(level, policy.margin(level), measured)
    return tuple(missing)


def _missing_at(level: Level, margin: float, measured: Measurements) -> list[str]:
    leak, before = measured.leak.at(level), measured.before.at(level)
    missing = []
    if not leak.upper <= margin:
        missing.append(
            f"{_name(level)}: after unlearning the advantage may be as large as {leak.upper:.3f}, "
            f"above the margin {margin:.2f} (estimate {leak.estimate:.3f}, {_models(leak)})."
        )
    if not before.lower > margin:
        missing.append(
            f"{_name(level)}: before unlearning the attack's advantage is only known to be at "
            f"least {before.lower:.3f}, which does not exceed the margin {margin:.2f}."
        )
    return missing


def _blind(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    found = ((level, measured.before.at(level)) for level in policy.levels)
    return tuple(
        f"{_name(level)}: even before unlearning the attack's advantage was at most "
        f"{before.upper:.3f} {_confidence(measured)}, within the margin "
        f"{policy.margin(level):.2f}; it says nothing about unlearning."
        for level, before in found
        if before.upper <= policy.margin(level)
    )


def _pass(policy: EvidencePolicy, measured: Measurements) -> Verdict:
    reasons = [_claim(level, measured) for level in policy.levels]
    equal = measured.equivalence
    if equal is None:
        reasons.append("No retrained models were compared, so only the leak is bounded.")
        return Verdict(outcome=Outcome.PASS_LEAK, reasons=tuple(reasons))
    strict = all(equal.at(level).upper <= policy.margin(level) for level in policy.levels)
    reasons += [_distance(level, equal) for level in policy.levels]
    outcome = Outcome.PASS_STRICT if strict else Outcome.PASS_LEAK
    return Verdict(outcome=outcome, reasons=tuple(reasons))


def _claim(level: Level, measured: Measurements) -> str:
    leak, before = measured.leak.at(level), measured.before.at(level)
    return (
        f"{_name(level)}: {_confidence(measured)}, over the randomness of training and "
        f"unlearning, the attack fitted to these shadow models tells 'was trained on, then "
        f"unlearned' from 'never was' with an advantage of at most {leak.upper:.3f} (right at "
        f"most {50 + 50 * leak.upper:.1f} % of the time); before unlearning it had at least "
        f"{before.lower:.3f} ({_models(leak)})."
    )


def _distance(level: Level, equal: Contrast) -> str:
    upper = equal.at(level).upper
    return f"{_name(level)}: told from a retrained model with an advantage of at most {upper:.3f}."


def _name(level: Level) -> str:
    return level.words.capitalize()


def _models(found: Estimate) -> str:
    return f"judged on {found.n_in} against {found.n_out} models"
