"""Kinds of places where data of people may lie: one file each, whose name is the kind's.

Nothing here is imported before a place of that kind is opened, so a driver that is not installed
is missed by whoever uses it alone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lineage.core.place_settings import SettingRefused, configured, declared
from lineage.core.places import Place
from lineage.core.registry import Registry, UnknownName
from lineage.core.worded import not_among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.core.place_settings import Declared

KINDS: Registry[Place] = Registry(sys.modules[__name__], Place)


def kind_named(kind: str) -> type[Place]:
    """Return the class of a kind. Raises SettingRefused for one that no file declares."""
    try:
        return KINDS.get(kind)
    except UnknownName:
        raise SettingRefused(not_among("kind", kind, KINDS)) from None


def opened(kind: str, settings: Mapping[str, object]) -> Place:
    """Return a place of a kind with its settings. Raises SettingRefused."""
    return configured(kind_named(kind), settings)


def settings_of(kind: str) -> tuple[Declared, ...]:
    """Return the declared settings of a kind. Raises SettingRefused."""
    return tuple(declared(kind_named(kind)))
