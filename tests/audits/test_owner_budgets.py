"""Budgets of owners of models: what is dear waits, and the time to answer comes before them."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from audits import workflow
from audits.models import ModelOwner, OwnedModel
from audits.services import owner_budgets
from audits.services.owner_budgets import BudgetRefused
from audits.services.rights import NotAllowed
from lineage.models import Job
from tests.audits.bare_cases import queued_run, verified_case
from tests.audits.coalescing import age, settled
from tests.audits.world import ADA, BERT, CLEO, DORA, events, logged, member

pytestmark = pytest.mark.django_db
NOW = timezone.now()
REASON = "The authority asked for it today."


def owner(**budget: float):
    chief = member("chief", "Administrator")
    given: dict[str, Any] = {"seconds": None, "runs": None, "lead_days": 7, **budget}
    return owner_budgets.set_budget(name="Vision", **given, user=chief, now=timezone.now())


def owning(version, **budget: float):
    made = owner(**budget)
    operator = member("operator", "Model operator")
    owner_budgets.set_owner(
        version_id=version.pk, owner_id=made.pk, user=operator, now=timezone.now()
    )
    return made


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def waiting(world, base):
    """Ada's case, which waits for a budget of nothing."""
    owning(base, seconds=0)
    (case,) = settled(world, world.accepted(ADA))
    return case


def state_of(case):
    return case.budget_waits.get().state


def trainings():
    return Job.objects.filter(kind__in=["UNLEARN", "AUDIT"]).count()


# --- what is dear waits -------------------------------------------------------------------------


def test_retraining_waits_while_the_budget_is_reached_and_goes_on_once_there_is_room(
    world, waiting
):
    assert (waiting.status, waiting.failure) == ("UNLEARNING", "")
    assert trainings() == 0
    assert state_of(waiting) == "WAITING"
    assert len(logged(waiting, "budget_reached")) == 1  # though it was swept again and again
    assert world.touched(world.owned(ADA)) != []  # its records are set aside, not erased
    ModelOwner.objects.update(seconds=1e6)
    (case,) = settled(world, waiting)
    assert case.outcome == "ERASED"
    assert state_of(case) == "FREE"
    assert [one["reason"] for one in logged(case, "budget_wait_ended")] == ["FREE"]


def test_the_time_to_answer_comes_before_the_budget(world, waiting):
    age(waiting, 17)  # the internal deadline is 23 days, and 7 are kept free
    (case,) = settled(world, waiting)
    assert case.outcome == "ERASED"
    assert state_of(case) == "DUE"
    order = [kind for kind in events(case) if kind.startswith("budget")]
    assert order == ["budget_reached", "budget_wait_ended"]


def test_what_costs_a_small_part_of_a_training_does_not_wait(base):
    owning(base, seconds=0)
    case = age(verified_case("eve@example.org"), 1)
    run = queued_run(case, target=base, method="decrement")
    ask = {"request": case, "run": run, "now": timezone.now()}
    assert not owner_budgets.wait_for_budget(**ask, audit=False)
    assert owner_budgets.wait_for_budget(**ask, audit=True)
    ModelOwner.objects.update(seconds=None, runs=0)
    assert not owner_budgets.wait_for_budget(**ask, audit=True)  # no other run begins with it
    run.method = "retrain"
    assert owner_budgets.wait_for_budget(**ask, audit=False)
    OwnedModel.objects.all().delete()
    assert not owner_budgets.wait_for_budget(**ask, audit=False)


def test_the_audit_of_an_approximate_method_waits_too(world, base, approximate):
    owning(base, seconds=1e-6, runs=1)
    (case,) = settled(world, world.accepted(ADA))
    assert case.status == "AUDITING"
    assert list(Job.objects.filter(kind="UNLEARN").values_list("status", flat=True)) == [
        "SUCCEEDED"
    ]
    assert not Job.objects.filter(kind="AUDIT").exists()
    assert logged(case, "budget_reached")[0]["limit"] == "SECONDS"


# --- a person lifts it --------------------------------------------------------------------------


def test_a_model_operator_lifts_it_for_one_case_with_a_reason(world, waiting, client):
    address = reverse("audits:lift_budget", args=[waiting.pk])
    client.force_login(member("eva", "Case officer"))
    assert "Cases that wait for a budget" in client.get("/home/").text
    assert client.post(address, {"reason": REASON}).status_code == 403
    operator = member("lifter", "Model operator")
    client.force_login(operator)
    page = client.get(reverse("audits:case", args=[waiting.pk])).text
    assert "It waits for the budget of Vision" in page
    assert address in page
    short = client.post(address, {"reason": "Because"})
    assert short.status_code == 400
    assert "It has 7 characters; allowed are 10 to 500." in short.text
    assert state_of(waiting) == "WAITING"
    with world.commit(execute=True):
        assert client.post(address, {"reason": REASON}).status_code == 302
    (case,) = settled(world, waiting)
    assert case.outcome == "ERASED"
    wait = case.budget_waits.get()
    assert (wait.state, wait.reason, wait.lifted_by) == ("LIFTED", REASON, operator)
    (event,) = logged(case, "budget_lifted")
    assert REASON not in str(event)
    assert REASON in client.get(reverse("audits:case", args=[case.pk])).text
    with pytest.raises(BudgetRefused, match="waits for no budget; nothing is to lift"):
        workflow.lift_budget(case_id=case.pk, reason=REASON, user=operator)


# --- owners and their budgets -------------------------------------------------------------------


def test_an_administrator_sets_a_budget_and_everybody_reads_what_is_spent(client, base):
    chief = member("anna", "Administrator")
    client.force_login(chief)
    address = reverse("audits:owners")
    bad = client.post(address, {"name": "Vision", "seconds": "-1", "lead_days": "7"})
    assert bad.status_code == 400
    assert not ModelOwner.objects.exists()
    form = {"name": "Vision", "seconds": "7200", "runs": "", "lead_days": "5"}
    assert client.post(address, form).status_code == 302
    made = ModelOwner.objects.get()
    assert (made.seconds, made.runs, made.lead_days) == (7200, None, 5)
    assert client.post(address, {**form, "runs": "3"}).status_code == 302
    assert ModelOwner.objects.get().runs == 3
    client.force_login(member("otto", "Model operator"))
    whose = reverse("audits:set_owner", args=[base.pk])
    assert client.post(whose, {"owner": made.pk}).status_code == 302
    assert "Vision" in client.get(reverse("lineage:version", args=[base.pk])).text
    shown = client.get(address).text
    assert "0 of 3" in shown
    assert "base" in shown
    assert client.post(address, form).status_code == 403
    assert client.post(whose, {"owner": ""}).status_code == 302
    assert not OwnedModel.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "name has 0 characters; allowed are 1 to 100."),
        ({"seconds": float("nan")}, "seconds is nan; allowed is 0 or more, or nothing."),
        ({"runs": -1}, "runs is -1; allowed is 0 or more, or nothing."),
        ({"runs": 10**9}, "runs is 1000000000; allowed are at most 1000000, or nothing."),
        ({"lead_days": 0}, "lead_days is 0; allowed are 1 to 365."),
    ],
)
def test_a_budget_out_of_range_is_refused(given, said):
    fine: dict[str, Any] = {"name": "Vision", "seconds": 1.0, "runs": 1, "lead_days": 7}
    chief = member("chief", "Administrator")
    with pytest.raises(BudgetRefused, match=said):
        owner_budgets.set_budget(**{**fine, **given}, user=chief, now=NOW)
    with pytest.raises(NotAllowed):
        owner_budgets.set_budget(**fine, user=member("eva", "Case officer"), now=NOW)
