"""The attacks that this platform has, by the names of their files."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TypeGuard

from audits import attacks
from audits.core.attack import Attack, RecordAttack
from audits.core.policy import PolicyRefused

ATTACKS = ("u_lira", "neighbourhood")  # made where EXPUNGE_POLICY does not say otherwise


class AttackUnknown(PolicyRefused):
    """No attack has this name."""


def registered() -> dict[str, str]:
    """Return the titles of all attacks by name: a file holds one, and its name is the attack's."""
    return {name: attack.title for name, attack in _all().items()}


def attack_named(name: str) -> type[RecordAttack]:
    """Return an attack on records, which an audit can make.

    Raises:
        AttackUnknown: the sentence names the attack, and those that there are.
    """
    known = {each: attack for each, attack in _all().items() if issubclass(attack, RecordAttack)}
    found = known.get(name)
    if found is None:
        raise AttackUnknown(
            f"attacks holds {name!r}; an audit can make {', '.join(sorted(known))}."
        )
    return found


def _all() -> dict[str, type[Attack]]:
    found: dict[str, type[Attack]] = {}
    for module in pkgutil.iter_modules(attacks.__path__):
        path = f"{attacks.__name__}.{module.name}"
        for member in vars(importlib.import_module(path)).values():
            if _is_attack(member) and member.__module__ == path:
                found[module.name] = member
    return found


def _is_attack(member: object) -> TypeGuard[type[Attack]]:
    return isinstance(member, type) and issubclass(member, Attack)
