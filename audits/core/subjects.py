"""Sets that have an element in common belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from networkx.utils import UnionFind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

Name = TypeVar("Name", bound="Hashable")


def join_overlapping(sets: Mapping[Name, Iterable[Hashable]]) -> list[list[Name]]:
    """Return the names of the sets, those joined that overlap, directly or through others.

    Groups, and names within each, are in the order given.
    """
    joined = UnionFind(sets)
    owner: dict[Hashable, Name] = {}
    for name, elements in sets.items():
        for element in elements:
            joined.union(owner.setdefault(element, name), name)
    groups: dict[Name, list[Name]] = {}
    for name in sets:
        groups.setdefault(joined[name], []).append(name)
    return list(groups.values())
