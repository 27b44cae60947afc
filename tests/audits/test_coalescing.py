"""Cases that wait for the same training start together, the oldest first, and none too late."""

from __future__ import annotations

import json
import uuid

import pytest
from django.utils import timezone

from audits import keys, workflow
from audits.core.record import verify
from audits.models import DuplicateFinding, ErasureRequest, Release
from audits.queries import batches
from audits.queries.conflicts import case_ahead
from audits.queries.limits import limits_of
from audits.services import scheduling
from audits.workflow import tasks
from lineage.models import Job, ModelVersion, RecordContent
from tests.audits.coalescing import age, planned, settled, sweep
from tests.audits.world import (
    ADA,
    BERT,
    CLEO,
    DORA,
    FAIL,
    STRANGERS,
    logged,
    officer,
    runs,
    told,
)
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def weekly(settings):
    settings.EXPUNGE_COALESCE_DAYS = 7


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


def test_by_default_nobody_waits(world, base):
    case = world.accepted()
    assert (case.batch, planned()) == (None, 1)
    assert scheduling.start_batches(now=timezone.now()) == []


def test_two_people_share_one_training_and_each_gets_a_record(world, base, weekly):
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    sweep(world)
    assert (world.current(ada).status, planned()) == ("RESTRICTED", 0)
    age(ada, 7)
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status, ada.failure, bert.failure) == ("SEALED", "SEALED", "", "")
    run = UnlearningRun.objects.get()
    assert run.forget_count == 12
    assert runs(ada) == runs(bert) == [run]
    assert ModelVersion.objects.filter(state="ACTIVE").count() == 1
    assert world.touched(world.owned(ADA, BERT)) == []
    gone = list(world.owned(ADA, BERT))
    assert not RecordContent.objects.filter(ordinal__in=gone).exists()
    assert logged(ada, "batch_formed") == [{"batch": str(ada.batch), "cases": 2}]
    for case in (ada, bert):
        verify(bytes(case.record.data), vkey=keys.verifier_text())
        assert case.plan["cases"] == 2
        assert "2 cases were planned together." in " ".join(limits_of(case, runs(case)))
        assert [row["records"] for row in case.plan["spaces"]] == [6]
        assert [row["forget_count"] for row in case.plan["affected"]] == [6]
        assert logged(case, "records_erased")[0]["records"] == 6
        assert len(logged(case, "version_released")) == 1
    assert "other" not in json.dumps(ada.plan)


def test_with_shadow_models_both_are_told_that_they_were_purged(world, base, ruled, weekly):
    ruled(FAIL)
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    age(ada, 8)
    ada, bert = settled(world, ada, bert)
    assert told(runs(bert)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
    ]
    assert (ada.status, bert.status) == ("SEALED", "SEALED")
    assert logged(ada, "shadows_purged") == logged(bert, "shadows_purged") != []


def test_what_comes_after_the_start_waits_for_the_next(world, base, weekly):
    ada = age(world.accepted(ADA), 7)
    sweep(world)
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    bert = world.accepted(BERT)  # too late to be left out of Ada's training
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status, bert.batch) == ("SEALED", "RESTRICTED", None)
    assert Release.objects.get(run=runs(ada)[0]).state == "PASSED_OVER"
    age(bert, 7)
    (bert,) = settled(world, bert)
    assert bert.status == "SEALED"


def test_the_oldest_group_starts_first_and_the_next_when_the_worker_is_idle(world, weekly):
    world.train("one", world.snapshot(ADA, CLEO))
    world.train("two", world.snapshot(BERT, DORA))
    ada, bert = age(world.accepted(ADA), 8), age(world.accepted(BERT), 9)
    (first,) = scheduling.start_batches(now=timezone.now())
    assert (world.current(ada).batch, world.current(bert).batch) == (None, first)
    with world.commit(execute=True):
        tasks.advance_case(str(bert.pk))
    assert scheduling.start_batches(now=timezone.now()) == []  # its plan is being drawn
    world.work()
    assert len(scheduling.start_batches(now=timezone.now())) == 1
    assert world.current(ada).batch is not None


@pytest.mark.parametrize(
    ("changed", "old", "starts"),
    [
        ({"EXPUNGE_COALESCE_REQUESTS": 2}, 0, True),
        ({"EXPUNGE_COALESCE_REQUESTS": 3}, 0, False),
        ({"EXPUNGE_COALESCE_DAYS": 22}, 20, False),
        ({"EXPUNGE_COALESCE_DAYS": 22}, 21.1, True),  # two days before the internal deadline
        ({"EXPUNGE_COALESCE_DAYS": 50, "EXPUNGE_DEADLINE_DAYS": 60}, 27, False),
        ({"EXPUNGE_COALESCE_DAYS": 50, "EXPUNGE_DEADLINE_DAYS": 60}, 28.9, True),  # the legal one
    ],
)
@pytest.mark.usefixtures("base", "weekly")
def test_a_training_starts_by_backlog_and_by_slack(world, settings, changed, old, starts):
    for name, value in changed.items():
        setattr(settings, name, value)
    age(world.accepted(ADA), old)
    world.accepted(BERT)
    assert bool(scheduling.start_batches(now=timezone.now())) == starts


def test_a_version_waits_for_enough_people_but_not_past_the_slack_of_one(world, base, settings):
    settings.EXPUNGE_MIN_BATCH = 3
    ada = world.accepted(ADA)
    world.accepted(BERT)
    assert scheduling.start_batches(now=timezone.now()) == []
    age(ada, 21.5)
    assert len(scheduling.start_batches(now=timezone.now())) == 1


