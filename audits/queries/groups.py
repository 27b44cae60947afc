"""Cases that wait for the same training, or for the same shards of one.

A case stands between all that it reaches: whatever waits for any of these starts with it. So a
group is a connected part of the graph of cases and shards, and a version that is not in shards is
one of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.subjects import join_overlapping
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.capacity import together
from audits.queries.conflicts import taken
from audits.queries.operator_cases import NO_DEADLINE
from audits.queries.reached import places_of, reached_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.queries.capacity import Training
    from audits.queries.reached import Place

S = ErasureRequest.Status


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Cases that start together, the oldest first, and the places that each reaches."""

    cases: tuple[ErasureRequest, ...]
    reached: Mapping[UUID, frozenset[Place]]

    @property
    def places(self) -> frozenset[Place]:
        """What is trained again."""
        return frozenset().union(*self.reached.values())

    @property
    def versions(self) -> frozenset[str]:
        """The versions that are trained again, wholly or in part."""
        return frozenset(place.version for place in self.places)

    def fewest(self) -> tuple[ErasureRequest, ...]:
        """Return the cases that reach the version that the fewest people reach; all of none."""
        by_version: dict[str, list[ErasureRequest]] = defaultdict(list)
        for case in self.cases:
            for name in sorted({place.version for place in self.reached[case.pk]}):
                by_version[name].append(case)
        found = sorted(by_version.items())
        return min(
            (tuple(cases) for _, cases in found),
            key=lambda cases: len(set(map(person_of, cases))),
            default=self.cases,
        )

    def seconds(self, known: Mapping[str, Training]) -> float:
        """Return how long the group takes: as long as the shards that it reaches together."""
        return sum(known[place.version].part for place in self.places)


def groups() -> list[Group]:
    """Return what waits for others, the oldest first; not what waits for staff or another case.

    A case that reaches a version at which another is at work waits for that one: its plan would be
    drawn on what is about to be replaced, whichever shards the two reach.
    """
    return groups_of(waiting(), but=taken())


def waiting() -> QuerySet[ErasureRequest]:
    """Return the cases that wait for others, or for one at work, but not for staff."""
    undecided = DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING)
    return (
        ErasureRequest.objects.filter(status=S.RESTRICTED, batch=None)
        .exclude(due_rule=NO_DEADLINE)
        .exclude(kind=ErasureRequest.Kind.RESTRICTION)
        .exclude(pk__in=undecided.values("request_id"))
        .order_by("received_at", "pk")
    )


def groups_of(cases: Iterable[ErasureRequest], *, but: Collection[str] = ()) -> list[Group]:
    """Return cases in groups, the oldest first, without those that reach some versions."""
    known = {case.pk: case for case in cases}
    found = places_of(reached_by(known), apart=not together())
    free = {
        pk: places
        for pk, places in found.items()
        if not any(place.version in but for place in places)
    }
    return sorted(
        (
            Group(
                cases=tuple(sorted((known[pk] for pk in members), key=_age)),
                reached={pk: free[pk] for pk in members},
            )
            for members in join_overlapping(free)
        ),
        key=lambda one: _age(one.cases[0]),
    )


def person_of(case: ErasureRequest) -> str:
    """Return who asked, as far as cases of one person must not count twice."""
    return str(case.subject_id or case.pk)


def _age(case: ErasureRequest) -> tuple[datetime, str]:
    return case.received_at, str(case.pk)
