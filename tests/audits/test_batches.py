"""Cases of one batch beside each other, and what staff are told of those that wait."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audits.execution.planning import own_plan, plan_of
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries import batches, schedule
from audits.queries.groups import groups
from audits.services import scheduling
from audits.workflow import steps
from audits.workflow.doorbell import job_for
from config.checks import waiting_fits_the_deadline
from lineage.models import Job, Run
from tests.audits.coalescing import age, planned, sweep
from tests.audits.world import (
    ADA,
    BERT,
    CLEO,
    DORA,
    logged,
)
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def weekly(settings):
    settings.EXPUNGE_COALESCE_DAYS = 7


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


def test_a_plan_that_was_drawn_with_another_case_is_not_drawn_again(world, pair):
    _, bert = pair
    ErasureRequest.objects.filter(pk=bert.pk).update(status="UNLEARNING")
    job = job_for(bert, "plan:again", "PLAN", "lineage", timezone.now())
    assert world.run(job).status == "SUCCEEDED"


def test_too_little_capacity_is_told_on_the_page_and_on_the_command_line(
    world, base, settings, admin_client
):
    settings.EXPUNGE_REBUILDS_PER_DAY = 0.05
    said = "With 1 shards and 0.05 rebuilds a day a request can become 40.0 days old, past"
    assert said in admin_client.get(reverse("audits:request_list")).content.decode()
    out, err = StringIO(), StringIO()
    call_command("schedule", stdout=out, stderr=err)
    assert "1 trainings in 1 shards, 0.05 of the longest jobs a day" in out.getvalue()
    assert "no request becomes older than 40 days" in out.getvalue()
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


def test_of_a_batch_one_case_asks_who_comes_first_for_all(world, pair, monkeypatch):
    asked = []
    monkeypatch.setattr(steps, "case_ahead", lambda case: asked.append(case.pk))
    sweep(world)
    assert (asked, planned()) == ([pair[0].pk], 1)
    ErasureRequest.objects.filter(pk=pair[0].pk).update(status="ON_HOLD")
    sweep(world)
    assert (asked, planned()) == ([one.pk for one in pair], 2)


def test_plans_are_kept_for_all_of_a_batch_or_for_none(world, pair):
    ada, bert = pair
    plan, planned_runs = plan_of(ada.pk, bert.pk)

    def keep() -> bool:
        plans = {one.pk: own_plan(plan, one.pk, 2) for one in pair}
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


def test_two_sweeps_at_once_form_one_batch_and_none_of_who_left(
    world, base, weekly, monkeypatch, pair
):
    ada, bert = (age(case, 8) for case in pair)
    ErasureRequest.objects.update(batch=None)
    found = groups()
    ErasureRequest.objects.filter(pk=bert.pk).update(status="WITHDRAWN")
    monkeypatch.setattr(scheduling, "groups", lambda: found)  # what both saw
    before = logged(ada, "batch_formed")
    (batch,) = scheduling.start_batches(now=timezone.now())
    assert scheduling.start_batches(now=timezone.now()) == []
    assert logged(ada, "batch_formed")[len(before) :] == [{"batch": str(batch), "cases": 1}]
    assert not logged(bert, "batch_formed")[len(before) :]
