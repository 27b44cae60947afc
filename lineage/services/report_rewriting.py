"""Take ordinals out of what a training has reported and not ended, and remember that it was done.

A version that comes of such a report after all must not look as if it had learned from nobody who
was erased: what the purges took is counted as used, since at least one of it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import decode, encode
from lineage.core.first_steps import without
from lineage.models import CaptureReport, DatasetSnapshot, LineagePurge, Role, RunInput

if TYPE_CHECKING:
    from lineage.models import OrdinalSpace

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


def taken_out(report: CaptureReport) -> BitMap:
    """Return all ordinals of the purges that took something out of what a report used."""
    noted = _noted(report)
    if not noted:
        return BitMap()
    read = RunInput.objects.filter(run=report.run_id, role=Role.TRAINING)
    spaces = DatasetSnapshot.objects.filter(id__in=read.values("node__object_id")).values("space")
    purges = [one for one in LineagePurge.objects.filter(space__in=spaces) if str(one.id) in noted]
    return BitMap().union(*(decode(bytes(one.bitmap)) for one in purges))


def _noted(report: CaptureReport) -> set[str]:
    noted = report.sampler.get(TAKEN_OUT)  # a client may have sent anything
    return set(map(str, noted)) if isinstance(noted, list) else set()
