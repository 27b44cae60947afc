"""Train on shards; on an erasure roll the touched ones back at once, and rebuild them later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from unlearning.core.replay.engine import NotFinished, Replayed, Trainer, model_at
from unlearning.core.seeding import derive
from unlearning.core.sharding.slices import Sliced

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.replay.pinned import Pinned
    from unlearning.core.replay.recording import Recording, Visits
    from unlearning.core.sharding.placement import Placement


@dataclass(frozen=True, kw_only=True)
class ShardedTrainer:
    """Carries out one training per shard, each with a seed of its own.

    Every ``source`` is the whole training set, by the numbers of the placement.
    """

    trainer: Trainer
    placement: Placement

    def train(self, run: str, source: Pinned) -> list[Replayed]:
        """Train every shard, as ``run/0``, ``run/1``, ...; interrupted ones are taken up."""
        return [self.shard(run, number, source) for number in range(len(self.placement.shards))]

    def shard(self, run: str, number: int, source: Pinned) -> Replayed:
        """Train one shard.

        Raises:
            TooManySlices: the recipe has too few epochs for the slices.
            NoExamples: every record of the shard is erased.
        """
        return self.bench(number).record(f"{run}/{number}", self.part(number, source))

    def rebuild(self, run: str, number: int, origin: Recording, source: Pinned) -> Replayed:
        """Train one shard again without the holes of ``source``, from before the first touched.

        Raises:
            NoExamples: every record of the shard is erased; it must leave the vote.
        """
        return self.bench(number).replay(f"{run}/{number}", origin, self.part(number, source))

    def rolled_back(self, number: int, origin: Recording, source: Pinned) -> nn.Module | None:
        """Return the model of the newest state that owes nothing to the holes, without training.

        It has the weights that the steps were moving, not an average that a recipe makes of them.
        None where there is no such state: the shard must leave the vote until it is rebuilt.

        Raises:
            NotFinished: the shard was never trained to the end.
        """
        if not origin.digest:
            raise NotFinished(f"The run {origin.run} has not ended; train the shard first.")
        bench, part = self.bench(number), self.part(number, source)
        clean = bench.clean(origin, part)
        return model_at(bench.recipe, bench.store, clean.states[-1]) if clean.states else None

    def predicted(self, number: int, origin: Recording, source: Pinned) -> Visits:
        """Return what ``rebuild`` will cost, as ``Recording.predicted`` says."""
        return origin.predicted(self.part(number, source).holes)

    def bench(self, number: int) -> Trainer:
        """Return the trainer of one shard: its own seed, its own content."""
        session = self.trainer.session
        return replace(
            self.trainer,
            session=replace(session, seed=derive(session.seed, "shard", number)),
            content=f"{self.trainer.content}/{self.placement.digest()}/{number}",
        )

    def part(self, number: int, source: Pinned) -> Sliced:
        """Return one shard of the training set."""
        records = self.placement.records(number)
        holes = [at for at, record in enumerate(records) if record in source.holes]
        kept = [record for record in records if record not in source.holes]
        return Sliced(Subset(source, kept), bounds=self.placement.bounds(number), holes=holes)
