"""Any recipe, carried out on parts of the data that vote together (SISA)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from torch.utils.data import Subset

from unlearning.core.examples import count
from unlearning.core.ranges import Range
from unlearning.core.recipe import Recipe
from unlearning.core.seeding import derive
from unlearning.core.session import Unrecorded
from unlearning.core.sharding.slices import Sliced
from unlearning.core.sharding.vote import SoftVote

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.examples import Held
    from unlearning.core.session import Session


class NotAVoteToGoOnFrom(ValueError):
    """Shards are trained from the start, not from a model that there is."""


@dataclass(frozen=True, kw_only=True)
class Sharded(Recipe):
    """``shards`` models of one recipe, each of a part of the data; their softmax is averaged.

    Trained by itself this deals the records of each class to shards at random, as it knows of no
    people. Where
    they are known, the platform places and records each shard (``unlearning.core.sharding``).
    """

    title: ClassVar[str] = "Soft vote of shards"
    family: ClassVar[str] = "shards"

    part: Recipe
    shards: Annotated[int, Range(1, 1000, help="parts of the data with a model each")]
    slices: Annotated[int, Range(1, 1000, help="parts of a shard, each seen later")] = 1

    @classmethod
    def of(cls, part: Recipe, *, shards: int, slices: int) -> Sharded:
        """Return the recipe that trains shards by ``part``."""
        return cls(targets=part.targets, part=part, shards=shards, slices=slices)

    @property
    def epochs(self) -> int:
        """Passes over the data, of those recipes that make any."""
        return int(getattr(self.part, "epochs", 1))

    def build(self) -> SoftVote:
        """Return an untrained vote."""
        return SoftVote(self.part.build() for _ in range(self.shards))

    def start(self, base: nn.Module | None) -> nn.Module:
        """Return an untrained vote.

        Raises:
            NotAVoteToGoOnFrom: there is a base.
        """
        if base is not None:
            raise NotAVoteToGoOnFrom(
                "A model that goes on from a base is trained on the whole, not in shards."
            )
        return super().start(base)

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return (input, target) as the recipe of the shards does. Raises as that one."""
        return self.part.decode(content, target)

    def augment(self, inputs: Tensor) -> Tensor:
        """Return a random variation of a batch, as the recipe of the shards does."""
        return self.part.augment(inputs)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of the recipe of the shards."""
        return self.part.loss(outputs, targets)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        vote = cast("SoftVote", model)
        targets = [int(examples[number][1]) for number in range(count(examples))]
        for shard, numbers in enumerate(self._dealt(targets, session.seed)):
            slices = min(self.slices, len(numbers)) or 1
            bounds = [len(numbers) * (at + 1) // slices for at in range(slices)]
            own = replace(
                session, seed=derive(session.seed, "shard", shard), recorder=Unrecorded()
            )
            part = Sliced(Subset(examples, numbers), bounds=bounds)
            vote.members[shard] = self.part.train(part, own)
        return vote

    def _dealt(self, targets: list[int], seed: int) -> list[list[int]]:
        """Return the numbers of the records of each shard, of sizes that differ by one at most.

        Class by class, so that no shard lacks one of which there are enough; at random otherwise.
        """
        draw = [derive(seed, "deal", number) for number in range(len(targets))]
        by_class = sorted(range(len(targets)), key=lambda number: (targets[number], draw[number]))
        dealt = [by_class[shard :: self.shards] for shard in range(self.shards)]
        return [sorted(numbers, key=draw.__getitem__) for numbers in dealt]
