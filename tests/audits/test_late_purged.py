"""What a hard purge took, and what was derived from it, is found all the same."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pyroaring import BitMap

from audits.queries.forget_sets import forget_set
from lineage.models import (
    DatasetSnapshot,
    RecordContent,
    Role,
)
from lineage.queries.availability import purged_ordinals
from lineage.queries.membership import members
from lineage.services.derivation import Derived, ensure_derived_dataset, write_derived
from lineage.services.runs import Input, RunPlan, begin_run
from lineage.services.snapshots import take_snapshot
from tests.audits.late_versions import closed_by_destruction, end, linked, opened
from tests.audits.world import ADA, BERT, CLEO

pytestmark = pytest.mark.django_db


def test_a_hard_purge_does_not_hide_what_an_open_run_had_read(world, settings, still_open):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    world.erased()
    version = end(still_open)
    assert (version.state, version.metrics["barred_records_used"]) == ("QUARANTINED", 6)
    (case,) = linked(world)
    assert closed_by_destruction(world, case).status == "SEALED"
    assert world.touched(world.owned(ADA)) == []
    for snapshot in DatasetSnapshot.objects.all():
        assert not members(snapshot) & world.owned(ADA)


def test_after_a_hard_purge_a_run_that_said_what_it_drew_is_judged_by_that(world, settings):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    with_her, without = opened(world, ADA, BERT), opened(world, ADA, CLEO)
    world.erased()
    assert end(with_her, used=world.owned(ADA, BERT)).state == "QUARANTINED"
    assert end(without, used=world.owned(CLEO), name="without").state == "ACTIVE"


def test_a_run_that_began_after_a_hard_purge_reads_nothing_that_it_took(world, settings):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    snapshot = world.snapshot(ADA, BERT)
    world.erased()
    plan = RunPlan(activity="TRAIN", inputs=(Input(source=snapshot),))
    assert end(begin_run(plan=plan, now=timezone.now())).state == "ACTIVE"


def test_what_was_derived_after_the_seal_by_a_map_is_part_of_the_linked_case(world):
    source = Input(source=world.snapshot(ADA, BERT), role=Role.SOURCE_DATA)
    deriving = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(source,)), now=timezone.now())
    original = world.erased()
    captions = ensure_derived_dataset(name="captions", parent=world.dataset, one_for_one=False)
    written = write_derived(
        run=deriving,
        source=world.dataset.space,
        dataset=captions,
        records=[Derived(sources=(0,)), Derived(sources=(6,))],  # Ada's, and Bert's
        now=timezone.now(),
    )
    plan = RunPlan(activity="TRAIN", inputs=(Input(source=written),))
    assert members(written) == BitMap([1])  # hers was a tombstone from the start
    assert not RecordContent.objects.filter(space=captions.space, ordinal=0).exists()
    assert end(begin_run(plan=plan, now=timezone.now())).state == "ACTIVE"
    used = take_snapshot(dataset=captions, ordinals=BitMap([0, 1]), now=timezone.now())
    plan = RunPlan(activity="TRAIN", inputs=(Input(source=used),))
    version = end(begin_run(plan=plan, now=timezone.now()), name="other", weights=b"other")
    assert version.state == "QUARANTINED"
    (case,) = linked(world)
    assert case.linked_to == original
    assert forget_set(case.pk)[captions.space] == BitMap([0])
    assert closed_by_destruction(world, case).status == "SEALED"
    assert purged_ordinals(captions.space) == BitMap([0])
    assert linked(world) == [case]
