"""A version that was trained privately enough is left alone where the policy accepts that."""

from __future__ import annotations

import base64
import json
import sys
import uuid
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client

from audits import keys
from audits.core import record
from audits.execution.choosing import chosen
from audits.execution.planning import plan_of
from audits.execution.report_models import cards, treated_versions
from audits.execution.weighing import weighed
from audits.models import ErasureRequest
from audits.queries.footprint import footprint
from audits.services import late
from config.checks import accepted_privacy_is_meant
from lineage.models import DataRecord, Job, ModelVersion
from tests.audits.private_worlds import private
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, SMALL, officer, runs

pytestmark = pytest.mark.django_db

NO_ACTION = "differential_privacy_no_action"


@pytest.fixture
def accepting(settings):
    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA = 5.0, 1e-4


def first(case):
    return runs(case)[0]


def reasons(weighed):
    return {row["key"]: row["reason"] for row in weighed["refused"]}


def reason(run):
    return reasons(run.weighed)[NO_ACTION]


def test_by_default_it_is_trained_again_privately_and_the_plan_says_why(world):
    private(world, ADA, BERT, CLEO)
    run = first(world.erased())
    assert (run.method, run.status, run.guarantee) == ("retrain", "CLEARED", "EXACT")
    assert "the policy asks for SAME_RECIPE" in reason(run)
    assert run.unlearned.privacy.people == 2


@pytest.mark.usefixtures("accepting")
def test_where_the_policy_accepts_it_nothing_is_done_and_the_record_says_what_that_means(world):
    version = private(world, ADA, BERT, CLEO)
    before = version.artefacts.get(kind="WEIGHTS").sha256
    case = world.erased()
    run = first(case)
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert (run.method, run.status, run.guarantee) == ("no_action", "CLEARED", "CERTIFIED")
    assert run.weighed["winner"] == "differential_privacy_no_action"
    assert run.unlearned is None
    version.refresh_from_db()
    assert version.state == ModelVersion.State.ACTIVE
    assert version.artefacts.get(kind="WEIGHTS", destroyed_at=None).sha256 == before
    # The rows are gone nevertheless.
    gone = DataRecord.objects.filter(space=world.dataset.space, ordinal__in=world.owned(ADA))
    assert gone.filter(invalidated_at=None).count() == 0

    sealed = record.verify(bytes(case.record.data), vkey=keys.verifier_text())
    told: Any = sealed.account.findings
    (row,) = told["runs"]
    assert (row["verdict"], row["guarantee"]) == ("BOUNDED_IN_TRAINING", "CERTIFIED")
    assert row["report"]["epsilon"] == version.privacy.epsilon
    assert row["hyperparameters"] == {"accepted_epsilon": 5.0, "accepted_delta": 1e-4}
    limits = " ".join(told["limits"])
    assert f"private v1, epsilon {version.privacy.epsilon:.3g} and delta 1e-05 for one" in limits
    assert "do not mean that nothing of the records is left" in limits
    assert "deleted nevertheless" in limits
    assert "Exact means" not in limits
    (treated,) = treated_versions(told)
    assert treated.treatment.startswith("The version was left as it is: its training promised")
    assert treated.result == "done with residual"
    (card,) = cards(told)
    assert card["title"] == "private v1: No action: trained with differential privacy"


@pytest.mark.usefixtures("accepting")
def test_a_version_that_was_left_alone_is_not_lost_on_the_way_back(world):
    migration = import_module("unlearning.migrations.0008_privacy")
    private(world, ADA, BERT, CLEO)
    migration.refuse_left_alone(apps, None)
    assert world.erased(ADA).status == "SEALED"
    with pytest.raises(RuntimeError, match="1 runs left a version as it was"):
        migration.refuse_left_alone(apps, None)


@pytest.mark.usefixtures("accepting")
def test_pages_and_letter_claim_no_more_than_the_bound(world):
    private(world, ADA, BERT, CLEO)
    case = world.erased()
    staff = Client()
    staff.force_login(officer())
    page = staff.get(f"/cases/{case.pk}/").content.decode()
    assert "Nothing, trained privately" in page
    assert "Accepted as it is" in page
    (letter,) = [
        " ".join(one.body.split()) for one in mail.outbox if "has been erased" in one.body
    ]
    assert "was left as it is" in letter
    assert "may still hold traces of your data within that bound" in letter
    assert "trained again" not in letter
    sealed = json.loads(staff.get(f"/cases/{case.pk}/report.json").content)
    assert b"no_action" in base64.b64decode(sealed["envelope"]["payload"])
    found = footprint(case, now=case.sealed_at)
    assert (found.accepted, found.left) == (1, [])


def test_it_is_weighed_against_what_the_policy_accepts(world, settings):
    version = private(world, ADA, BERT, CLEO)
    plain = world.bare("plain", world.snapshot(ADA, BERT))

    def said(one=version):
        decision = weighed(one, world.owned(ADA), approximate=None)
        key = decision.winner.key if decision.winner else ""
        return key, reasons(decision.as_dict()).get(NO_ACTION, "")

    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA = 5.0, 1e-4
    assert said() == (NO_ACTION, "")
    # Also before the method that the installation tries first.
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = "finetune", {"epochs": 1}
    assert chosen(version, world.owned(ADA), case_id=uuid.uuid4()).method == "no_action"
    settings.EXPUNGE_ACCEPT_EPSILON = 0.0
    private_again = chosen(version, world.owned(ADA), case_id=uuid.uuid4())
    assert private_again.method == "retrain"
    assert "an approximate method would give up" in private_again.refused
    settings.EXPUNGE_ACCEPT_EPSILON = 5.0
    assert said(plain)[1].startswith("The version was not trained with differential privacy")
    settings.EXPUNGE_ACCEPT_EPSILON = 0.01
    epsilon = f"{version.privacy.epsilon:g}"
    assert said() == (
        "full_retrain",
        f"Its epsilon is {epsilon}, and the policy accepts 0.01 at most.",
    )
    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA = 5.0, 1e-6
    assert "Its delta is 1e-05" in said()[1]
    settings.EXPUNGE_ACCEPT_DELTA, settings.EXPUNGE_MINIMUM = 1e-4, "SAME_RECIPE"
    assert "the policy asks for SAME_RECIPE" in said()[1]


