"""A wait for a budget ends with its reason, and what a person lifted stays lifted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audits.models import BudgetWait, ErasureRequest, ModelOwner, OwnedModel
from audits.queries.owner_budgets import spent_by, waiting, waits_now, waits_of
from audits.services import budget_waits, owner_budgets
from audits.services.requests import fail_case
from audits.services.transitions import move
from lineage.models import Job
from tests.audits.bare_cases import ADA, BERT, CLEO, DORA, member, queued_run, verified_case
from tests.audits.coalescing import age, settled

pytestmark = pytest.mark.django_db
NOW = timezone.now()
REASON = "The authority asked for it today."


def owned_by(name, model, **budget: float):
    made = ModelOwner.objects.create(name=name, created_at=NOW, **budget)
    OwnedModel.objects.create(model_name=model, owner=made)
    return made


@pytest.fixture
def run(signing_key):
    """A run whose case waits for a budget of nothing."""
    case = age(verified_case("uma@example.org"), 0)
    made = queued_run(case, method="retrain")
    owned_by("Vision", made.target.model_name, seconds=0)
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING")
    assert waits(made)
    return made


def waits(run):
    case = run.requests.get()
    return owner_budgets.wait_for_budget(request=case, run=run, audit=False, now=timezone.now())


def state():
    return BudgetWait.objects.get().state


def test_what_is_lifted_while_a_step_looks_at_the_budget_stays_lifted(run, monkeypatch):
    case = run.requests.get()

    def lifted_meanwhile(*_: object) -> bool:
        operator = member("lifter", "Model operator")
        owner_budgets.lift(case_id=case.pk, reason=REASON, user=operator, now=NOW)
        return False

    monkeypatch.setattr(owner_budgets, "must_begin", lifted_meanwhile)
    assert not waits(run)
    assert state() == "LIFTED"
    budget_waits.note_due(case, ModelOwner.objects.get(), "SECONDS", NOW)
    budget_waits.end_waits(case_id=case.pk, now=NOW)
    assert state() == "LIFTED"


@pytest.mark.parametrize("to", ["nobody", "another"])
def test_a_wait_ends_when_the_model_is_not_the_owners_any_more(run, to):
    other = ModelOwner.objects.create(name="Speech", created_at=NOW)
    owner_budgets.set_owner(
        version_id=run.target_id,
        owner_id=other.pk if to == "another" else None,
        user=member("operator", "Model operator"),
        now=NOW,
    )
    assert state() == "FREE"
    assert not waits(run)


def test_a_wait_ends_when_the_case_stops_or_ends(run):
    case = run.requests.get()
    fail_case(case_id=case.pk, code="INCIDENT", message="It broke.", now=NOW)
    assert state() == "FREE"
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING")
    assert waits(run)
    move(case_id=case.pk, to="ON_HOLD", now=NOW)
    assert state() == "FREE"
    ErasureRequest.objects.filter(pk=case.pk).update(status="ERASED", outcome="ERASED")
    BudgetWait.objects.update(state="WAITING")
    move(case_id=case.pk, to="SEALED", now=NOW)
    assert state() == "FREE"


def test_only_a_case_at_work_is_shown_as_waiting(run):
    case = run.requests.get()
    assert (waits_now(case), len(waits_of(case)), waiting().count()) == (True, 1, 1)
    ErasureRequest.objects.update(status="FAILED")
    case.refresh_from_db()
    assert (waits_now(case), len(waits_of(case)), waiting().count()) == (False, 0, 0)


def test_a_run_that_has_been_queued_for_days_counts_as_one_of_today(run):
    Job.objects.create(
        key="unlearn:one",
        kind="UNLEARN",
        queue="heavy",
        payload_id=run.pk,
        status="QUEUED",
        created_at=NOW - timedelta(days=3),
    )
    (spent,) = spent_by(NOW).values()
    assert spent.runs == 1


def test_other_runs_go_on_and_a_case_behind_by_one_of_them_is_not_late(world):
    one = world.train("one", world.snapshot(ADA, CLEO, DORA))
    world.train("two", world.snapshot(ADA, BERT, CLEO, DORA))
    owned_by("Vision", one.model_name, seconds=0)
    (ada,) = settled(world, world.accepted(ADA))
    stand = {run.target.model_name: run.status for run in ada.runs.all()}
    assert stand == {"one": "QUEUED", "two": "CLEARED"}
    assert ada.status == "UNLEARNING"
    assert state() == "WAITING"
    bert = world.accepted(BERT)
    world.work()
    first, second = settled(world, ada, age(bert, 17))
    assert (first.outcome, second.outcome) == ("ERASED", "ERASED")
    assert state() == "DUE"
