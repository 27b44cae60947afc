"""Which attacks there are of a kind. A file of ``audits/attacks`` defines one, of any kind."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypeVar, cast

from audits.core.attack import Attack
from lineage.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A", bound=Attack)


def of_kind(kind: Callable[..., A]) -> dict[str, type[A]]:
    """Return the attacks of a kind by name, sorted; the kind is one of the classes of ``attack``.

    The package is named and not imported above, as it stands over this module.
    """
    registry: Registry[Attack] = Registry(import_module("audits.attacks"), Attack)
    # mypy forbids abstract classes where type[A] is expected: a kind is typed as what it makes.
    base = cast("type[A]", kind)
    every = ((name, registry.get(name)) for name in registry)
    return {name: cls for name, cls in every if issubclass(cls, base)}