def test_enough_people_start_at_once(world, base, settings):
    settings.EXPUNGE_MIN_BATCH = 3
    for person in (ADA, BERT, CLEO):
        world.accepted(person)
    assert len(scheduling.start_batches(now=timezone.now())) == 1


def test_enough_people_are_needed_for_each_version_and_not_for_the_group(world, settings):
    settings.EXPUNGE_MIN_BATCH = 3
    world.train("one", world.snapshot(ADA, DORA))
    world.train("two", world.snapshot(ADA, BERT, CLEO, DORA))
    ada, *_ = [world.accepted(one) for one in (ADA, BERT, CLEO)]
    assert scheduling.start_batches(now=timezone.now()) == []  # one would carry Ada alone
    age(ada, 21.5)
    assert len(scheduling.start_batches(now=timezone.now())) == 1


def test_where_too_few_are_left_when_the_plan_is_drawn_all_wait_again(world, base, settings):
    settings.EXPUNGE_MIN_BATCH = 2
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    sweep(world)
    twin = DuplicateFinding.objects.create(
        request=bert,
        space=world.dataset.space,
        forget_ordinal=6,
        other_ordinal=30,
        kind="EXACT",
        distance=0,
    )
    world.work()
    ada, bert = world.current(ada), world.current(bert)
    assert [(one.status, one.batch) for one in (ada, bert)] == [("RESTRICTED", None)] * 2
    sweep(world)
    assert world.current(ada).batch is None
    DuplicateFinding.objects.filter(pk=twin.pk).update(decision="KEEP")
    sweep(world)
    assert world.current(ada).batch == world.current(bert).batch is not None


def test_a_case_that_waits_on_purpose_is_ahead_of_nobody(world, base, weekly):
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    ErasureRequest.objects.filter(pk=bert.pk).update(batch=uuid.uuid4())
    assert case_ahead(world.current(bert)) is None
    ErasureRequest.objects.filter(pk=ada.pk).update(batch=uuid.uuid4())
    assert case_ahead(world.current(bert)) == ada


def test_who_falls_out_of_a_batch_takes_along_whom_they_are_ahead_of(world, weekly, monkeypatch):
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    ada, bert, cleo = (world.accepted(one) for one in (ADA, BERT, CLEO))
    ErasureRequest.objects.update(batch=uuid.uuid4())

    def ahead(case, *, besides):
        """Somebody else is ahead of Bert, and he is ahead of Cleo."""
        return case.pk == bert.pk or (case.pk == cleo.pk and bert.pk not in besides)

    monkeypatch.setattr(batches, "case_ahead", ahead)
    assert batches.companions(world.current(ada)) == []


def test_somebody_whose_records_trained_nothing_waits_for_nobody(world, base, weekly):
    (case,) = settled(world, world.accepted(STRANGERS[0]))
    assert case.status == "SEALED"


def test_a_case_with_duplicates_to_decide_holds_nobody_up(world, base, weekly):
    ada, bert = age(world.accepted(ADA), 7), age(world.accepted(BERT), 7)
    sweep(world)
    space = world.dataset.space
    DuplicateFinding.objects.create(
        request=bert, space=space, forget_ordinal=6, other_ordinal=30, kind="EXACT", distance=0
    )
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status) == ("SEALED", "RESTRICTED")
    assert ada.plan.get("cases") is None
    DuplicateFinding.objects.update(decision="KEEP")
    (bert,) = settled(world, bert)
    assert bert.status == "SEALED"


def test_a_version_that_one_case_is_stuck_at_holds_no_other_up(world, base, weekly):
    world.bare("alien", world.snapshot(ADA))  # cannot be trained again; never saw Bert
    ada, bert = age(world.accepted(ADA), 7), world.accepted(BERT)
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status) == ("AUDITING", "SEALED")
    assert "alien" not in json.dumps(bert.plan)
    assert len(bert.plan["not_affected"]) == 1
    assert [str(run.target) for run in runs(bert)] == ["base v1"]
    assert {str(run.target) for run in runs(ada)} == {"base v1", "alien v1"}
    stuck = next(run for run in runs(ada) if run.status == "WAITING")
    world.do(workflow.destroy_version, run_id=stuck.pk, user=officer())
    (ada,) = settled(world, ada)
    assert (ada.status, world.touched(world.owned(ADA, BERT))) == ("SEALED", [])


def test_a_base_goes_with_the_child_of_a_case_that_it_did_not_learn_from(world, weekly):
    old = world.train("base", world.snapshot(ADA, CLEO, DORA))
    world.train("child", world.snapshot(BERT, CLEO, DORA), base=old)
    ada, bert = age(world.accepted(ADA), 7), world.accepted(BERT)
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status) == ("SEALED", "SEALED")
    told_of = {row["name"]: row["own"] for row in bert.plan["affected"]}
    assert told_of == {"base v1": False, "child v1": True}
    assert runs(ada) == runs(bert)
    assert world.touched(world.owned(ADA, BERT)) == []


def test_a_case_that_fails_lets_the_other_be_erased(world, base, weekly):
    ada, bert = age(world.accepted(ADA), 7), world.accepted(BERT)
    sweep(world)
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    Job.objects.filter(kind="ERASE").update(status="FAILED", error="The disk is full.")
    ada, bert = settled(world, ada, bert)
    assert (ada.status, bert.status) == ("FAILED", "SEALED")
    assert RecordContent.objects.filter(ordinal__in=list(world.owned(ADA))).count() == 6


# --- what is told -----------------------------------------------------------------------------


# --- what must not happen at once -------------------------------------------------------------
