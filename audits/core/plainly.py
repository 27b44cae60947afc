"""One plain sentence for the person: what the test of a model showed, and no more than that.

It speaks of the person as a whole, of chances in a hundred, and of a coin toss to compare with.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from audits.core.estimates import Level
from audits.core.policy import AuditData
from audits.core.verdict import Outcome

if TYPE_CHECKING:
    from audits.core.estimates import Estimate, Measurements
    from audits.core.policy import EvidencePolicy

HOW = {
    AuditData.OWN_RECORDS: "We trained {models} models, half of them with your data, and removed "
    "it as we did from ours",
    AuditData.SURROGATE: "We trained {models} models, half of them with other people's data that "
    "is like yours, and removed it as we removed yours from our model",
}
UNKNOWN = {
    Outcome.INVALID: "the test itself did not work, so it says nothing",
    Outcome.DESTROYED: "what is left of the model is too poor to say anything",
    Outcome.NO_SIGNAL: "the attack did not see such data even before, so its silence is no answer",
    Outcome.INCONCLUSIVE: "too few models were compared to rule out that traces are left",
}


def for_the_person(outcome: Outcome, measured: Measurements, policy: EvidencePolicy) -> str:
    """Return one sentence that a person without technical knowledge can read.

    Raises:
        ValueError: the outcome does not come from an attack.
    """
    leak, before = measured.leak.at(Level.SUBJECT), measured.before.at(Level.SUBJECT)
    how = HOW[policy.audit_data].format(models=leak.n_in + leak.n_out)
    if outcome in {Outcome.PASS_LEAK, Outcome.PASS_STRICT}:
        return (
            f"{how}; an attack that guesses which ones had it is right at most {_most(leak)} "
            f"times in 100, where a coin is right 50 times and before the removal it was right "
            f"at least {_least(before)} times."
        )
    if outcome is Outcome.FAIL:
        return f"{how}; an attack still tells them apart, so the model is not used."
    if outcome in UNKNOWN:
        return f"{how}; {UNKNOWN[outcome]}, and we do not rely on it."
    raise ValueError(f"outcome is {outcome}; it does not come from an attack.")


def _most(found: Estimate) -> int:
    return ceil(50 + 50 * found.upper)


def _least(found: Estimate) -> int:
    return floor(50 + 50 * found.lower)
