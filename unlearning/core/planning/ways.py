"""The ways in which a version can be unlearned, and what each can promise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Way(StrEnum):
    """A way to unlearn."""

    DECREMENT = "decrement"
    ROLLBACK = "rollback"
    SHARD_REBUILD = "shard_rebuild"
    REWIND = "rewind_and_replay"
    NEWTON = "certified_newton"
    NO_ACTION = "differential_privacy_no_action"
    RETRAIN = "full_retrain"
    APPROXIMATE = "approximate"


class Strength(Enum):
    """What is promised, from the weakest to the strongest.

    INFLUENCE_FREE is a model that never saw the records, though not the one that retraining
    gives: a shard that went back to an earlier state.
    """

    APPROXIMATE = 1
    CERTIFIED = 2
    INFLUENCE_FREE = 3
    SAME_RECIPE = 4
    BIT_EXACT = 5

    def reaches(self, other: Strength) -> bool:
        """Return whether this promises at least as much."""
        return self.value >= other.value

    @property
    def exact(self) -> bool:
        """Whether the result is what retraining gives."""
        return self.reaches(Strength.SAME_RECIPE)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Predicted work: sample visits, and seconds; a second execution that verifies, apart."""

    visits: int
    seconds: float
    verify_visits: int = 0
    verify_seconds: float = 0.0

    @property
    def all_seconds(self) -> float:
        """Seconds of both, by which ways are compared."""
        return self.seconds + self.verify_seconds


@dataclass(frozen=True, kw_only=True)
class Option:
    """A way that is possible on a version.

    Attributes:
        way: which.
        strength: what it promises.
        cost: predicted.
        latency: seconds until its result can be served, the wait for a worker included.
        method: name of the approximate method, else empty.
        fraction: its visits as a part of a full retrain's.
        epsilon: where it is certified or private; ``delta`` likewise.
    """

    way: Way
    strength: Strength
    cost: Cost
    latency: float
    method: str = ""
    fraction: float = 0.0
    epsilon: float | None = None
    delta: float | None = None

    @property
    def key(self) -> str:
        """Its name in a plan, once each."""
        return name_of(self.way, self.method)


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """A way that a version does not allow, and why, in a sentence."""

    way: Way
    reason: str
    method: str = ""

    @property
    def key(self) -> str:
        """Its name in a plan, once each."""
        return name_of(self.way, self.method)


def name_of(way: Way, method: str) -> str:
    """Return the name of a way in a plan."""
    return f"{way.value}:{method}" if method else way.value


def plain(value: Any) -> Any:  # noqa: ANN401  (any frozen dataclass, and None)
    """Return a dataclass as JSON holds it: enums by name or text, tuples as lists."""
    return None if value is None else asdict(value, dict_factory=_plain_dict)


def _plain_dict(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in pairs}


def _plain_value(value: Any) -> Any:  # noqa: ANN401  (any field)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Enum):
        return value.name
    return [_plain_value(each) for each in value] if isinstance(value, tuple) else value
