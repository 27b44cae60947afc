"""One plain sentence for the person: what the test of a model showed, and no more than that.

It speaks of the person as a whole, of chances in a hundred, and of a coin toss to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import TYPE_CHECKING

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
    if outcome in {Outcome.PASS_LEAK, Outcome.PASS_STRICT}:
        deciding = [one for one in attacks if one.can_pass]
        most = max(one.leak.at(Level.SUBJECT).upper for one in deciding)
        least = min(one.seen(Level.SUBJECT) for one in deciding)
        return (
            f"{how}; an attack that guesses which ones had it is right at most "
            f"{ceil(50 + 50 * most)} times in 100, where a coin is right 50 times and before the "
            f"removal it was right at least {floor(50 + 50 * least)} times; at most "
            f"{_once(policy.alpha)} such tests in 100 say so wrongly."
        )
    if outcome is Outcome.FAIL:
        return f"{how}; {_found(attacks, policy)}, so the model is not used."
    if outcome in UNKNOWN:
        return f"{how}; {UNKNOWN[outcome]}, and we do not rely on it."
    raise ValueError(f"outcome is {outcome}; it does not come from an attack.")


def _once(alpha: float) -> str:
    return f"{100 * alpha:.3g}"


def _found(attacks: Sequence[Measurements], policy: EvidencePolicy) -> str:
    """Return what a fail rests on: the models that were compared, or the one in use alone."""
    p = attacks[0].instance_p
    leaks = any(
        found.lower > policy.margin(level) for one in attacks for level, found in one.leak.levels()
    )
    if leaks or p is None or not p < policy.alpha_instance:
        return "an attack still tells them apart"
    return "our own model stands out from models that never had your data"
