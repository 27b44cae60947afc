"""What the planner is told of a vote of shards, read from their recordings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unlearning.core.planning.facts import ShardFacts, Stage, TouchedShard
from unlearning.core.sharding.slices import left, stage_visits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyroaring import BitMap

    from unlearning.core.sharding.rebuilding import Shard


@dataclass(frozen=True, kw_only=True)
class Told:
    """The shards and their stages; visits of the training, and of the records that go."""

    facts: ShardFacts
    visits: int
    gone: int


def told(shards: Sequence[Shard], retained: BitMap, targets: Mapping[int, str]) -> Told:
    """Return what rebuilding costs where the retained records alone are left; exactly.

    Provided that what is fitted before the first step comes out the same, as
    ``Recording.predicted`` says.

    Raises:
        NumbersUnclear: it is not known which record was which.
        NotPossible: no shard is touched.
    """
    holes = {shard.number: shard.holes(retained) for shard in shards}
    touched = [
        replace(
            _touched(shard, first, holes[shard.number]), lost=len(shard.lost(retained, targets))
        )
        for shard in shards
        if (first := shard.touched(retained)) is not None
    ]
    visits = sum(shard.origin.visits for shard in shards)
    rest = sum(shard.origin.predicted(holes[shard.number]).scratch for shard in shards)
    facts = ShardFacts(shards=len(shards), touched=tuple(touched))
    return Told(facts=facts, visits=visits, gone=visits - rest)


def _touched(shard: Shard, first: int, holes: frozenset[int]) -> TouchedShard:
    cost = shard.origin.predicted(holes)
    return TouchedShard(
        first_slice=first,
        stages=_stages(shard, holes),
        replayed=cost.replay,
        scratch=cost.scratch,
        emptied=len(holes) == shard.bounds[-1],
    )


def _stages(shard: Shard, holes: frozenset[int]) -> tuple[Stage, ...]:
    """Return the stages of the first phase; a recipe without steps has none that cost anything."""
    plans = [segment.plan for segment in shard.origin.segments if segment.pinned]
    if not plans or not plans[0].stages:
        return tuple(Stage(visits=0, kept=False) for _ in shard.bounds)
    plan = plans[0]
    epochs = [own for own, _ in plan.stages]
    states = {state.step for state in shard.origin.states if state.phase == 0}
    return tuple(
        Stage(visits=was, forgotten=was - now, kept=end in states)
        for was, now, end in zip(
            stage_visits(left(shard.bounds, shard.origin.holes), epochs),
            stage_visits(left(shard.bounds, holes), epochs),
            (*plan.milestones, plan.steps),
            strict=True,
        )
    )
