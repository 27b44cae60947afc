"""What earlier cases left within an (epsilon, delta) of the records or people of a case.

The bounds of all versions that hold something of a person add up, whichever case left them alone.
Those that the closure of a case still finds are weighed in it anew; these are the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.models import ErasureRequest, OwedToOthers
from audits.queries.forget_sets import forget_set
from lineage.models import ModelVersion
from unlearning.models import UnlearningRun
from unlearning.services.runs import NEWTON, NO_ACTION, forget_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID

    from django.db.models import QuerySet


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A version in use, and the (epsilon, delta) within which it still holds some records."""

    version: ModelVersion
    epsilon: float
    delta: float


def earlier_promises(case_ids: Collection[UUID], besides: Collection[UUID]) -> list[Promise]:
    """Return what earlier cases accepted of records or people that some cases are about.

    Args:
        case_ids: of the cases, which are planned together.
        besides: versions that are weighed in these cases themselves.
    """
    forget = {space.pk: ordinals for space, ordinals in forget_set(*case_ids).items()}
    owed = set(
        OwedToOthers.objects.filter(subject__in=_people(case_ids)).values_list("run", flat=True)
    )
    found: dict[UUID, Promise] = {}
    for run in accepted_runs().select_related("target", "unlearned"):
        ours = forget.get(run.space_id)
        if run.pk not in owed and not (ours and ours.intersect(forget_of(run))):
            continue
        version = _still_in_use(run)
        if version is None or version.pk in besides:
            continue
        told = _promise(version, run)
        known = found.get(version.pk)
        if known is None or told.epsilon > known.epsilon:
            found[version.pk] = told
    return list(found.values())


def accepted_runs() -> QuerySet[UnlearningRun]:
    """Return the runs that settled a version within an (epsilon, delta)."""
    return UnlearningRun.objects.filter(
        method__in=[NO_ACTION, NEWTON], status=UnlearningRun.Status.CLEARED, escalated_to=None
    ).order_by("created_at", "pk")


def _people(case_ids: Collection[UUID]) -> set[int]:
    """Return the people that cases are about, by themselves or by what they follow on from."""
    found: set[int] = set()
    asked = ErasureRequest.objects.filter(pk__in=list(case_ids))
    while asked:
        found.update(asked.exclude(subject=None).values_list("subject", flat=True))
        first = asked.exclude(linked_to=None).values_list("linked_to", flat=True)
        asked = ErasureRequest.objects.filter(pk__in=list(first))
    return found


def _still_in_use(run: UnlearningRun) -> ModelVersion | None:
    """Return the version that the run left, or what later removals made of it; None if neither."""
    for version in _line(run):
        if version.state != ModelVersion.State.DESTROYED:
            return version
    return None


def _line(run: UnlearningRun) -> Iterator[ModelVersion]:
    version = run.target if run.method == NO_ACTION else run.unlearned
    while version is not None:
        yield version
        later = accepted_runs().filter(target=version, method=NEWTON).exclude(unlearned=None)
        following = later.select_related("unlearned").first()
        version = following.unlearned if following else None


def _promise(version: ModelVersion, run: UnlearningRun) -> Promise:
    told = run.report if run.method == NO_ACTION else run.weighed["ranked"][0]["option"]
    return Promise(version=version, epsilon=told["epsilon"], delta=told["delta"])
