"""Cases that wait for the same training start together, the oldest first, and none too late."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audits import keys, workflow
from audits.core.record import verify
from audits.execution.planning import plan_of
from audits.models import DuplicateFinding, ErasureRequest, Release
from audits.queries import batches, schedule
from audits.queries.conflicts import case_ahead
from audits.queries.limits import limits_of
from audits.services import scheduling
from audits.workflow import tasks
from audits.workflow.doorbell import job_for
from config.checks import waiting_fits_the_deadline
from lineage.models import Job, ModelVersion, RecordContent, Run
from tests.audits.world import (
    ADA,
    BERT,
    CLEO,
    DORA,
    FAIL,
    STRANGERS,
    World,
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


def age(case, days):
    """Let a case have come so many days ago."""
    now = timezone.now()
    ErasureRequest.objects.filter(pk=case.pk).update(
        received_at=now - timedelta(days=days), due_on=(now + timedelta(days=30 - days)).date()
    )
    case.refresh_from_db()
    return case


def sweep(world):
    with world.commit(execute=True):
        tasks.sweep()


def settled(world: World, *cases: ErasureRequest) -> list[ErasureRequest]:
    """Sweep and work until nothing moves."""
    for _ in range(6):
        sweep(world)
        world.work()
    return [world.current(case) for case in cases]


def planned():
    return Job.objects.filter(kind="PLAN").count()


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
        verify(bytes(case.record.data), vkey=keys.signing_key().verifier.text)
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


def test_a_plan_that_was_drawn_with_another_case_is_not_drawn_again(world, pair):
    _, bert = pair
    ErasureRequest.objects.filter(pk=bert.pk).update(status="UNLEARNING")
    job = job_for(bert, "plan:again", "PLAN", "lineage", timezone.now())
    assert world.run(job).status == "SUCCEEDED"


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


def test_too_little_capacity_is_told_on_the_page_and_on_the_command_line(
    world, base, settings, admin_client
):
    settings.EXPUNGE_REBUILDS_PER_DAY = 0.05
    said = "With 1 shards and 0.05 rebuilds a day a request can become 40.0 days old, past"
    assert said in admin_client.get(reverse("audits:request_list")).content.decode()
    out, err = StringIO(), StringIO()
    call_command("schedule", stdout=out, stderr=err)
    assert "1 trainings, 0.05 a day: no request becomes older than 40 days" in out.getvalue()
    assert said in err.getvalue()


def test_with_the_capacity_that_was_measured_nothing_is_told(world, base, admin_client):
    assert schedule.alerts(timezone.now()) == ()
    Run.objects.update(seconds=20 * 86_400)
    assert "past the deadline of 23 days" in schedule.alerts(timezone.now())[0]


def test_a_case_past_its_date_is_told(world, base):
    age(world.accepted(ADA), 40)
    assert "Past their due date, and still waiting: 1." in schedule.alerts(timezone.now())[0]


def test_staff_see_for_what_a_case_waits(world, base, weekly, admin_client):
    case = world.accepted(ADA)
    page = admin_client.get(reverse("audits:case", args=[case.pk])).content.decode()
    assert "waits for other requests to the same models" in page
    out = StringIO()
    call_command("schedule", stdout=out)
    latest = case.received_at + timedelta(days=7)
    assert f"1 versions wait until {latest:%Y-%m-%d} at the latest: {case.reference}" in (
        out.getvalue()
    )


def test_waiting_as_long_as_the_deadline_is_refused(settings):
    settings.EXPUNGE_COALESCE_DAYS, settings.EXPUNGE_DEADLINE_DAYS = 30, 23
    (error,) = waiting_fits_the_deadline()
    assert "EXPUNGE_COALESCE_DAYS is 30, and EXPUNGE_DEADLINE_DAYS is 23" in error.msg


# --- what must not happen at once -------------------------------------------------------------


@pytest.fixture
def pair(world, base, weekly):
    """Two cases of one batch, of which nothing is planned yet."""
    ada, bert = age(world.accepted(ADA), 7), world.accepted(BERT)
    scheduling.start_batches(now=timezone.now())
    return world.current(ada), world.current(bert)


@pytest.mark.parametrize(
    ("status", "first"), [("AUDITING", True), ("FAILED", False), ("ERASED", False)]
)
def test_what_two_cases_share_is_destroyed_by_one_after_the_other(pair, status, first):
    ada, bert = pair
    ErasureRequest.objects.filter(pk=ada.pk).update(status=status)
    assert batches.erased_before(bert) == (ada if first else None)
    assert batches.erased_before(ada) is None


def test_a_later_case_that_is_being_erased_already_is_waited_for(pair):
    ada, bert = pair
    ErasureRequest.objects.update(status="AUDITING")
    job_for(bert, "erase:bert", "ERASE", "lineage", timezone.now())
    assert batches.erased_before(ada) == bert
    Job.objects.update(status="SUCCEEDED")
    assert batches.erased_before(ada) is None


def test_plans_are_kept_for_all_of_a_batch_or_for_none(world, pair):
    ada, bert = pair
    plan, planned_runs = plan_of(ada.pk, bert.pk)

    def keep() -> bool:
        plans = {one.pk: plan for one in pair}
        return scheduling.keep_plans(plans=plans, runs=planned_runs, now=timezone.now())

    finding = DuplicateFinding.objects.create(
        request=bert,
        space=world.dataset.space,
        forget_ordinal=6,
        other_ordinal=30,
        kind="EXACT",
        distance=0,
    )
    assert not keep()
    assert world.current(ada).status == "RESTRICTED"
    assert not UnlearningRun.objects.exists()
    finding.delete()
    assert keep()
    assert {world.current(one).status for one in pair} == {"PLANNED"}
    assert not keep()
    assert UnlearningRun.objects.count() == 1
