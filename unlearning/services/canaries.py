"""Plant canaries in a training, spend a share of them in a run, destroy their secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from lineage import keys
from unlearning.core.shares import share_of
from unlearning.models import Canaries, SpentCanaries
from unlearning.queries import canaries as kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.models import Job, ModelVersion
    from unlearning.models import UnlearningRun


def begin(*, job: Job, number: int, draw: Callable[[int], tuple[dict[str, Any], str]]) -> Canaries:
    """Keep the canaries of a training, once: a try that follows another has the same.

    ``draw`` is given the new secret, and returns the units and the digest of what it drew.
    """
    if known := Canaries.objects.filter(planting=job.pk).first():
        return known
    keys.get_or_create(kept.key_of(job.pk))
    units, digest = draw(kept.seed_of(job.pk))
    return Canaries.objects.create(planting=job.pk, number=number, units=units, digest=digest)


def settle(*, job: Job, version: ModelVersion) -> None:
    """Say of which version the canaries of a training are."""
    Canaries.objects.filter(planting=job.pk, version=None).update(version=version)


@transaction.atomic
def spend(*, run: UnlearningRun, row: Canaries) -> SpentCanaries | None:
    """Set a share of a version's canaries aside for a run, once; None where none are left.

    No canary is set aside twice. What an earlier run has spent is not tested again, since the
    answer to it has had a say in what became of the model.
    """
    if known := kept.spent_by(run):
        return known
    same = Canaries.objects.select_for_update().filter(planting=row.planting)
    list(same.order_by("pk"))  # a run on another version of the planting waits
    first, last = share_of(row.number, max(row.first, kept.unspent(row.planting)))
    if first >= last:
        return None
    return SpentCanaries.objects.create(run=run, planting=row.planting, first=first, last=last)


def hand_on(*, run: UnlearningRun, version: ModelVersion) -> None:
    """Say which canaries the result of a run still holds: those after the share that it spent."""
    row, spent = kept.canaries_of(run.target), kept.spent_by(run)
    if row and spent and spent.last < row.number:
        Canaries.objects.get_or_create(
            version=version,
            defaults={
                "planting": row.planting,
                "number": row.number,
                "first": spent.last,
                "units": row.units,
                "digest": row.digest,
            },
        )


def destroy_forsaken() -> int:
    """Destroy the secrets of canaries that no version has any more; return how many."""
    gone = kept.forsaken()
    for planting in gone:
        keys.destroy(kept.key_of(planting))
    Canaries.objects.filter(planting__in=gone).update(units={})  # of use with the secret only
    return len(gone)