@pytest.mark.usefixtures("accepting")
def test_the_versions_of_one_case_share_what_is_accepted_as_their_bounds_add_up(world, settings):
    one, other = private(world, ADA, BERT, CLEO), private(world, ADA, BERT, CLEO)
    assert one.privacy.epsilon == other.privacy.epsilon
    settings.EXPUNGE_ACCEPT_EPSILON = 1.5 * one.privacy.epsilon
    case = world.accepted(ADA)
    planned = plan_of(case.pk)[1]
    assert [each.method for each in planned] == ["no_action", "retrain"]
    left = f"the policy accepts {0.5 * one.privacy.epsilon:g} at most"
    assert left in reasons(planned[1].weighed)[NO_ACTION]
    settings.EXPUNGE_ACCEPT_EPSILON = 2 * one.privacy.epsilon
    assert {each.method for each in plan_of(case.pk)[1]} == {"no_action"}


@pytest.mark.usefixtures("accepting")
def test_one_that_others_were_made_from_is_trained_again_with_them(world):
    base = private(world, ADA, BERT, CLEO)
    world.train("child", world.snapshot(DORA), base, recipe_parameters={**SMALL, "hidden": 8})
    first, second = runs(world.erased())
    assert (first.method, second.method) == ("retrain", "retrain")
    assert reason(first) == "Another version was made from it, which would stand on it."


def test_without_opacus_the_plan_is_drawn_and_says_what_is_missing(world, settings, monkeypatch):
    settings.EXPUNGE_ACCEPT_EPSILON = 5.0
    version = private(world, ADA, BERT, CLEO)
    monkeypatch.setitem(sys.modules, "opacus.accountants", None)
    decision = weighed(version, world.owned(ADA))
    assert decision.winner is not None
    assert decision.winner.key == "full_retrain"
    assert "needs Opacus; run in the checkout:" in reasons(decision.as_dict())[NO_ACTION]


@pytest.mark.usefixtures("accepting")
def test_it_stays_in_use_until_somebody_else_has_it_trained_again(world, settings):
    version = private(world, ADA, BERT, CLEO)
    world.erased(ADA)
    other = world.bare("other", world.snapshot(DORA))  # or the sweep would not look at all
    ModelVersion.objects.filter(pk=other.pk).update(state=ModelVersion.State.WITHDRAWN)
    assert late.open_late_cases(now=NOW) == []
    version.refresh_from_db()
    assert version.state == ModelVersion.State.ACTIVE
    settings.EXPUNGE_ACCEPT_EPSILON = 0.0
    run = first(world.erased(BERT))
    assert (run.method, run.status, run.unlearned.privacy.people) == ("retrain", "CLEARED", 1)
    version.refresh_from_db()
    assert version.state == ModelVersion.State.DESTROYED


@pytest.mark.usefixtures("accepting")
def test_what_is_trained_on_it_later_is_taken_out_of_use_and_both_are_trained_again(world):
    version = private(world, ADA, BERT, CLEO)
    world.erased(ADA)
    small = {**SMALL, "batch_size": 6}
    child = world.train("child", world.snapshot(DORA), version, recipe_parameters=small)
    (opened,) = late.open_late_cases(now=NOW)
    child.refresh_from_db()
    assert child.state == ModelVersion.State.QUARANTINED
    case = world.finish(world.wake(ErasureRequest.objects.get(pk=opened)))
    assert case.status == "SEALED"
    assert [(run.method, run.status) for run in runs(case)] == 2 * [("retrain", "CLEARED")]


@pytest.mark.usefixtures("accepting")
def test_a_child_that_came_after_the_plan_has_its_base_trained_again(world):
    version = private(world, ADA, BERT, CLEO)
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="QUEUED").exists())
    small = {**SMALL, "batch_size": 6}
    world.train("child", world.snapshot(DORA), version, recipe_parameters=small)
    case = world.finish(case)
    assert case.status == "SEALED"
    assert [(run.method, run.status) for run in runs(case)] == [
        ("no_action", "REJECTED"),
        ("retrain", "CLEARED"),
        ("retrain", "CLEARED"),
    ]


@pytest.mark.usefixtures("accepting")
def test_a_judgement_asks_anew_and_a_broken_promise_is_followed_by_training_again(
    world, monkeypatch
):
    private(world, ADA, BERT, CLEO)
    none = SimpleNamespace(bound=lambda *_: "Nothing is promised.")
    monkeypatch.setattr("audits.execution.construction.privacy", none)
    first, second = runs(world.erased())
    assert (first.method, first.status) == ("no_action", "REJECTED")
    assert (second.method, second.status) == ("retrain", "CLEARED")
    assert ModelVersion.objects.get(pk=first.target_id).state == ModelVersion.State.DESTROYED


def test_settings_that_mean_nothing_are_refused(settings):
    assert accepted_privacy_is_meant() == []
    settings.EXPUNGE_ACCEPT_DELTA = 1.0
    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_MINIMUM = 1.0, "BIT_EXACT"
    assert [one.id for one in accepted_privacy_is_meant()] == ["expunge.E004", "expunge.E005"]
