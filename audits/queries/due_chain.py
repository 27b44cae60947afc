"""Until when work may wait without a case being late: those that it serves, and those behind them.

The time that is kept free is that of everything one worker may still have to do: all that is left
of each run of a case at work, and the work of each case behind. Searches and first trainings are
not in it; the days of the budget's ``lead_days`` are there for them.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Min, Q

from audits.core.budgets import Behind, cannot_wait, must_be_through, seconds_ahead
from audits.core.instance import models_needed
from audits.core.policy import EvidencePolicy
from audits.models import ErasureRequest
from audits.queries.capacity import DAY
from audits.queries.conflicts import PLANNED
from audits.queries.policy_values import evidence_fields, held, in_force
from audits.queries.reached import reached_by
from audits.queries.schedule import due_day
from lineage.models import ModelVersion
from unlearning.models import UnlearningRun
from unlearning.queries.histories import seconds_of_trainings
from unlearning.services.runs import APPROXIMATE, DESTROY, NO_ACTION, REPLAY, RETRAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from audits.core.budgets import Limits

S, R = ErasureRequest.Status, UnlearningRun.Status
AT_WORK = (*PLANNED, S.FAILED, S.ON_HOLD)  # those that stopped go on some day
NOTHING = (DESTROY, NO_ACTION)  # methods that compute nothing to speak of
EXACT = (RETRAIN, REPLAY)


def must_begin(run: UnlearningRun, limits: Limits, now: datetime) -> bool:
    """Return whether work of a run can wait no longer.

    Asked is first what is cheap: whether all could be done in time even if everything had to be
    through at the first date of all.
    """
    with held():
        known = _kept.get() or Outlook()
        seconds = known.seconds_at_work
        most = seconds + known.most_seconds_behind
        if not cannot_wait(limits, due=known.first_date, seconds=most, now=now):
            return False
        return cannot_wait(limits, due=known.through_by(run), seconds=seconds, now=now)


@contextmanager
def one_outlook() -> Iterator[None]:
    """Look once at most within this block: for one sweep, which asks for case after case."""
    token = _kept.set(Outlook())
    try:
        yield
    finally:
        _kept.reset(token)


class Outlook:
    """What is to be done and by when; each part is read when it is first asked for."""

    @cached_property
    def first_date(self) -> datetime:
        """The earliest day of all cases that are at work, stopped, or may be behind one."""
        at_stake = ErasureRequest.objects.filter(status__in=(*AT_WORK, S.RESTRICTED))
        dates = at_stake.aggregate(Min("received_at"), Min("due_on"))
        received, due_on = dates["received_at__min"], dates["due_on__min"]
        if received is None:
            return datetime.max.replace(tzinfo=UTC)
        internal: datetime = received + timedelta(days=float(in_force("DEADLINE_DAYS")))
        return min(internal, datetime.combine(due_on, time(), UTC)) if due_on else internal

    @cached_property
    def seconds_at_work(self) -> float:
        """What is left to compute for all cases at work, each run counted once."""
        runs = UnlearningRun.objects.filter(requests__status__in=AT_WORK)
        rows = [_Left(*row) for row in runs.values_list(*_Left.FIELDS)]
        # An exact run may stand on an approximate base: it is audited as well then.
        audited = {row.case for row in rows if row.approximate}
        seconds: dict[UUID, float] = {}
        for row in rows:
            models = _models(row.policy) if row.case in audited else 0
            if row.unfinished:
                needed = seconds_ahead(row.training or 0.0, models=models)
                seconds[row.run] = max(seconds.get(row.run, 0.0), needed)
        return sum(seconds.values())

    @cached_property
    def most_seconds_behind(self) -> float:
        """What all who may be behind would take, if each reached every version."""
        number: int = _behind().count()
        return number * sum(self._seconds_of_versions.values())

    @cached_property
    def behind(self) -> list[Behind]:
        """Who may be behind, in the order in which they are planned."""
        cases = list(_behind().order_by("accepted_at", "pk"))
        reached = reached_by([case.pk for case in cases])
        seconds = self._seconds_of_versions
        found = []
        for case in cases:
            versions = frozenset(str(hit.version) for hit in reached[case.pk])
            took = sum(seconds.get(one, 0.0) for one in versions)
            found.append(Behind(versions=versions, due=_due(case), seconds=took))
        return found

    def through_by(self, run: UnlearningRun) -> datetime:
        """Return when a run must be through with what comes after it in its cases."""
        served = list(ErasureRequest.objects.filter(runs=run, status__in=AT_WORK))
        if not served:  # nobody waits for it
            return datetime.max.replace(tzinfo=UTC)
        changed = UnlearningRun.objects.filter(requests__in=served)
        versions = set(map(str, changed.values_list("target", flat=True)))
        made = changed.exclude(unlearned=None)
        versions |= set(map(str, made.values_list("unlearned", flat=True)))
        return must_be_through(min(map(_due, served)), versions, self.behind)

    @cached_property
    def _seconds_of_versions(self) -> dict[str, float]:
        living = ModelVersion.objects.exclude(state=ModelVersion.State.DESTROYED)
        models = _models(evidence_fields())
        return {
            str(pk): seconds_ahead(took, models=models)
            for pk, took in seconds_of_trainings(living).items()
        }


_kept: ContextVar[Outlook | None] = ContextVar("outlook", default=None)


@dataclass(frozen=True)
class _Left:
    """A run of a case, as the columns of ``FIELDS`` have it."""

    FIELDS = (
        "pk",
        "status",
        "method",
        "guarantee",
        "retrain_seconds_predicted",
        "escalated_to",
        "requests",
        "requests__policy",
    )
    run: UUID
    status: str
    method: str
    guarantee: str
    training: float | None
    escalated: UUID | None
    case: UUID
    policy: Mapping[str, Any]

    @property
    def approximate(self) -> bool:
        return self.guarantee == APPROXIMATE or self.method not in (*EXACT, *NOTHING)

    @property
    def unfinished(self) -> bool:
        open_ = self.status != R.CLEARED and self.escalated is None
        return open_ and self.method not in NOTHING


def _models(fields: Mapping[str, Any]) -> int:
    """Return how many models an audit trains by a policy at all its looks, and beside them."""
    policy = EvidencePolicy.from_dict(fields)
    return 2 * policy.looks[-1] + models_needed(policy)


def _behind() -> Any:  # noqa: ANN401  (a queryset)
    """Return the cases that will be planned on what others leave, stopped ones too."""
    restricted = Q(status=S.RESTRICTED) | Q(status=S.FAILED, failed_from=S.RESTRICTED)
    restricted |= Q(status=S.ON_HOLD, held_from=S.RESTRICTED)
    found = ErasureRequest.objects.filter(restricted)
    return found.exclude(kind=ErasureRequest.Kind.RESTRICTION)


def _due(case: ErasureRequest) -> datetime:
    return datetime.fromtimestamp(due_day(case) * DAY, UTC)
