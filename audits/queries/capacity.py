"""How long the trainings in use took, into how many parts they can be done again, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from audits.queries.policy_values import in_force
from lineage.models import ModelVersion
from unlearning.core.scheduling.backlog import ShardedRun
from unlearning.core.scheduling.capacity import Capacity
from unlearning.queries.histories import counts_of_shards, seconds_of_trainings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

DAY = 86_400.0
_SHORTEST = 1e-3  # seconds
_UNKNOWN = 1.0  # seconds of a training of which nobody knows how long it took


@dataclass(frozen=True, kw_only=True)
class Training:
    """A version in use: the seconds that its training took, and how many shards it has."""

    seconds: float
    shards: int = 1

    @property
    def part(self) -> float:
        """Seconds of one shard."""
        return self.seconds / self.shards


def together() -> bool:
    """Return whether the shards of a version are rebuilt together.

    A new version must carry the erasures of enough people, wherever they are.
    """
    return bool(in_force("MIN_BATCH") > 1)


def trainings(reached: Collection[str] = ()) -> dict[str, Training]:
    """Return the versions in use that can be trained again, and those that are ``reached``."""
    usable = Q(kind=ModelVersion.Kind.MODEL, state=ModelVersion.State.ACTIVE)
    usable &= ~Q(generated_by__recipe="")
    versions = ModelVersion.objects.filter(usable | Q(pk__in=reached))
    seconds = seconds_of_trainings(versions)
    shards = {} if together() else counts_of_shards(versions)
    return {
        str(pk): Training(
            seconds=max(_SHORTEST, seconds.get(pk) or _UNKNOWN), shards=shards.get(pk, 1)
        )
        for pk in versions.values_list("pk", flat=True)
    }


def capacity_for(
    known: Mapping[str, Training], jobs: Iterable[float] = ()
) -> tuple[dict[str, ShardedRun], Capacity]:
    """Return the trainings in units of the longest job, and how many of those a day can take.

    ``jobs`` are the seconds of those that rebuild several shards, or several versions.
    """
    unit = max([one.part for one in known.values()] + list(jobs), default=_UNKNOWN)
    longest = max((one.seconds for one in known.values()), default=_UNKNOWN)
    per_day = in_force("REBUILDS_PER_DAY") * longest / unit or DAY / unit
    runs = {
        name: ShardedRun(shards=one.shards, slices=1, size=max(1e-9, one.part / unit))
        for name, one in known.items()
    }
    return runs, Capacity(per_day=per_day)
