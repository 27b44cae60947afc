"""Every way to unlearn a version, with its cost, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearning.core.planning.ways import Cost, Impossible, Option, Strength, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from unlearning.core.planning.facts import (
        ForgetFacts,
        MeasuredCosts,
        MethodFacts,
        VersionFacts,
    )


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """One version and one forget set, to be weighed.

    ``verified`` executes what goes on from a kept state twice, the second time from scratch (of
    shards, those that are rebuilt, or as much of them as is rebuilt where no recording tells
    more); a full retrain is executed once.
    """

    version: VersionFacts
    forget: ForgetFacts
    measured: MeasuredCosts
    verified: bool = True

    def options(self, methods: Iterable[MethodFacts] = ()) -> tuple[Option | Impossible, ...]:
        """Return each way once, and each approximate method once."""
        found = [self._weighed(way, weigh) for way, weigh in _WAYS.items()]
        return (*found, self._retrain(), *map(self._approximate, methods))

    def _weighed(self, way: Way, weigh: Callable[[Weighing], Option | str]) -> Option | Impossible:
        result = self.version.only_retrain or weigh(self)
        return Impossible(way=way, reason=result) if isinstance(result, str) else result

    def decrement(self) -> Option | str:
        """Take the records out of integer statistics: to the bit what counting again gives.

        Where the environment is another by now, the recipe is the same, and not the bits.
        """
        if not self.version.statistics:
            return (
                "The version is not made from integer statistics, or the rows cannot be read any "
                "more."
            )
        seconds = self.measured.start + self.measured.decrement * self.forget.records
        same = self.version.same_environment
        strength = Strength.BIT_EXACT if same else Strength.SAME_RECIPE
        return self._done(Way.DECREMENT, strength, seconds)

    def rollback(self) -> Option | str:
        """Serve each touched shard as it was before, or leave it out of the vote."""
        shards = self.version.shards
        if shards is None:
            return "The version was not trained in shards."
        if len(shards.touched) == shards.shards and not any(
            each.start() for each in shards.touched
        ):
            return "Every shard would have to leave the vote: none has a clean state."
        return self._done(Way.ROLLBACK, Strength.INFLUENCE_FREE, self.measured.start)

    def shard_rebuild(self) -> Option | str:
        """Train each touched shard again from its last clean state."""
        shards = self.version.shards
        if shards is None:
            return "The version was not trained in shards."
        if any(each.emptied for each in shards.touched):
            return "Nothing would be left of a shard to train it on."
        if lost := sum(each.lost > 0 for each in shards.touched):
            return (
                f"{lost} of {shards.shards} shards would have no record left of a class that they "
                "knew, and would vote against it."
            )
        visits = sum(each.visits() for each in shards.touched)
        again = sum(each.again() for each in shards.touched)
        return self._trained(Way.SHARD_REBUILD, visits, self.measured.shard_queue, again=again)

    def rewind(self) -> Option | str:
        """Go back to the newest clean state and replay the rest, with holes."""
        replay = self.version.replay
        if self.version.shards is not None:
            return "It was trained in shards, of which each is gone back in by itself."
        if replay is None:
            return "No log of steps was kept that says when the records were used first."
        visits = self.version.visits - replay.newest_clean().visits_before - self.forget.visits
        return self._trained(Way.REWIND, max(0, visits), self.measured.queue, again=self._whole)

    def newton(self) -> Option | str:
        """Take a Newton step on the remaining data, within the budget of the certificate."""
        budget = self.version.budget
        if budget is None:
            return self.version.no_budget or "The version has no certified removal."
        if budget.spends > budget.left:
            return (
                f"The step would spend {budget.spends:g} of the certificate's budget, and "
                f"{budget.left:g} is left."
            )
        seconds = self.measured.start + self.measured.newton
        return self._done(
            Way.NEWTON, Strength.CERTIFIED, seconds, epsilon=budget.epsilon, delta=budget.delta
        )

    def no_action(self) -> Option | str:
        """Do nothing: training bounded what one person could change."""
        privacy = self.version.privacy
        if privacy is None:
            return (
                self.version.no_privacy
                or "The version was not trained with differential privacy for each person."
            )
        return Option(
            way=Way.NO_ACTION,
            strength=Strength.CERTIFIED,
            cost=Cost(visits=0, seconds=0.0),
            latency=0.0,
            epsilon=privacy.epsilon,
            delta=privacy.delta,
        )

    def _retrain(self) -> Option | Impossible:
        if self.version.no_retrain:
            return Impossible(way=Way.RETRAIN, reason=self.version.no_retrain)
        return self._trained(Way.RETRAIN, self._whole, self.measured.queue)

    def _approximate(self, method: MethodFacts) -> Option | Impossible:
        if reason := self.version.only_retrain or method.refused:
            return Impossible(way=Way.APPROXIMATE, method=method.name, reason=reason)
        passes = (
            method.cost.retain_passes * (self.version.records - self.forget.records)
            + method.cost.forget_passes * self.forget.records
        )
        visits = round(method.cost.trainings * self._whole + method.epochs * passes)
        seconds = self.measured.start + visits * self.measured.per_visit
        return Option(
            way=Way.APPROXIMATE,
            method=method.name,
            strength=Strength.APPROXIMATE,
            cost=Cost(visits=visits, seconds=seconds),
            latency=self.measured.queue + seconds,
            fraction=visits / max(1, self._whole),
        )

    @property
    def _whole(self) -> int:
        """Sample visits of a full retrain."""
        return max(0, self.version.visits - self.forget.visits)

    def _trained(self, way: Way, visits: int, queue: float, *, again: int | None = None) -> Option:
        """Return an exact way that trains; bits are claimed where two executions can agree.

        ``again`` are the visits of the second execution, None where there is none.
        """
        seconds = self.measured.start + visits * self.measured.per_visit
        twice = again is not None and self.verified and self.version.same_environment
        more = again or 0
        cost = Cost(
            visits=visits,
            seconds=seconds,
            verify_visits=more if twice else 0,
            verify_seconds=self.measured.start + more * self.measured.per_visit if twice else 0.0,
        )
        return Option(
            way=way,
            strength=Strength.BIT_EXACT if twice else Strength.SAME_RECIPE,
            cost=cost,
            latency=queue + cost.all_seconds,
            fraction=visits / max(1, self._whole),
        )

    def _done(
        self,
        way: Way,
        strength: Strength,
        seconds: float,
        *,
        epsilon: float | None = None,
        delta: float | None = None,
    ) -> Option:
        """Return a way that trains nothing."""
        return Option(
            way=way,
            strength=strength,
            cost=Cost(visits=0, seconds=seconds),
            latency=self.measured.queue + seconds,
            epsilon=epsilon,
            delta=delta,
        )


_WAYS: dict[Way, Callable[[Weighing], Option | str]] = {
    Way.DECREMENT: Weighing.decrement,
    Way.ROLLBACK: Weighing.rollback,
    Way.SHARD_REBUILD: Weighing.shard_rebuild,
    Way.REWIND: Weighing.rewind,
    Way.NEWTON: Weighing.newton,
    Way.NO_ACTION: Weighing.no_action,
}
