"""What is known of a version, of the records to be forgotten, and of what work costs here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unlearning.core.claims import Cost as DeclaredCost
from unlearning.core.claims import Guarantee
from unlearning.core.costs.checks import NotPossible, between, whole

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ForgetFacts:
    """How many ``records`` are to be forgotten, and how often the training visited them."""

    records: int
    visits: int

    def __post_init__(self) -> None:
        """Refuse counts that cannot be.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        whole("records", self.records)
        whole("visits", self.visits, 0)


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """A state saved before a step, and how many sample visits were made by then."""

    step: int
    visits_before: int


@dataclass(frozen=True, kw_only=True)
class ReplayFacts:
    """A logged training: the first step that used a record of the forget set, and saved states."""

    first_step: int
    states: tuple[SavedState, ...] = ()

    def newest_clean(self) -> SavedState:
        """Return the newest state that no record to be forgotten had reached, or the beginning."""
        clean = [state for state in self.states if state.step <= self.first_step]
        return max(
            clean, key=lambda state: state.step, default=SavedState(step=0, visits_before=0)
        )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a shard's training: its visits, those of the forget set among them, its end."""

    visits: int
    forgotten: int = 0
    kept: bool = True


@dataclass(frozen=True, kw_only=True)
class TouchedShard:
    """A shard that holds records of the forget set, the first of them in ``first_slice``.

    ``replayed`` are the sample visits of its rebuild, and ``scratch`` those of training it from
    the start, where a recording tells them exactly. ``emptied`` says that nothing is left of it,
    ``lost`` of how many classes nothing is.
    """

    first_slice: int
    stages: tuple[Stage, ...]
    replayed: int | None = None
    scratch: int | None = None
    emptied: bool = False
    lost: int = 0

    def __post_init__(self) -> None:
        """Refuse a slice that the shard does not have.

        Raises:
            NotPossible: the sentence names the value and what is allowed.
        """
        if not 0 <= self.first_slice < len(self.stages):
            raise NotPossible(
                f"first_slice is {self.first_slice}; the shard has {len(self.stages)} slices, "
                "counted from 0."
            )

    def start(self) -> int:
        """Return the stage to begin with: the last before which a clean state is kept."""
        clean = [at for at in range(1, self.first_slice + 1) if self.stages[at - 1].kept]
        return max(clean, default=0)

    def visits(self) -> int:
        """Return the sample visits of its rebuild."""
        if self.replayed is not None:
            return self.replayed
        return sum(each.visits - each.forgotten for each in self.stages[self.start() :])

    def again(self) -> int:
        """Return the sample visits of the execution that verifies its rebuild."""
        return self.visits() if self.scratch is None else self.scratch


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """A training in ``shards`` shards, those touched named."""

    shards: int
    touched: tuple[TouchedShard, ...]

    def __post_init__(self) -> None:
        """Refuse more touched shards than there are.

        Raises:
            NotPossible: the sentence names the value and what is allowed.
        """
        whole("shards", self.shards)
        if not 1 <= len(self.touched) <= self.shards:
            raise NotPossible(
                f"touched names {len(self.touched)} shards; between 1 and {self.shards} are "
                "allowed."
            )


@dataclass(frozen=True, kw_only=True)
class BudgetFacts:
    """Certified removal: its (epsilon, delta), what is left of its budget, what this spends.

    ``spends`` is 0 where it is known only once the step is made, which is then refused.
    """

    epsilon: float
    delta: float
    left: float
    spends: float


@dataclass(frozen=True, kw_only=True)
class PrivacyFacts:
    """The (epsilon, delta) that training itself kept to, for those to be forgotten together."""

    epsilon: float
    delta: float


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """What was kept of the training of a version, and what it allows.

    Attributes:
        records: how many it was trained on, the forget set included.
        visits: sample visits of that training.
        same_environment: the environment that trained it and this one have one fingerprint.
        no_retrain: why it cannot be trained again; empty if it can.
        only_retrain: why nothing but training again will do (its base is affected too ...).
        replay: None where no log was kept or no first step is known.
        shards: None where it was not trained in shards.
        statistics: whether it is made from integer statistics and the rows can still be read.
        budget: None where it has no certified removal, and ``no_budget`` may say why.
        privacy: what its training promised the people to be forgotten, together; None where it
            promised nothing, and ``no_privacy`` may say why.
    """

    records: int
    visits: int
    same_environment: bool = False
    no_retrain: str = ""
    only_retrain: str = ""
    replay: ReplayFacts | None = None
    shards: ShardFacts | None = None
    statistics: bool = False
    budget: BudgetFacts | None = None
    privacy: PrivacyFacts | None = None
    no_privacy: str = ""
    no_budget: str = ""

    def __post_init__(self) -> None:
        """Refuse counts that cannot be.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        whole("records", self.records)
        whole("visits", self.visits)


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """A method of the catalogue on this version; ``refused`` says why it cannot be run on it."""

    name: str
    cost: DeclaredCost
    epochs: int = 1
    refused: str = ""

    @classmethod
    def from_declaration(
        cls, declared: Mapping[str, Any], numbers: Mapping[str, Any], *, refused: str = ""
    ) -> MethodFacts:
        """Read an entry of ``catalogue.json``; ``numbers`` go before its own defaults.

        Raises:
            NotPossible: the method is not approximate, so that it is a way of its own.
        """
        if declared["guarantee"] != Guarantee.APPROXIMATE.name:
            raise NotPossible(
                f"{declared['name']} is {declared['guarantee']}; only APPROXIMATE methods are "
                "given, as the others are ways of their own."
            )
        own = {each["name"]: each["default"] for each in declared["hyperparameters"]}
        return cls(
            name=declared["name"],
            cost=DeclaredCost(**declared["cost"]),
            epochs=int({**own, **numbers}.get("epochs") or 1),
            refused=refused,
        )


@dataclass(frozen=True, kw_only=True)
class MeasuredCosts:
    """Seconds that work takes here, measured on earlier jobs.

    Attributes:
        per_visit: of one sample visit of training.
        start: of a job before its first visit.
        decrement: of taking one record out of integer statistics.
        newton: of one step of certified removal.
        queue: wait for a worker.
        shard_queue: wait for a shard's turn; the scheduler's bound.
    """

    per_visit: float
    start: float = 0.0
    decrement: float = 0.0
    newton: float = 0.0
    queue: float = 0.0
    shard_queue: float = 0.0

    def __post_init__(self) -> None:
        """Refuse times that cannot be.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        for name, value in vars(self).items():
            between(name, value)
