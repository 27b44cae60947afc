"""What an erasure costs where a training is cut into shards and slices, beside a retraining."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.exact_pairs import SECRET
from unlearning.core.costs import placement as formula
from unlearning.core.costs.prediction import compared
from unlearning.core.replay.engine import Trainer
from unlearning.core.replay.states import model_digest
from unlearning.core.replay.store import MemoryStore
from unlearning.core.session import Session
from unlearning.core.sharding.placement import place
from unlearning.core.sharding.trainer import ShardedTrainer
from unlearning.core.sharding.vote import SoftVote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from benchmarks.exact_problems import Problem
    from unlearning.core.replay.engine import Replayed
    from unlearning.core.replay.recording import Recording

TOLD = 10  # records of the person whose gain is told first; of others fewer are scattered
HIT = (1, 3, 5, 8, 10)  # shards that are rolled back at once


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """One person erased: sample visits predicted, made, and of training everything again."""

    predicted: int
    spent: int
    whole: int
    seconds: float
    digests: tuple[str, ...]
    shards: tuple[int, ...]

    @property
    def fraction(self) -> float:
        """The part of a retraining that was spent."""
        return self.spent / self.whole

    @property
    def error_percent(self) -> float:
        """How far the prediction was from what was spent."""
        return compared(predicted=self.predicted, actual=self.spent).error_percent


@dataclass(frozen=True, kw_only=True)
class Sharded:
    """A problem trained in ``shards`` x ``slices``, by people or by records."""

    problem: Problem
    shards: int
    slices: int
    seed: int = 0
    aware: bool = True

    @cached_property
    def bench(self) -> ShardedTrainer:
        """What trains and rebuilds, in memory."""
        owners = self.problem.owners(aware=self.aware)
        training = Trainer(
            recipe=self.problem.recipe,
            session=Session(seed=self.seed),
            store=MemoryStore(),
            secret=SECRET,
            content=self.problem.name,
        )
        placement = place(owners, shards=self.shards, slices=self.slices, secret=SECRET)
        return ShardedTrainer(trainer=training, placement=placement)

    @cached_property
    def trained(self) -> tuple[list[Replayed], float]:
        """Every shard, trained and recorded, and the seconds that this took."""
        started = time.perf_counter()
        found = self.bench.train("origin", self.problem.source())
        return found, time.perf_counter() - started

    @property
    def origins(self) -> list[Recording]:
        """The recordings of all shards."""
        return [each.recording for each in self.trained[0]]

    @cached_property
    def accuracy(self) -> float:
        """The accuracy of the soft vote of all shards."""
        return self.problem.accuracy(SoftVote(each.model for each in self.trained[0]))

    def erase(self, records: frozenset[int]) -> Erasure:
        """Rebuild every shard that holds any of the records; nothing of it is kept."""
        source, origins = self.problem.source(records), self.origins
        touched = sorted(self.bench.placement.where(records))
        costs = [self.bench.predicted(at, each, source) for at, each in enumerate(origins)]
        started = time.perf_counter()
        done = [self.bench.rebuild("erased", at, origins[at], source) for at in touched]
        seconds = time.perf_counter() - started
        store = self.bench.trainer.store
        for key in store.list("erased/"):
            store.delete(key)
        return Erasure(
            predicted=sum(costs[at].replay for at in touched),
            spent=sum(each.recording.spent for each in done),
            whole=sum(each.scratch for each in costs),
            seconds=seconds,
            digests=tuple(each.recording.digest for each in done),
            shards=tuple(touched),
        )

    def from_scratch(self, shard: int, records: frozenset[int]) -> str:
        """Return the digest of a shard trained without the records and without a recorder."""
        own, part = self.bench.bench(shard), self.bench.part(shard, self.problem.source(records))
        return model_digest(own.recipe.train(part, own.session))


def erasures(sharded: Sharded, size: int, *, most: int | None = None) -> list[Erasure]:
    """Erase those with so many records one after the other, each from the first training."""
    return [sharded.erase(records) for records in sharded.problem.people()[size][:most]]


def costs(aware: Sharded, unaware: Sharded, retrain_seconds: float) -> dict[str, Any]:
    """Return, by how many records a person has, what erasing one cost beside training again.

    The gain is that over the same people where each of their records lies somewhere else.
    """
    found: dict[str, Any] = {}
    for size in aware.problem.people():
        ours, theirs = (
            erasures(aware, size),
            erasures(unaware, size, most=None if size == TOLD else 2),
        )
        fraction, scattered = _fraction(ours), _fraction(theirs)
        seconds = statistics.fmean(each.seconds for each in ours)
        errors = [abs(each.error_percent) for each in (*ours, *theirs)]
        found[str(size)] = {
            "erasures": len(ours),
            "fraction": round(fraction, 4),
            "largest_fraction": round(max(each.fraction for each in ours), 4),
            "fraction_in_closed_form": round(_closed(aware, size), 4),
            "erasures_random_placement": len(theirs),
            "fraction_random_placement": round(scattered, 4),
            "gain_vs_random_placement": round(scattered / _fraction(ours[: len(theirs)]), 2),
            "planner_error_percent": round(max(errors), 4),
            "seconds": round(seconds, 3),
            "speedup_vs_retrain": round(retrain_seconds / seconds, 1),
            "second_execution": _again(aware, size, ours[0]),
        }
    return found


def _fraction(each: Sequence[Erasure]) -> float:
    return statistics.fmean(one.fraction for one in each)


def _closed(sharded: Sharded, size: int) -> float:
    way = formula.Placement.SUBJECT_AWARE
    return formula.subject_fraction(way, sharded.shards, sharded.slices, size)


def _again(sharded: Sharded, size: int, first: Erasure) -> dict[str, Any]:
    """Erase the first person once more, and once by training the shard from scratch."""
    records = sharded.problem.people()[size][0]
    again = sharded.erase(records)
    return {
        "fraction": round(again.fraction, 4),
        "seconds": round(again.seconds, 3),
        "same_digest": again.digests == first.digests,
        "like_scratch": again.digests
        == tuple(sharded.from_scratch(shard, records) for shard in again.shards),
    }


def grid(problem: Problem, cells: Sequence[tuple[int, int]], whole: float) -> list[dict[str, Any]]:
    """Return accuracy and cost for some numbers of shards and slices."""
    found = []
    for shards, slices in cells:
        aware = Sharded(problem=problem, shards=shards, slices=slices)
        row = {"shards": shards, "slices": slices, "accuracy": round(aware.accuracy, 4)}
        row["accuracy_price_points"] = round(100 * (whole - aware.accuracy), 2)
        row["train_seconds"] = round(aware.trained[1], 2)
        for size in (10, 50):
            each = erasures(aware, size, most=3)
            row[f"fraction_{size}"] = round(statistics.fmean(one.fraction for one in each), 4)
        found.append(row)
    return found


def rollback(sharded: Sharded, draws: int) -> list[dict[str, Any]]:
    """Return the accuracy that is served at once, before anything is rebuilt.

    In so many shards a person of a random slice leaves. Either the shard leaves the vote (None
    where none is left), or it goes back to its newest state that owes the slice nothing; one
    without such a state leaves the vote as well.
    """
    rng = np.random.default_rng(sharded.seed)
    found = []
    for hit in (each for each in HIT if each <= sharded.shards):
        drawn = [_served(sharded, hit, rng) for _ in range(draws)]
        dropped, rolled = (
            [each for each in way if each is not None] for way in zip(*drawn, strict=True)
        )
        found.append(
            {
                "shards_hit": hit,
                "dropped": round(statistics.fmean(dropped), 4) if dropped else None,
                "rolled_back": round(statistics.fmean(rolled), 4) if rolled else None,
            }
        )
    return found


def _served(
    sharded: Sharded, hit: int, rng: np.random.Generator
) -> tuple[float | None, float | None]:
    chosen = rng.permutation(sharded.shards)[:hit].tolist()
    placed = sharded.bench.placement.shards
    gone = frozenset(placed[at][int(rng.integers(len(placed[at])))][0] for at in chosen)
    source = sharded.problem.source(gone)
    others = [each.model for at, each in enumerate(sharded.trained[0]) if at not in chosen]
    back = [sharded.bench.rolled_back(at, sharded.origins[at], source) for at in chosen]
    return _voted(sharded, others), _voted(sharded, [*others, *(each for each in back if each)])


def _voted(sharded: Sharded, members: list[nn.Module]) -> float | None:
    return sharded.problem.accuracy(SoftVote(members)) if members else None
