"""A duplicate of an erased record waits for a decision, and goes with all that came from it."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from audits import workflow
from audits.queries.limits import limits_of
from audits.services import duplicates
from lineage.models import DataRecord, RecordContent
from lineage.queries.training_view import training_view
from lineage.services.derivation import Derived, ensure_derived_dataset, write_derived
from lineage.services.runs import Input, RunPlan, begin_run
from tests.audits import world as worlds
from tests.audits.world import (
    ADA,
    BERT,
    CLEO,
    DORA,
    NOW,
    logged,
    runs,
)


@pytest.fixture
def base(world):
    """A version that learned from Ada and others."""
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def twin_record(world):
    """Bert has a record equal to Ada's first one."""
    worlds.imported("digits", [(BERT, worlds.digits()[0])])
    return sum(worlds.OWNED.values())


@pytest.mark.parametrize(("decision", "erased"), [("KEEP", 6), ("ERASE", 7)])
def test_a_case_waits_for_a_decision_about_a_duplicate(world, twin_record, decision, erased):
    people = world.owned(ADA, BERT, CLEO)
    world.train("base", world.take(people | BitMap([twin_record])))
    case = world.finish(world.accepted())
    finding = case.duplicates.get()
    assert (case.status, finding.kind, finding.other_ordinal) == (
        "RESTRICTED",
        "EXACT",
        twin_record,
    )
    world.do(
        workflow.decide_duplicate,
        finding_id=finding.pk,
        decision=decision,
        user=worlds.officer(),
    )
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert logged(case, "records_erased")[0]["records"] == erased
    assert RecordContent.objects.filter(ordinal=twin_record).exists() is (decision == "KEEP")
    kept = [limit for limit in limits_of(case, runs(case)) if "kept by decision" in limit]
    assert len(kept) == (decision == "KEEP")


def test_what_was_derived_from_a_duplicate_goes_with_it(world, base, twin_record):
    """A caption of the twin alone, and a word of that caption: each in a space of its own."""
    captions = derived("captions", world.take(BitMap([twin_record])), twin_record)
    words = derived("words", captions, 0)
    case = world.finish(world.accepted())
    world.do(
        workflow.decide_duplicate,
        finding_id=case.duplicates.get().pk,
        decision="ERASE",
        user=worlds.officer(),
    )
    assert [list(training_view(taken).ordinals) for taken in (captions, words)] == [[], []]
    late = derived("late words", captions, 0)  # while the case goes on
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    for space in (captions.space, words.space, late.space):
        assert not RecordContent.objects.filter(space=space).exists()
        assert DataRecord.objects.get(space=space).invalidated_by == case.pk


def test_what_was_derived_while_a_duplicate_was_decided_is_found_before_the_erasure(
    world, base, twin_record, monkeypatch
):
    """As if the derivation had been written between the look at the map and the restriction."""
    case = world.finish(world.accepted())
    captions = derived("captions", world.take(BitMap([twin_record])), twin_record)
    with monkeypatch.context() as patched:
        patched.setattr(duplicates, "with_derived", lambda records: records)
        world.do(
            workflow.decide_duplicate,
            finding_id=case.duplicates.get().pk,
            decision="ERASE",
            user=worlds.officer(),
        )
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert not RecordContent.objects.filter(space=captions.space).exists()


def derived(name, source, ordinal):
    """One record in a data set of its own, derived from one record of a snapshot."""
    dataset = ensure_derived_dataset(name=name, parent=source.dataset, one_for_one=False)
    run = begin_run(
        plan=RunPlan(activity="TRANSFORM", inputs=(Input(source=source, role="SOURCE_DATA"),)),
        now=NOW,
    )
    records = [Derived(sources=(ordinal,), content=name.encode())]
    return write_derived(run=run, source=source.space, dataset=dataset, records=records, now=NOW)
