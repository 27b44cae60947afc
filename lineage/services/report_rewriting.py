"""Take ordinals out of what a training has reported and not ended, and remember that it was done.

A version that comes of such a report after all must not look as if it had learned from nobody who
was erased: what the purges took is counted as used, since at least one of it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode, union
from lineage.core.first_steps import without
from lineage.models import (
    CaptureReport,
    DatasetSnapshot,
    LineagePurge,
    OrdinalSpace,
    Role,
    RunInput,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from lineage.models import Run

HARD = "HARD"  # the mode of a purge that rewrites bits
TAKEN_OUT = "taken_out_by"  # in the sampler of a report: the purges that took from what it used


def rewrite_reports(*, purge: LineagePurge, space: OrdinalSpace, gone: BitMap) -> None:
    """Take ordinals out of the reports of a space, inside the caller's transaction."""
    snapshots = DatasetSnapshot.objects.filter(space=space).values("id")
    runs = RunInput.objects.filter(role=Role.TRAINING, node__object_id__in=snapshots).values("run")
    for report in CaptureReport.objects.select_for_update().filter(run__in=runs):
        barred, used = decode(bytes(report.barred)), decode(bytes(report.used or encode(BitMap())))
        if not (barred | used) & gone:
            continue
        report.barred = encode(barred - gone)
        if used & gone:
            if report.first_steps is not None:
                report.first_steps = without(bytes(report.first_steps), used, gone)
            report.used = encode(used - gone)
            noted = sorted({*_noted(report), str(purge.id)})
            report.sampler = {**report.sampler, TAKEN_OUT: noted}
        report.save()


def put_used(report: CaptureReport, used: BitMap, steps: bytes) -> None:
    """Put what a training used into its report, unsaved, as if it had come before the purges.

    Its run may yet fail, and then nobody would look for an erased ordinal here.
    """
    purges = [one for one in _purges(report).filter(mode=HARD) if used & _purged(one)]
    gone = union(map(_purged, purges))
    report.used = encode(used - gone)
    report.first_steps = without(steps, used, gone) if steps else None
    if purges:
        noted = sorted({*_noted(report), *(str(one.id) for one in purges)})
        report.sampler = {**report.sampler, TAKEN_OUT: noted}


def taken_out(report: CaptureReport) -> BitMap:
    """Return all ordinals of the purges that took something out of what a report used."""
    noted = _noted(report)
    return union(_purged(one) for one in _purges(report) if str(one.id) in noted)


def spaces_read(run: Run) -> QuerySet[OrdinalSpace]:
    """Return the spaces of the data that a run was trained on."""
    read = RunInput.objects.filter(run=run, role=Role.TRAINING).values("node__object_id")
    return OrdinalSpace.objects.filter(snapshots__in=read).distinct()


def _purges(report: CaptureReport) -> QuerySet[LineagePurge]:
    return LineagePurge.objects.filter(space__in=spaces_read(report.run))


def _purged(purge: LineagePurge) -> BitMap:
    return decode(bytes(purge.bitmap))


def _noted(report: CaptureReport) -> set[str]:
    noted = report.sampler.get(TAKEN_OUT)  # a client may have sent anything
    return set(map(str, noted)) if isinstance(noted, list) else set()
