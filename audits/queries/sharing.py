"""Who of those that share a run is told apart in its audit: one subject of the shadow design each.

Cases that have a record in common cannot be told apart, since a shadow model learned the record or
did not: they are one subject. So are cases that have a person in common. Records of one person are
alike, and a model that learned some of them for one case would answer for the others as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from audits.core.subjects import join_overlapping
from audits.queries import cases
from audits.queries.forget_sets import forget_set
from lineage.queries.subjects import owners_of
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from unlearning.models import UnlearningRun


def told_apart(run: UnlearningRun) -> tuple[list[list[str]], list[int]]:
    """Return the cases of each subject, and for each record of the forget set its subject.

    Of one subject where the run serves one case, or where some record belongs to none.
    """
    served = list(cases.cases_of_run(run.pk).order_by("received_at", "pk"))
    forget = runs.forget_of(run)
    own = {str(one.pk): set(forget_set(one.pk).get(run.space, ())) & set(forget) for one in served}
    owners = owners_of(run.space, BitMap(forget))
    people = {name: _with_owners(records, owners) for name, records in own.items()}
    found = join_overlapping(people)
    place = {
        record: at for at, names in enumerate(found) for name in names for record in own[name]
    }
    if len(found) == 1 or place.keys() != set(forget) or not all(own.values()):
        return [[name for names in found for name in names]], [0] * len(forget)
    return found, [place[record] for record in forget]


def _with_owners(records: set[int], owners: Mapping[int, int | None]) -> list[Hashable]:
    """Return some records and, beside them, the people they are of."""
    people = {("person", owners[one]) for one in records if owners[one] is not None}
    return [*records, *people]
