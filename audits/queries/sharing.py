"""Who of those that share a run is told apart in its audit: one subject of the shadow design each.

Cases that have a record in common cannot be told apart, since a shadow model learned the record or
did not: they are one subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.subjects import join_overlapping
from audits.queries import cases
from audits.queries.forget_sets import forget_set
from unlearning.services import runs

if TYPE_CHECKING:
    from unlearning.models import UnlearningRun


def told_apart(run: UnlearningRun) -> tuple[list[list[str]], list[int]]:
    """Return the cases of each subject, and for each record of the forget set its subject.

    Of one subject where the run serves one case, or where some record belongs to none.
    """
    served = list(cases.cases_of_run(run.pk).order_by("received_at", "pk"))
    forget = runs.forget_of(run)
    own = {str(one.pk): set(forget_set(one.pk).get(run.space, ())) & set(forget) for one in served}
    found = join_overlapping(own)
    place = {
        record: at for at, names in enumerate(found) for name in names for record in own[name]
    }
    if len(found) == 1 or place.keys() != set(forget) or not all(own.values()):
        return [[name for names in found for name in names]], [0] * len(forget)
    return found, [place[record] for record in forget]
