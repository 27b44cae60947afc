"""What a script reported of records that are purged while its training goes on."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pyroaring import BitMap

from expunge import capture
from expunge.sink import Start
from lineage.core import first_steps
from lineage.core.bitmaps import decode, encode
from lineage.models import CaptureReport, ModelVersion, Run
from lineage.queries.closure import affected
from lineage.services.capture_reports import (
    Ending,
    NotThisRun,
    RanksMissing,
    fail_reported,
    finish_reported,
    give_up_silent,
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


def resend(run, number, ordinals, now, **told: Any):  # noqa: ANN401  (fields of Ending)
    if number == 0:
        told |= {"model_name": "m", "weights": WEIGHTS}
    ending = Ending(rank=number, used=encode(BitMap(ordinals)), **told)
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


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("gives_up", [fail_reported, give_up_silent])
def test_what_comes_after_a_hard_purge_of_a_run_that_fails_leaves_no_erased_bit(
    script, taken, now, rank, gives_up
):
    run = begun(script, ranks=2)
    erase_records(case_id=CASE, space=taken.space, ordinals=BitMap([2, 7]), now=now, hard=True)
    told = BitMap([1, 2, 3])
    steps = first_steps.encode(told, np.array([5, 6, 7]))
    for _ in range(2):
        with pytest.raises(RanksMissing) if rank == 0 else nullcontext():
            resend(run, rank, told, now, first_steps=steps)
    if gives_up is fail_reported:
        fail_reported(run_id=uuid.UUID(run), owner="script", rank=rank, reason="E", now=now)
    else:
        assert give_up_silent(now=now + timedelta(days=400), silence=timedelta(1)) == 1
    assert kept_of(rank) == BitMap([1, 3])
    kept = CaptureReport.objects.get(rank=rank).first_steps
    assert first_steps.decode(bytes(kept or b""), BitMap([1, 3])).tolist() == [5, 7]
    # It was alive all the same: nobody is forgotten who was reported.
    for one in {1, 0} - {rank}:
        resend(run, one, [4], now)
    if rank == 1:
        assert used_by(Run.objects.get()) == BitMap([1, 2, 3, 4, 7])
        assert ModelVersion.objects.get().state == "QUARANTINED"


def test_what_the_only_rank_used_is_known_to_the_record_after_a_hard_purge(script, taken, now):
    run = begun(script, ranks=1)
    erase_records(case_id=CASE, space=taken.space, ordinals=BitMap([2, 7]), now=now, hard=True)
    resend(run, 0, [1, 2], now, first_steps=first_steps.encode(BitMap([1, 2]), np.array([5, 6])))
    assert used_by(Run.objects.get()) == BitMap([1, 2])
    stored = Run.objects.get().inputs.get().first_step_blob
    assert first_steps.decode(bytes(stored or b""), BitMap([1, 2])).tolist() == [5, 6]
    assert ModelVersion.objects.get().state == "QUARANTINED"


def begun(script, *, ranks):
    """Begin a run as all its ranks, and return its id."""
    run = str(uuid.uuid4())
    for rank in range(ranks):
        sink = script.sink(run=run, rank=rank, ranks=ranks)
        sink.begin(Start(level="CONSUMED", sampler={}, environment={}))
    return run
