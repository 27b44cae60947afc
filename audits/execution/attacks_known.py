"""The attacks that this platform has, by the names of their files."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TypeGuard

from audits import attacks
from audits.core.attack import Attack


def registered() -> dict[str, str]:
    """Return the titles of all attacks by name: a file holds one, and its name is the attack's."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(attacks.__path__):
        path = f"{attacks.__name__}.{module.name}"
        for member in vars(importlib.import_module(path)).values():
            if _is_attack(member) and member.__module__ == path:
                found[module.name] = member.title
    return found


def _is_attack(member: object) -> TypeGuard[type[Attack]]:
    return isinstance(member, type) and issubclass(member, Attack)
