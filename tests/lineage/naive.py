"""The plain answers to every question of lineage: one record at a time, over dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lineage.worlds import World


@dataclass
class Found:
    """What one version got: which records, in how many steps at least, and how."""

    hits: set[int]
    depth: int
    direct: bool
    influence: str


def carriers(
    world: World, space: int, ordinal: int, *, hours: int, only: tuple[str, ...]
) -> dict[int, int]:
    """Return every node that one record acts on, with its distance: layer by layer.

    What a node holds goes on where the influence is one of ``only``; what came to it goes on also
    where its records are followed one by one.
    """
    nodes = list(enumerate(world.nodes[:hours]))
    holders = {at for at, node in nodes if node.space == space and ordinal in node.members}

    def goes(at, node, source) -> bool:
        removed = space == 0 and ordinal in node.forgets and source not in node.again
        role, influence = node.sources[source]
        followed = (role, influence) == ("SOURCE_DATA", "NONE")
        return not removed and (
            (influence in only and (source in holders or source in came))
            or (followed and source in came)
        )

    came: dict[int, int] = {}
    step = 0
    while True:
        step += 1
        fresh = [
            at
            for at, node in nodes
            if at not in came and any(goes(at, node, source) for source in node.sources)
        ]
        if not fresh:
            return came | dict.fromkeys(holders, 0)
        came |= dict.fromkeys(fresh, step)


def affected(
    world: World, space: int, ordinals: set[int], *, hours: int = 10**6
) -> dict[int, Found]:
    """Return what acts on each version, by its place in the world."""
    found: dict[int, Found] = {}
    acting = ("DIRECT", "INDIRECT")
    for ordinal in ordinals:
        plain = carriers(world, space, ordinal, hours=hours, only=("DIRECT",))
        distances = carriers(world, space, ordinal, hours=hours, only=acting)
        for at, distance in distances.items():
            node = world.nodes[at]
            if not node.is_model:
                continue
            one = found.setdefault(at, Found(set(), distance, direct=False, influence="INDIRECT"))
            one.hits.add(ordinal)
            one.depth = min(one.depth, distance)
            one.influence = "DIRECT" if at in plain else one.influence
            one.direct |= any(
                world.nodes[source].space == space and ordinal in world.nodes[source].members
                for source, (_, influence) in node.sources.items()
                if influence in acting
            )
    return found


def listed(world: World, *, hours: int = 10**6, turn: int = -1) -> set[int]:
    """Return the versions that an answer names: no shadows, and no destroyed ones.

    ``turn`` is the hour at which the destroyed ones were; before that they were still there.
    """
    return {
        at
        for at, node in enumerate(world.nodes[:hours])
        if node.is_model
        and node.kind != "SHADOW"
        and (not node.destroyed or 0 <= hours - 1 < turn)
    }


def suspected(world: World, space: int) -> set[int]:
    """Return the nodes that may have learned from any record of a space."""
    return {at for at in range(len(world.nodes)) if _suspected(world, space, at)}


def _suspected(world: World, space: int, at: int) -> bool:
    node = world.nodes[at]
    if node.is_model and not node.captured:
        read = [world.nodes[source].space for source in node.sources]
        told = {one for one in read if one >= 0}
        if not told or told & _derived_from(world, space):
            return True
    return any(
        _suspected(world, space, source)
        for source, (role, influence) in node.sources.items()
        if influence != "NONE" or role == "SOURCE_DATA"
    )


def _derived_from(world: World, space: int) -> set[int]:
    """Return the space, and those in which some data came from it, by whatever way."""
    came = {at for at, node in enumerate(world.nodes) if node.space == space}
    for at, node in enumerate(world.nodes):  # sources come before what was made of them
        acting = {
            source
            for source, (role, influence) in node.sources.items()
            if influence != "NONE" or role == "SOURCE_DATA"
        }
        if acting & came:
            came.add(at)
    mapped = {1} if space == 0 and world.pairs else set()
    return {space} | mapped | {world.nodes[at].space for at in came if world.nodes[at].space >= 0}


def earliest(world: World, at: int, space: int, hits: set[int]) -> int | None:
    """Return the first step of the version's own training that used any of the records."""
    node = world.nodes[at]
    read = [one for one, (role, _) in node.sources.items() if role == "TRAINING"]
    if not node.steps or world.nodes[read[0]].space != space:
        return None
    return min((step for one, step in node.steps.items() if one in hits), default=None)


def left(world: World, at: int, space: int, hits: set[int]) -> dict[str, object]:
    """Return what stays of the version's own training data."""
    node = world.nodes[at]
    own: set[int] = set()
    for source, (role, _) in node.sources.items():
        if role == "TRAINING" and world.nodes[source].space == space:
            own |= world.nodes[source].members
    gone_before = own & world.erased if space == 0 else set()
    leaves = (own & hits) - gone_before
    stays = own - hits - gone_before
    emptied = {world.target(one) for one in leaves} - {world.target(one) for one in stays}
    return {
        "trained_on": len(own),
        "erased_before": len(gone_before),
        "leaves": len(leaves),
        "stays": len(stays),
        "share": round(len(leaves) / len(own), 6) if own else None,
        "emptied_targets": sorted(emptied),
        "can_be_retrained": node.recipe and bool(stays),
    }
