"""What waits for which training, what may start, and what to warn of.

The rules are those of ``unlearning/core/scheduling``; here they are given cases and versions. A
group is all cases that wait for the same training, directly or through others. It counts as one
shard, also where that training was cut into shards: the planner says which of them are rebuilt.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from django.conf import settings

from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.conflicts import affected_now, case_ahead
from audits.queries.operator_cases import NO_DEADLINE
from audits.queries.waiting import coalesces
from lineage.models import Job, ModelVersion
from unlearning.core.release.batches import ReadyErasure, may_release
from unlearning.core.scheduling.backlog import Backlog, Request, ShardedRun
from unlearning.core.scheduling.backlog import Job as Rebuild
from unlearning.core.scheduling.capacity import Capacity
from unlearning.core.scheduling.policies import OLDEST_FIRST, Policy, StartRules
from unlearning.core.scheduling.scheduler import warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from unlearning.core.release.ruling import Ruling

S = ErasureRequest.Status
DAY = 86_400.0
MARGIN = 2.0  # days before a due date in which the work must be over


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cases that wait for the same training, the oldest first, and which versions each reaches."""

    name: str
    cases: tuple[ErasureRequest, ...]
    reached: Mapping[UUID, frozenset[str]]

    @property
    def versions(self) -> frozenset[str]:
        """The versions that are trained again."""
        return frozenset().union(*self.reached.values())

    def fewest(self) -> tuple[ErasureRequest, ...]:
        """Return the cases that reach the version that the fewest people reach; all of none."""
        by_version = [
            tuple(case for case in self.cases if pk in self.reached[case.pk])
            for pk in sorted(self.versions)
        ]
        return min(by_version, key=lambda cases: len(set(map(_person, cases))), default=self.cases)


def policy() -> Policy:
    """Return when a training is done again, by the settings."""
    if not coalesces():
        return OLDEST_FIRST
    wait = settings.EXPUNGE_COALESCE_DAYS
    return Policy(
        name="by the settings",
        start=StartRules(
            min_age=wait,
            margin=MARGIN,
            min_backlog=settings.EXPUNGE_COALESCE_REQUESTS,
            max_rolled_back=1.0,  # nothing is served from earlier states here
        ),
    )


def waited_on_purpose() -> float:
    """Return for how many days a case waits at most for others to join it."""
    start = policy().start
    return start.min_age if start else 0.0


def groups() -> list[Group]:
    """Return what waits for others, by training; not what waits for staff or for another case."""
    undecided = DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING)
    waiting = list(
        ErasureRequest.objects.filter(status=S.RESTRICTED, batch=None)
        .exclude(due_rule=NO_DEADLINE)
        .exclude(pk__in=undecided.values("request_id"))
        .order_by("received_at", "pk")
    )
    free = [one for one in waiting if not case_ahead(one)]  # none of them is ahead of another
    return _joined((one, affected_now(one)) for one in free)


def backlog(found: Iterable[Group], now: float) -> tuple[Backlog, Capacity]:
    """Return what may start, with every training that shares the workers, and what they can do."""
    ready = list(found)
    spent = _seconds()
    costs = {one.name: sum(spent.get(pk, 1.0) for pk in one.versions) or 1.0 for one in ready}
    taken = {pk for one in ready for pk in one.versions}
    costs |= {pk: seconds for pk, seconds in spent.items() if pk not in taken}
    unit = max(costs.values(), default=1.0)
    runs = {
        name: ShardedRun(shards=1, slices=1, size=max(1e-9, cost / unit))
        for name, cost in costs.items()
    }
    capacity = Capacity(per_day=settings.EXPUNGE_REBUILDS_PER_DAY or DAY / unit)
    known = Backlog(runs)
    for one in ready:
        if not coalesces() or batch_ruling(one, now, capacity).allowed:
            for case in one.cases:
                known.add(_request(case, one.name))
    known.running += [Rebuild(run="", shard=None, requests=(), work=1.0, reason="")] * _busy()
    return known, capacity


