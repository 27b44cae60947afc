"""Which leaks an audit may name.

The main attack on one subject fails at each level at the error that the policy gives each level.
The other attacks together have that error once more, and several subjects share it among all
attacks: their number is corrected for, over all levels (Holm), or a request would fail the sooner
the more was asked about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.multiplicity import holm
from audits.core.wording import about, confidence, models, name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audits.core.estimates import Estimate, Hypothesis, Level, Measurements
    from audits.core.policy import EvidencePolicy

# The bound was chosen among several, and only the p-value is corrected for that.
ALONE = " in this comparison by itself"


class NotComparable(ValueError):
    """Attacks that were measured under different rules are judged together."""


def leaks(policy: EvidencePolicy, attacks: Mapping[str, Measurements]) -> tuple[str, ...]:
    """Return a reason for each leak that is shown, whether or not its level decides.

    Raises:
        NotComparable: several attacks are given, and one has no hypotheses or another error.
    """
    first = next(iter(attacks.values()))
    if len(attacks) > 1:
        _check(attacks)
    shown = tuple(_standing_out(policy, attacks))
    if any(one.part for one in first.hypotheses):
        return (*_corrected(policy, attacks), *shown)
    main, *others = attacks
    found = [about(main, sentence) for sentence in _alone(policy, first)]
    return (*found, *_corrected(policy, {name: attacks[name] for name in others}), *shown)


def _check(attacks: Mapping[str, Measurements]) -> None:
    for attack, measured in attacks.items():
        if not measured.hypotheses:
            raise NotComparable(
                f"{attack} has no hypotheses; attacks that are judged together need them."
            )
    if len({measured.alpha for measured in attacks.values()}) > 1:
        raise NotComparable("The attacks were measured at different error probabilities.")


def _alone(policy: EvidencePolicy, measured: Measurements) -> Iterator[str]:
    """Yield each level that fails by itself."""
    for level, found in measured.leak.levels():
        if found.lower > policy.margin(level):
            yield f"{_leak(policy, name(level), level, found, measured)})."


def _corrected(policy: EvidencePolicy, attacks: Mapping[str, Measurements]) -> Iterator[str]:
    asked = {
        (attack, number): one
        for attack, measured in attacks.items()
        for number, one in enumerate(measured.hypotheses)
    }
    adjusted = holm({key: one.p for key, one in asked.items()})
    for key, one in asked.items():
        attack, measured = key[0], attacks[key[0]]
        if adjusted[key] < measured.alpha:
            who = _who(one, measured)
            yield about(
                attack,
                f"{_leak(policy, who, one.level, one.found, measured, ALONE)}; p = "
                f"{adjusted[key]:.2g} after Holm's correction for {len(asked)} comparisons).",
            )


def _who(one: Hypothesis, measured: Measurements) -> str:
    if not one.part:
        return name(one.level)
    count = max(each.part for each in measured.hypotheses)
    return f"{name(one.level)} {one.part} of {count}, in a random order"


def _leak(
    policy: EvidencePolicy,
    who: str,
    level: Level,
    found: Estimate,
    measured: Measurements,
    of_what: str = "",
) -> str:
    """Return the sentence up to its last bracket; ``of_what`` says what the confidence is in."""
    return (
        f"{who}: after unlearning the attack has an advantage of at least {found.lower:.3f} "
        f"{confidence(measured)}{of_what}, above the margin {policy.margin(level):.2f} "
        f"(estimate {found.estimate:.3f}, {models(found)}"
    )


def _standing_out(policy: EvidencePolicy, attacks: Mapping[str, Measurements]) -> Iterator[str]:
    """Yield that the deployed model stands out: one test, whichever attack carries it along."""
    tested = [one.instance_p for one in attacks.values() if one.instance_p is not None]
    if tested and tested[0] < policy.alpha_instance:
        yield (
            f"The deployed model stands out from models that never saw the records: "
            f"p = {tested[0]:.4f}, below {policy.alpha_instance:g}."
        )
