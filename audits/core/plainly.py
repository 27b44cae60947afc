"""One plain sentence for the person: what the test of a model showed, and no more than that.

It speaks of the person as a whole, of chances in a hundred, and of a coin toss to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from audits.core.estimates import Level
from audits.core.policy import AuditData
from audits.core.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.core.estimates import Measurements
    from audits.core.policy import EvidencePolicy

HOW = {
    AuditData.OWN_RECORDS: "We tested {models} models, half of them with your data, and removed "
    "it as we did from ours",
    AuditData.SURROGATE: "We tested {models} models, half of them with other people's data that "
    "is like yours, and removed it as we removed yours from our model",
}
UNKNOWN = {
    Outcome.INVALID: "the test itself did not work, so it says nothing",
    Outcome.DESTROYED: "what is left of the model is too poor to say anything",
    Outcome.NO_SIGNAL: "the attack did not see such data even before, so its silence is no answer",
    Outcome.INCONCLUSIVE: "the test does not rule out that traces are left",
}


def for_the_person(
    outcome: Outcome, measured: Measurements | Mapping[str, Measurements], policy: EvidencePolicy
) -> str:
    """Return one sentence that a person without technical knowledge can read.

    Of several attacks it tells of the best one that decided, so that it holds for each of them.

    Args:
        outcome: of the audit.
        measured: what one attack measured, or several by name, the main one first.
        policy: the rules of the audit.

    Raises:
        ValueError: the outcome does not come from an attack.
    """
    attacks = list(measured.values()) if isinstance(measured, Mapping) else [measured]
    leak = attacks[0].leak.at(Level.SUBJECT)
    how = HOW[policy.audit_data].format(models=leak.n_in + leak.n_out)
    passed = pass_in_numbers(outcome, measured, policy)
    if passed:
        return (
            f"{how}; an attack that guesses which ones had it is right at most "
            f"{passed['right_at_most']} times in 100, where a coin is right 50 times and before "
            f"the removal it was right at least {passed['right_before_at_least']} times; at most "
            f"{passed['wrong_in_100']:.3g} such tests in 100 say so wrongly."
        )
    if outcome is Outcome.FAIL:
        return f"{how}; {_found(attacks, policy)}, so the model is not used."
    if outcome in UNKNOWN:
        return f"{how}; {UNKNOWN[outcome]}, and we do not rely on it."
    raise ValueError(f"outcome is {outcome}; it does not come from an attack.")


def pass_in_numbers(
    outcome: Outcome, measured: Measurements | Mapping[str, Measurements], policy: EvidencePolicy
) -> dict[str, Any] | None:
    """Return what the sentence of a pass says, as a code and numbers, for any language.

    None where the outcome is no pass. The members are ``data``, a value of ``AuditData``;
    ``models``, how many were tested; ``right_at_most`` and ``right_before_at_least``, times in
    100, rounded against us; ``wrong_in_100``, how many such tests at most say so wrongly.
    """
    if outcome not in {Outcome.PASS_LEAK, Outcome.PASS_STRICT}:
        return None
    attacks = list(measured.values()) if isinstance(measured, Mapping) else [measured]
    deciding = [one for one in attacks if one.can_pass]
    leak = attacks[0].leak.at(Level.SUBJECT)
    return {
        "data": policy.audit_data.value,
        "models": leak.n_in + leak.n_out,
        "right_at_most": ceil(50 + 50 * max(one.leak.at(Level.SUBJECT).upper for one in deciding)),
        "right_before_at_least": floor(50 + 50 * min(one.seen(Level.SUBJECT) for one in deciding)),
        "wrong_in_100": 100 * policy.alpha,
    }


def _found(attacks: Sequence[Measurements], policy: EvidencePolicy) -> str:
    """Return what a fail rests on: the models that were compared, or the one in use alone."""
    p = attacks[0].instance_p
    leaks = any(
        found.lower > policy.margin(level) for one in attacks for level, found in one.leak.levels()
    )
    if leaks or p is None or not p < policy.alpha_instance:
        return "an attack still tells them apart"
    return "our own model stands out from models that never had your data"
