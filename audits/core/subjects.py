"""Sets that have an element in common belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from networkx.utils import UnionFind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping


def join_overlapping(sets: Mapping[str, Iterable[Hashable]]) -> list[list[str]]:
    """Return the names of the sets, those joined that overlap, directly or through others.

    Groups, and names within each, are in the order given.
    """
    joined = UnionFind(sets)
    owner: dict[Hashable, str] = {}
    for name, elements in sets.items():
        for element in elements:
            joined.union(owner.setdefault(element, name), name)
    groups: dict[str, list[str]] = {}
    for name in sets:
        groups.setdefault(joined[name], []).append(name)
    return list(groups.values())
