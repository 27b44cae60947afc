"""Note whom else a version that is left alone still owes something to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import OwedToOthers
from audits.queries.promises import accepted_runs
from lineage.queries.subjects import owners_of
from unlearning.services.runs import forget_of

if TYPE_CHECKING:
    from audits.models import ErasureRequest


def note_others(*, request: ErasureRequest) -> None:
    """Note the people whose records go in another's case, as duplicates, with what is accepted.

    Must be called before the records are erased: afterwards nobody knows whose they were.
    """
    for run in accepted_runs().filter(requests=request):
        served = run.requests.values_list("subject_id", flat=True)
        owners = set(owners_of(run.space, forget_of(run)).values()) - {*served}
        OwedToOthers.objects.bulk_create(
            [OwedToOthers(subject_id=one, run=run) for one in owners if one is not None],
            ignore_conflicts=True,
        )
