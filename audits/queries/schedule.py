"""What waits for which training, what may start, and what to warn of.

The rules are those of ``unlearning/core/scheduling``; here they are given cases and versions. A
group of cases (see ``groups``) waits at one of the shards that it reaches, as one job rebuilds all
of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import ErasureRequest
from audits.queries.capacity import DAY, capacity_for, trainings
from audits.queries.groups import Group, groups_of, person_of
from audits.queries.operator_cases import NO_DEADLINE
from audits.queries.policy_values import in_force
from audits.queries.waiting import coalesces
from lineage.models import Job
from unlearning.core.release.batches import ReadyErasure, may_release
from unlearning.core.scheduling.backlog import Backlog, Request
from unlearning.core.scheduling.backlog import Job as Rebuild
from unlearning.core.scheduling.policies import OLDEST_FIRST, Policy, StartRules
from unlearning.core.scheduling.scheduler import warnings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audits.queries.reached import Place
    from unlearning.core.release.ruling import Ruling
    from unlearning.core.scheduling.capacity import Capacity

S = ErasureRequest.Status
MARGIN = 2.0  # days before a due date in which the work must be over


def policy() -> Policy:
    """Return when a training is done again, by the settings."""
    if not coalesces():
        return OLDEST_FIRST
    wait = in_force("COALESCE_DAYS")
    return Policy(
        name="by the settings",
        start=StartRules(
            min_age=wait,
            margin=MARGIN,
            min_backlog=in_force("COALESCE_REQUESTS"),
            max_rolled_back=1.0,  # nothing is served from earlier states here
        ),
    )


def waited_on_purpose() -> float:
    """Return for how many days a case waits at most for others to join it."""
    start = policy().start
    return start.min_age if start else 0.0


def backlog(found: Iterable[Group], now: float) -> tuple[Backlog, Capacity]:
    """Return what may start, with every training that shares the workers, and what they can do."""
    ready = [one for one in found if one.places]
    known = trainings({name for one in ready for name in one.versions})
    runs, capacity = capacity_for(known, [one.seconds(known) for one in ready])
    shared = Backlog(runs)
    for one in ready:
        if not coalesces() or batch_ruling(one, now, capacity).allowed:
            for case in one.cases:
                shared.add(_request(case, place_of(one)))
    shared.running += [Rebuild(run="", shard=None, requests=(), work=1.0, reason="")] * _busy()
    return shared, capacity


def place_of(group: Group) -> Place:
    """Return the place at which a group waits: no other group reaches it."""
    return min(group.places)


def batch_ruling(group: Group, now: float, capacity: Capacity) -> Ruling:
    """Return whether enough people wait for each version, or one case can wait no longer."""
    first = min(map(due_day, group.cases))  # whoever is due takes the whole group along
    ready = [
        ReadyErasure(case=case.reference, person=person_of(case), due=first)
        for case in group.fewest()
    ]
    lead = 2 * capacity.days(1) + MARGIN
    return may_release(ready, now, min_batch=in_force("MIN_BATCH"), lead=lead)


def enough_people(cases: Iterable[ErasureRequest], now: float) -> bool:
    """Return whether what is left of a batch may still start."""
    left = groups_of(cases)
    _, capacity = backlog(left, now)
    return all(batch_ruling(one, now, capacity).allowed for one in left if one.places)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What the workers can do, the age in days that no request passes, and what to act on."""

    trainings: int = 0
    shards: int = 0
    per_day: float = 0.0
    bound: float = 0.0
    alerts: tuple[str, ...] = ()


def alerts(now: datetime) -> tuple[str, ...]:
    """Return a sentence for each thing that staff must act on: too little capacity, late cases."""
    return outlook(now).alerts


def outlook(now: datetime) -> Outlook:
    """Return what is to be expected of the trainings in use; nothing where there are none."""
    at_work = (S.ACCEPTED, S.RESTRICTED, S.PLANNED, S.UNLEARNING, S.AUDITING)
    known, capacity = backlog((), days(now))
    if not known.runs:
        return Outlook()
    erasing = ErasureRequest.objects.exclude(kind=ErasureRequest.Kind.RESTRICTION)
    erasing = erasing.filter(status__in=at_work).exclude(due_rule=NO_DEADLINE)
    return Outlook(
        trainings=len(known.runs),
        shards=known.shards,
        per_day=capacity.per_day,
        bound=capacity.age_bound(known.whole, wait=waited_on_purpose()),
        alerts=warnings(
            known,
            days(now),
            capacity=capacity,
            policy=policy(),
            deadline=in_force("DEADLINE_DAYS"),
            late=erasing.filter(due_before(now)).count(),  # there may be very many
        ),
    )


def latest_start(case: ErasureRequest) -> datetime:
    """Return when a case that waits for others is started, though nobody joins it."""
    latest = due_day(case) - MARGIN
    if in_force("MIN_BATCH") == 1:
        latest = min(latest, days(case.received_at) + in_force("COALESCE_DAYS"))
    return datetime.fromtimestamp(latest * DAY, UTC)


def days(moment: datetime) -> float:
    """Return a moment in days since 1970, as the scheduler counts."""
    return moment.timestamp() / DAY


def _request(case: ErasureRequest, at: Place) -> Request:
    return Request(str(case.pk), at.version, at.shard, 0, days(case.received_at), due_day(case))


def due_day(case: ErasureRequest) -> float:
    """Return when a case must be through: the internal deadline, or the legal one if earlier."""
    internal = days(case.received_at) + float(in_force("DEADLINE_DAYS"))
    if case.due_on is None:
        return internal
    return min(days(datetime.combine(case.due_on, time(), UTC)), internal)


def due_before(now: datetime) -> Q:
    """Return the condition that ``due_day`` of a case is past."""
    last = (now.astimezone(UTC) - datetime.resolution).date()
    return Q(received_at__lt=now - timedelta(days=in_force("DEADLINE_DAYS"))) | Q(due_on__lte=last)


def _busy() -> int:
    """Return whether the worker of trainings has something to do: 0 or 1."""
    waiting = [Job.Status.QUEUED, Job.Status.RUNNING]
    kinds = ["PLAN", "UNLEARN", "AUDIT", "JUDGE"]
    return int(Job.objects.filter(kind__in=kinds, status__in=waiting).exists())
