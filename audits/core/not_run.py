"""Which known attacks an audit did not run, and why: absence of a finding is no finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

AVAILABLE = "This platform has it, and it was not part of this audit."


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """An attack by its name, and the reason in a sentence."""

    attack: str
    reason: str


NEVER = (
    NotRun(
        attack="White-box attacks (weights, gradients, activations)",
        reason="The audited attacker reads probabilities; whoever holds the weights may see more.",
    ),
    NotRun(
        attack="Label-only attacks",
        reason="They see less than the audited attacker, who reads probabilities.",
    ),
    NotRun(
        attack="Reconstruction and model inversion",
        reason="They ask what a record contains, not whether it was learned.",
    ),
    NotRun(
        attack="Attribute and property inference",
        reason="They ask about traits of people or of the data set, which erasure does not change "
        "by itself.",
    ),
    NotRun(
        attack="Attacks with records poisoned before training",
        reason="The attacker would have had to supply training data. Canaries are the auditor's.",
    ),
    NotRun(
        attack="Extraction from generated text or pictures",
        reason="Only models that classify are audited.",
    ),
)


def not_run(ran: Collection[str], registered: Mapping[str, str]) -> tuple[NotRun, ...]:
    """Return every known attack that was not run.

    Args:
        ran: names of the attacks that were, as they are registered.
        registered: titles by name of all that this platform has.
    """
    left = (
        NotRun(attack=title, reason=AVAILABLE)
        for name, title in sorted(registered.items())
        if name not in ran
    )
    return (*left, *NEVER)