def batch_ruling(group: Group, now: float, capacity: Capacity) -> Ruling:
    """Return whether enough people wait for each version, or one case can wait no longer."""
    first = min(map(_due, group.cases))  # whoever is due takes the whole group along
    ready = [
        ReadyErasure(case=case.reference, person=_person(case), due=first)
        for case in group.fewest()
    ]
    lead = 2 * capacity.days(1) + MARGIN
    return may_release(ready, now, min_batch=settings.EXPUNGE_MIN_BATCH, lead=lead)


def enough_people(cases: Iterable[ErasureRequest], now: float) -> bool:
    """Return whether what is left of a batch may still start."""
    left = _joined((one, affected_now(one)) for one in cases)
    _, capacity = backlog(left, now)
    return all(batch_ruling(one, now, capacity).allowed for one in left if one.versions)


def alerts(now: datetime) -> tuple[str, ...]:
    """Return a sentence for each thing that staff must act on: too little capacity, late cases."""
    at_work = (S.ACCEPTED, S.RESTRICTED, S.PLANNED, S.UNLEARNING, S.AUDITING)
    known, capacity = backlog((), days(now))
    known.running.clear()
    if not known.runs:
        return ()
    for case in ErasureRequest.objects.filter(status__in=at_work).exclude(due_rule=NO_DEADLINE):
        known.add(_request(case, next(iter(known.runs))))
    return warnings(
        known,
        days(now),
        capacity=capacity,
        policy=policy(),
        deadline=settings.EXPUNGE_DEADLINE_DAYS,
    )


def latest_start(case: ErasureRequest) -> datetime:
    """Return when a case that waits for others is started, though nobody joins it."""
    latest = _due(case) - MARGIN
    if settings.EXPUNGE_MIN_BATCH == 1:
        latest = min(latest, days(case.received_at) + settings.EXPUNGE_COALESCE_DAYS)
    return datetime.fromtimestamp(latest * DAY, UTC)


def days(moment: datetime) -> float:
    """Return a moment in days since 1970, as the scheduler counts."""
    return moment.timestamp() / DAY


def _joined(found: Iterable[tuple[ErasureRequest, set[str]]]) -> list[Group]:
    """Return the connected components of cases and versions, each in the order of the cases."""
    parts: list[tuple[list[ErasureRequest], set[str]]] = []
    reached: dict[UUID, frozenset[str]] = {}
    for case, versions in found:
        reached[case.pk] = frozenset(versions)
        touching = [one for one in parts if one[1] & versions]
        members = [other for one in touching for other in one[0]]
        held = versions.union(*(one[1] for one in touching))
        parts = [one for one in parts if one not in touching]
        parts.append(([*members, case], held))
    return [
        Group(
            name=str(min(cases, key=_age).pk),
            cases=tuple(sorted(cases, key=_age)),
            reached={case.pk: reached[case.pk] for case in cases},
        )
        for cases, _ in parts
    ]


def _person(case: ErasureRequest) -> str:
    return str(case.subject_id or case.pk)


def _age(case: ErasureRequest) -> tuple[datetime, str]:
    return case.received_at, str(case.pk)


def _request(case: ErasureRequest, run: str) -> Request:
    return Request(str(case.pk), run, 0, 0, days(case.received_at), _due(case))


def _due(case: ErasureRequest) -> float:
    """Return when a case must be through: the internal deadline, or the legal one if earlier."""
    internal = days(case.received_at) + float(settings.EXPUNGE_DEADLINE_DAYS)
    if case.due_on is None:
        return internal
    return min(days(datetime.combine(case.due_on, time(), UTC)), internal)


def _seconds() -> dict[str, float]:
    """Return how long each version in use took to train; those that cannot be are left out."""
    usable = ModelVersion.objects.filter(
        kind=ModelVersion.Kind.MODEL, state=ModelVersion.State.ACTIVE
    ).exclude(generated_by__recipe="")
    took: dict[str, float] = defaultdict(float)
    for pk, seconds in usable.values_list("pk", "generated_by__seconds"):
        took[str(pk)] = max(1e-3, seconds or 1.0)
    return took


def _busy() -> int:
    """Return whether the worker of trainings has something to do: 0 or 1."""
    waiting = [Job.Status.QUEUED, Job.Status.RUNNING]
    kinds = ["PLAN", "UNLEARN", "AUDIT", "JUDGE"]
    return int(Job.objects.filter(kind__in=kinds, status__in=waiting).exists())
