"""From measurements to one outcome, with the reasons in plain sentences.

The order of the rules is part of the policy: a broken experiment says nothing, a leak outranks
everything else, a destroyed model cannot pass, and a pass needs proof that the same attack saw the
records before they were unlearned (assay sensitivity, as in equivalence trials).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from audits.core.failing import leaks
from audits.core.policy import AuditData
from audits.core.wording import (
    NOT_COVERED,
    about,
    attainable,
    claim,
    confidence,
    distance,
    everybody,
    models,
    name,
    owes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from audits.core.estimates import Level, Measurements
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


def decide(policy: EvidencePolicy, measured: Measurements | Mapping[str, Measurements]) -> Verdict:
    """Return the first outcome whose rule holds: invalid, fail, destroyed, pass, no signal.

    Args:
        policy: the rules that were fixed beforehand.
        measured: what one attack measured, or several by name. Any attack may fail a model, with
            a correction for their number. A pass needs every attack that ``can_pass`` to bound
            the leak and to have seen the records before, at the full error (an intersection-union
            test); the other attacks can fail it and are shown.

    Raises:
        NotComparable: attacks that are given together were not measured under the same rules.
        ValueError: no attack is given.
    """
    attacks = measured if isinstance(measured, Mapping) else {"": measured}
    if not attacks:
        raise ValueError("No attack was measured; at least one is needed for a verdict.")
    ordered = (
        (Outcome.INVALID, _broken(attacks)),
        (Outcome.FAIL, leaks(policy, attacks)),
        (Outcome.DESTROYED, _lost(policy, attacks)),
    )
    for outcome, reasons in ordered:
        if reasons:
            return Verdict(outcome=outcome, reasons=reasons)
    deciding = {attack: one for attack, one in attacks.items() if one.can_pass} or attacks
    missing = _each(deciding, lambda one: _missing_for_pass(policy, one))
    if not missing:
        return _pass(policy, deciding)
    blind = {attack: _blind(policy, one) for attack, one in deciding.items()}
    if all(blind.values()):
        reasons = _each(deciding, lambda one: _blind(policy, one))
        return Verdict(outcome=Outcome.NO_SIGNAL, reasons=reasons)
    reach = _each(deciding, lambda one: _reach(policy, one))
    return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=(*missing, *reach))


def _each(
    attacks: Mapping[str, Measurements], reasons: Callable[[Measurements], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the reasons of every attack, once each, with its name where there are several."""
    found = [about(attack, each) for attack, one in attacks.items() for each in reasons(one)]
    return tuple(dict.fromkeys(found))


def _broken(attacks: Mapping[str, Measurements]) -> tuple[str, ...]:
    """Return what is wrong with the experiment: it is the same whichever attack looked at it."""
    return tuple(dict.fromkeys(each for one in attacks.values() for each in one.findings))


def _lost(policy: EvidencePolicy, attacks: Mapping[str, Measurements]) -> tuple[str, ...]:
    """Return what was lost: the models are the same whichever attack looked at them."""
    return tuple(dict.fromkeys(each for one in attacks.values() for each in _losses(policy, one)))


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
    if measured.spent:
        missing.append(
            f"This is attempt {measured.attempt} on the same records of the same version; the "
            f"first spent all that a pass may err, so this one can fail and cannot pass."
        )
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
    leak, seen = measured.leak.at(level), measured.seen(level)
    missing = []
    if not leak.upper <= margin:
        missing.append(
            f"{name(level)}: after unlearning the advantage may be as large as {leak.upper:.3f}, "
            f"above the margin {margin:.2f} (estimate {leak.estimate:.3f}, {models(leak)})."
        )
    if not seen > margin:
        missing.append(
            f"{name(level)}: before unlearning the attack's advantage is only known to be at "
            f"least {seen:.3f}{everybody(level, measured)}, which does not exceed the margin "
            f"{margin:.2f}."
        )
    return missing


def _reach(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    """Return what so many models can show at all, at each level that was not bounded."""
    open_levels = [
        level
        for level in policy.levels
        if level in measured.power and measured.leak.at(level).upper > policy.margin(level)
    ]
    found = [attainable(level, policy.margin(level), measured) for level in open_levels]
    return (*found, owes(measured)) if measured.debt > 0 else tuple(found)


def _blind(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    found = ((level, measured.before.at(level)) for level in policy.levels)
    return tuple(
        f"{name(level)}: even before unlearning the attack's advantage was at most "
        f"{before.upper:.3f} {confidence(measured)}, within the margin "
        f"{policy.margin(level):.2f}; it says nothing about unlearning."
        for level, before in found
        if before.upper <= policy.margin(level)
    )


def _pass(policy: EvidencePolicy, attacks: Mapping[str, Measurements]) -> Verdict:
    claims = _each(attacks, lambda one: tuple(claim(level, one) for level in policy.levels))
    distances = _each(attacks, lambda one: _distances(policy, one))
    if alone := _not_compared(attacks):
        reasons = (*claims, *distances, alone, NOT_COVERED)
        return Verdict(outcome=Outcome.PASS_LEAK, reasons=reasons)
    strict = all(_strict(policy, one) for one in attacks.values())
    outcome = Outcome.PASS_STRICT if strict else Outcome.PASS_LEAK
    return Verdict(outcome=outcome, reasons=(*claims, *distances, NOT_COVERED))


def _not_compared(attacks: Mapping[str, Measurements]) -> str:
    """Return that retrained models were not compared, or by which attacks not; empty if by all."""
    without = [attack for attack, one in attacks.items() if one.equivalence is None]
    if not without:
        return ""
    if len(without) == len(attacks):
        return "No retrained models were compared, so only the leak is bounded."
    return (
        f"Retrained models were not compared by {', '.join(without)}, so of all attacks together "
        f"only the leak is bounded."
    )


def _strict(policy: EvidencePolicy, measured: Measurements) -> bool:
    equal = measured.equivalence
    return equal is not None and all(
        equal.at(level).upper <= policy.margin(level) for level in policy.levels
    )


def _distances(policy: EvidencePolicy, measured: Measurements) -> tuple[str, ...]:
    equal = measured.equivalence
    return (
        () if equal is None else tuple(distance(level, equal, measured) for level in policy.levels)
    )
