"""The shards of a trained vote, and the rebuild of those that hold what must go.

A shard is known by its recording and by which records each of its slices still has: with these
two its records have their numbers, whatever was erased before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from unlearning.core.replay.rewind import Rewind, holes_in
from unlearning.core.sharding.slices import Sliced
from unlearning.core.sharding.vote import SoftVote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyroaring import BitMap
    from torch import nn

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.recording import Recording
    from unlearning.core.session import Session


class NotAVote(TypeError):
    """A model that should be a vote of shards is none."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A shard as it was trained last.

    ``slices`` has the records of each slice that it was trained on; ``bounds`` counts the first
    one, two, ... slices together, as they were at first.
    """

    number: int
    origin: Recording
    bounds: tuple[int, ...]
    slices: tuple[BitMap, ...]

    def records(self, retained: BitMap) -> list[int]:
        """Return those of its records that are retained, in the order in which it counts them."""
        return [record for part in self.slices for record in part if record in retained]

    def holes(self, retained: BitMap) -> frozenset[int]:
        """Return the numbers that are empty where only the retained records are left.

        Raises:
            NumbersUnclear: the recording has another number of records than the slices.
        """
        learned = [record for part in self.slices for record in part]
        return holes_in(self.origin, learned, retained)

    def lost(self, retained: BitMap, targets: Mapping[int, str]) -> set[str]:
        """Return the classes of which it has records, and none where only the retained are left.

        A vote of a member that has never seen a class is against it. ``targets`` are those of the
        records, some of which may be unknown.
        """
        had = {targets[record] for part in self.slices for record in part if record in targets}
        return had - {targets[record] for record in self.records(retained) if record in targets}

    def touched(self, retained: BitMap) -> int | None:
        """Return the first slice that has a record that is not retained; None if none has."""
        lacking = (at for at, part in enumerate(self.slices) if part - retained)
        return next(lacking, None)


@dataclass(frozen=True, kw_only=True)
class ShardRewind(Rewind):
    """The recording of a shard; ``places`` are those of its records in the whole retain set."""

    bounds: tuple[int, ...]
    places: tuple[int, ...]

    def source(self, retain: Examples) -> Sliced:
        """Return the shard's part of the retain set, slice by slice, with its holes."""
        part = Subset(retain, list(self.places))
        return Sliced(part, bounds=self.bounds, holes=self.holes)


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """The shards of a vote that are trained again, by number; ``part`` is the recipe of each."""

    part: Recipe
    rewinds: dict[int, ShardRewind]

    def carry_out(
        self, model: nn.Module, retain: Examples, _recipe: Recipe, session: Session
    ) -> tuple[nn.Module, str]:
        """Put the rebuilt shards into the vote; the others stay as they are, to the bit.

        Raises:
            NotAVote: ``model`` is no vote.
            NoExamples: nothing is left of a shard.
            WrongSize, OtherTraining, HolesShrank, NotStored, StateUnreadable: as ``Rewind``.
        """
        vote = _vote(model)
        said = []
        for number, rewind in self.rewinds.items():
            rebuilt, steps = rewind.carry_out(vote, retain, self.part, session)
            vote.members[number] = rebuilt
            said.append(steps)
        return vote, f"{len(said)} of {len(vote.members)} shards: {'; '.join(said)}"

    def rolled_back(self, model: nn.Module, retain: Examples, session: Session) -> RolledBack:
        """Return the members that owe nothing to what must go, without training any.

        A shard goes back to its newest clean state, or leaves the vote if it has none. Raises as
        ``carry_out``.
        """
        members: list[nn.Module] = []
        numbers: list[int] = []
        back = 0
        for number, member in enumerate(_vote(model).members):
            rewind = self.rewinds.get(number)
            found = rewind.rolled_back(retain, self.part, session) if rewind else member
            back += bool(rewind and found)
            if found:
                members.append(found)
                numbers.append(number)
        left = len(self.rewinds) - back
        return RolledBack(members=members, numbers=numbers, back=back, left=left)


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """What can vote at once: the members, and how many went ``back`` to a state or ``left``.

    ``numbers`` are those of the shards that the members are.
    """

    members: Sequence[nn.Module]
    numbers: Sequence[int]
    back: int
    left: int


def _vote(model: nn.Module) -> SoftVote:
    if not isinstance(model, SoftVote):
        raise NotAVote(f"Shards are rebuilt in a SoftVote, and this is a {type(model).__name__}.")
    return model
