"""What all audits of a period say together, those included that did not pass.

A run belongs to the period in which it was planned: before anybody knew how it would end. Every
question that was put to a pool of shadow models counts, whatever became of it
(docs/adr/0034-passes-are-corrected-over-all-that-was-asked.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from audits.core import fleet_words
from audits.core.policy import EvidencePolicy
from audits.core.saying import english
from audits.core.strength import surviving
from audits.models import ErasureRequest
from audits.queries.policy_values import evidence_fields
from audits.queries.questions import OWES, SPENT, questions_of
from lineage.core.worded import worded_of
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from audits.core.saying import Say
    from audits.queries.questions import Question


_LARGE = ("forget_bitmap", "report", "weighed", "hyperparameters", "target__metrics")


class PeriodRefused(ValueError):
    """The days of a period cannot be read, or are in the wrong order."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One pool of shadow models from which several cases were judged; they share its models."""

    run: UnlearningRun
    level: float
    asked: tuple[Question, ...]
    surviving: tuple[Question, ...]

    @property
    def passed(self) -> int:
        """Return how many of the cases passed."""
        return sum(one.passed for one in self.asked)

    @property
    def words(self) -> str:
        """Return what is said over its cases, in English."""
        return self.told()

    def told(self, say: Say = english) -> str:
        """Return what is said over its cases."""
        return fleet_words.of_pool(
            asked=len(self.asked),
            passed=self.passed,
            surviving=len(self.surviving),
            level=self.level,
            say=say,
        )


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is said over all audits of a period, at one level of error.

    ``since`` and ``until`` are whole days in UTC, both included; None where it is open.
    """

    since: date | None
    until: date | None
    level: float
    requests: int
    questions: tuple[Question, ...]
    surviving: tuple[Question, ...] = ()
    pools: tuple[Pool, ...] = field(default=())

    @property
    def runs(self) -> int:
        """Return how many runs were planned."""
        return len({one.run.pk for one in self.questions})

    @cached_property
    def asked(self) -> tuple[Question, ...]:
        """Return the questions that were put to a pool of their own: all are corrected for."""
        return tuple(one for one in self.questions if one.pool)

    @cached_property
    def passed(self) -> tuple[Question, ...]:
        """Return those of them that passed."""
        return tuple(one for one in self.asked if one.passed)

    @property
    def lost(self) -> tuple[Question, ...]:
        """Return the passes that do not survive."""
        kept = set(self.surviving)
        return tuple(one for one in self.passed if one not in kept)

    @property
    def alone(self) -> float:
        """Return the e-value from which a pass survives by itself."""
        return len(self.asked) / self.level

    @property
    def relying(self) -> tuple[Question, ...]:
        """Return the passes that rely on a certificate: they asked no pool of their own."""
        return tuple(one for one in self.questions if one.certificate and one.passed)

    def by_method(self) -> list[tuple[str, dict[str, int]]]:
        """Return how often each method came to each outcome, in alphabetical order."""
        found: dict[str, Counter[str]] = {}
        for one in self.questions:
            found.setdefault(one.run.method, Counter())[one.outcome] += 1
        return [(method, dict(sorted(found[method].items()))) for method in sorted(found)]

    def outcomes(self) -> dict[str, int]:
        """Return how often each outcome came, over all methods."""
        return dict(sorted(Counter(one.outcome for one in self.questions).items()))

    def repeated(self, charged: str = "") -> int:
        """Return how many audits followed others of the same, or those of them charged so."""
        return sum(
            one.charged == charged if charged else one.attempt > 1 for one in self.questions
        )

    def statement(self, say: Say = english) -> tuple[str, ...]:
        """Return in words what is stated, and over what."""
        if not self.questions:
            return (fleet_words.nothing(say),)
        said = (
            fleet_words.means(
                asked=len(self.asked),
                passed=len(self.passed),
                surviving=len(self.surviving),
                level=self.level,
                say=say,
            ),
            fleet_words.relies(len(self.relying), say),
            fleet_words.charged(
                repeated=self.repeated(),
                spent=self.repeated(SPENT),
                owing=self.repeated(OWES),
                say=say,
            ),
        )
        return tuple(filter(None, said))


def period(since: str, until: str) -> tuple[date | None, date | None]:
    """Return the days of a period as they were typed; None for one that was left empty.

    Raises:
        PeriodRefused: the sentence names the field, the value and what is allowed.
    """
    first, last = _day("since", since), _day("until", until)
    if first and last and last < first:
        raise PeriodRefused(
            worded_of(
                "until",
                "It is %(last)s; it must not be before since, %(first)s.",
                last=last,
                first=first,
            )
        )
    return first, last


def fleet(*, since: date | None = None, until: date | None = None) -> Fleet:
    """Return what all runs that were planned in a period came to, corrected for their number."""
    questions = tuple(questions_of(list(as_shown(planned_within(since, until)))))
    return fleet_of(questions, since=since, until=until)


def fleet_of(
    questions: tuple[Question, ...], *, since: date | None = None, until: date | None = None
) -> Fleet:
    """Return what the questions of a period say together."""
    level = level_of_error()
    return Fleet(
        since=since,
        until=until,
        level=level,
        requests=received_within(since, until).count(),
        questions=questions,
        surviving=_surviving([one for one in questions if one.pool], level),
        pools=tuple(_pools(questions, level)),
    )


def planned_within(since: date | None, until: date | None) -> QuerySet[UnlearningRun]:
    """Return the runs that were planned in a period, in their order."""
    runs = _within(UnlearningRun.objects.all(), "created_at", since, until)
    return runs.order_by("created_at", "pk")


def as_shown(runs: QuerySet[UnlearningRun]) -> QuerySet[UnlearningRun]:
    """Return runs with what is shown of them, and without what is large."""
    return runs.select_related("target").defer(*_LARGE)


def received_within(since: date | None, until: date | None) -> QuerySet[ErasureRequest]:
    """Return the cases that were received in a period."""
    return _within(ErasureRequest.objects.all(), "received_at", since, until)


def level_of_error() -> float:
    """Return the largest expected share of false passes among those that survive."""
    return EvidencePolicy.from_dict(evidence_fields()).alpha


def pool_of(run: UnlearningRun) -> Pool | None:
    """Return the cases that were judged from a run's pool; None where it served one."""
    level = level_of_error()
    return next(_pools(tuple(questions_of([run])), level), None)


def _day(name: str, value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise PeriodRefused(
            worded_of(
                name, "It is %(value)s; it must be a day such as 2026-11-01.", value=repr(value)
            )
        ) from None


def _within(
    rows: QuerySet[Any], name: str, since: date | None, until: date | None
) -> QuerySet[Any]:
    if since is not None:
        rows = rows.filter(**{f"{name}__gte": datetime.combine(since, time(), UTC)})
    if until is not None:
        after = datetime.combine(until, time(), UTC) + timedelta(days=1)
        rows = rows.filter(**{f"{name}__lt": after})
    return rows


def _surviving(asked: Iterable[Question], level: float) -> tuple[Question, ...]:
    found = list(asked)
    kept = surviving({place: one.strength for place, one in enumerate(found)}, level)
    return tuple(found[place] for place in kept)


def _pools(questions: tuple[Question, ...], level: float) -> Iterator[Pool]:
    """Yield the pools to which several cases put questions, corrected for their number alone."""
    found: dict[Any, list[Question]] = {}
    for one in questions:
        if one.pool and one.case:
            found.setdefault(one.run.pk, []).append(one)
    for asked in found.values():
        kept = _surviving(asked, level)
        yield Pool(run=asked[0].run, level=level, asked=tuple(asked), surviving=kept)
