"""The attacks that this platform has, by the names of their files."""

from __future__ import annotations

from audits.core.attack import Attack, RecordAttack
from audits.core.kinds import of_kind
from audits.core.policy import PolicyRefused


class AttackUnknown(PolicyRefused):
    """No attack on records has this name."""


def registered() -> dict[str, str]:
    """Return the titles of all attacks by name."""
    return {name: attack.title for name, attack in of_kind(Attack).items()}


def attack_named(name: str) -> type[RecordAttack]:
    """Return an attack on records, which an audit can make.

    Raises:
        AttackUnknown: the sentence names the attack, and those that there are.
    """
    known = of_kind(RecordAttack)
    if name not in known:
        raise AttackUnknown(f"attacks holds {name!r}; an audit can make {', '.join(known)}.")
    return known[name]
