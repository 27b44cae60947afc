"""What a script reported of records that are purged while its training goes on."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from expunge import capture
from lineage.core import first_steps
from lineage.core.bitmaps import decode, encode
from lineage.models import CaptureReport, ModelVersion
from lineage.queries.closure import affected
from lineage.services.capture_reports import (
    Ending,
    NotThisRun,
    finish_reported,
)
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.remote import (
    WEIGHTS,
    used_by,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]
CASE = uuid.UUID(int=7)


@pytest.mark.parametrize("ended", ["before the rest", "before, and again", "never"])
def test_what_a_rank_used_loses_hard_purged_bits_and_the_version_is_quarantined(
    script, taken, now, ended
):
    run = str(uuid.uuid4())
    sinks = [script.sink(run=run, rank=at, ranks=2, patience_seconds=0) for at in (1, 0)]
    for sink, ordinals in zip(sinks, ([1, 2, 3], [3, 4]), strict=True):
        with capture.training(sink=sink, first_steps=True) as captured:
            captured.used(ordinals)
            if sink.rank == 0:
                erase_records(
                    case_id=CASE, space=taken.space, ordinals=BitMap([2, 7]), now=now, hard=True
                )
                report = CaptureReport.objects.get(rank=1)
                assert kept_of(1) == BitMap([1, 3])
                steps = first_steps.decode(bytes(report.first_steps or b""), BitMap([1, 3]))
                assert steps.tolist() == [0, 0]
                if ended == "never":
                    return
                if ended == "before, and again":
                    resend(run, 1, [1, 2, 3], now)
                    assert kept_of(1) == BitMap([1, 3])
                    with pytest.raises(NotThisRun):
                        resend(run, 1, [1, 3, 5], now)
            captured.finish(weights=WEIGHTS)
    version = ModelVersion.objects.get()
    assert version.state == "QUARANTINED"
    assert used_by(version.generated_by) >= BitMap([1, 2, 3, 4])
    assert [hit.version for hit in affected(taken.space, BitMap([2])).versions] == [version]


def kept_of(number):
    """What is kept of what a rank said that it used."""
    return decode(bytes(CaptureReport.objects.get(rank=number).used or b""))


def resend(run, number, ordinals, now):
    ending = Ending(rank=number, used=encode(BitMap(ordinals)))
    finish_reported(run_id=uuid.UUID(run), owner="script", ending=ending, now=now)


def test_what_was_barred_when_a_training_began_loses_hard_purged_bits(script, taken, now):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([2, 5]), now=now)
    with capture.training(sink=script.sink()) as captured:
        erase_records(case_id=CASE, space=taken.space, ordinals=BitMap([2]), now=now, hard=True)
        assert decode(bytes(CaptureReport.objects.get().barred)) == BitMap([5])
        captured.check()
        captured.used([1])
        captured.finish(weights=WEIGHTS)
    assert ModelVersion.objects.get().state == "ACTIVE"
