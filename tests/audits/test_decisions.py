"""Versions that the platform cannot train again: destroyed, or replaced from outside."""

from __future__ import annotations

import uuid

import pytest

from audits import workflow
from audits.queries.limits import limits_of
from audits.queries.replacements import objection_to, replacements_for
from audits.services.decisions import ReplacementNotAcceptable
from lineage import artifacts
from lineage.models import Artefact, ModelVersion
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, events, logged, runs, told
from unlearning.services.runs import RunNotWaiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def bare(world):
    """A version that learned from Ada and was captured without a recipe."""
    return world.bare("bare", world.snapshot(ADA, BERT, CLEO))


@pytest.fixture
def waiting(world, bare):
    """Her case, which waits for a decision about that version."""
    case = world.erased()
    assert (case.status, told(runs(case))) == ("UNLEARNING", [("bare v1", "retrain", "WAITING")])
    return case


def destroy(world, case):
    run = case.runs.get()
    world.do(workflow.destroy_version, run_id=run.pk, user=worlds.officer())
    return world.finish(world.wake(case))


def replace(world, case, version):
    run = case.runs.get()
    world.do(
        workflow.use_outside_version,
        run_id=run.pk,
        version_id=version.pk,
        user=worlds.officer(),
    )
    return world.finish(world.wake(case))


def state(version):
    return ModelVersion.objects.get(pk=version.pk).state


def test_a_version_without_a_recipe_can_be_destroyed(world, bare, waiting):
    case = destroy(world, waiting)
    assert (case.status, case.failure, state(bare)) == ("SEALED", "", "DESTROYED")
    assert told(runs(case)) == [("bare v1", "destroy", "CLEARED")]
    weights = Artefact.objects.get(version=bare)
    assert weights.destroyed_at is not None
    verdict = runs(case)[0].verdicts.get()
    assert verdict.outcome == "ERASED_BY_CONSTRUCTION"
    assert "its 1 stored files are gone, read back" in verdict.reasons[0]
    assert world.touched(world.owned(ADA)) == []


def test_what_was_chosen_and_by_whom_is_logged_before_the_verdict(world, waiting):
    case = destroy(world, waiting)
    methods = [row["method"] for row in logged(case, "run_planned")]
    assert methods == ["retrain", "destroy"]
    kinds = events(case)
    second = kinds.index("run_planned", kinds.index("run_planned") + 1)
    assert second < kinds.index("verdict_reached")


def test_a_version_that_was_retrained_outside_takes_its_place(world, bare, waiting):
    outside = world.bare("bare", world.snapshot(BERT, CLEO))
    case = replace(world, waiting, outside)
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [("bare v1", "retrain_outside", "CLEARED")]
    assert (state(bare), state(outside)) == ("DESTROYED", "ACTIVE")
    kinds = events(case)
    assert kinds.index("verdict_reached") > kinds.index("run_planned")
    found = limits_of(case, runs(case))
    assert any("trained again outside" in limit for limit in found)
    assert not any("the same code, recipe and seed" in limit for limit in found)


def refused(world, case, version, match):
    run = case.runs.get()
    with pytest.raises(ReplacementNotAcceptable, match=match):
        workflow.use_outside_version(run_id=run.pk, version_id=version.pk, user=worlds.officer())
    run.refresh_from_db()
    assert (run.status, run.method) == ("WAITING", "retrain")


def test_a_version_that_learned_from_the_person_cannot_take_its_place(world, waiting):
    again = world.bare("bare", world.snapshot(ADA, DORA))
    refused(world, waiting, again, r"bare v2 learned from 6 of the 6 records itself\. Train it on")


def test_a_version_that_learned_from_the_person_through_its_base_cannot(world, bare, waiting):
    tuned = world.bare("bare", world.snapshot(BERT), base=bare)
    refused(world, waiting, tuned, "learned from 6 of the 6 records")


def test_a_version_that_was_not_captured_cannot(world, waiting):
    blind = world.bare("bare", world.snapshot(BERT), capture="NONE")
    refused(world, waiting, blind, r"was not captured, so nothing shows.*Train it again with")


def test_a_version_that_was_made_from_one_not_captured_cannot(world, waiting):
    blind = world.bare("blind", world.snapshot(BERT), capture="NONE")
    tuned = world.bare("bare", world.snapshot(CLEO), base=blind)
    refused(world, waiting, tuned, "made from a version whose membership was not captured")


def test_a_version_that_was_made_from_one_cleared_approximately_cannot(world, waiting):
    weak = world.bare("bare", world.snapshot(CLEO), guarantee="APPROXIMATE")
    refused(world, waiting, weak, "was unlearned approximately")


def test_a_version_that_is_not_in_use_cannot(world, bare, waiting):
    refused(world, waiting, bare, "bare v1 learned from 6 of the 6 records itself")
    candidate = world.bare("bare", world.snapshot(BERT), release=False)
    refused(world, waiting, candidate, r"bare v2 is not in use \(candidate, not")


def test_one_version_cannot_take_the_place_of_two(world, bare):
    world.bare("second", world.snapshot(ADA, DORA))
    outside = world.bare("bare", world.snapshot(BERT))
    case = world.erased()
    first, second = runs(case)
    choice = {"version_id": outside.pk, "user": worlds.officer()}
    workflow.use_outside_version(run_id=first.pk, **choice)
    with pytest.raises(ReplacementNotAcceptable, match="stands in for another version already"):
        workflow.use_outside_version(run_id=second.pk, **choice)


def test_a_decision_is_made_once(world, waiting):
    run = waiting.runs.get()
    workflow.destroy_version(run_id=run.pk, user=worlds.officer())
    with pytest.raises(RunNotWaiting, match=f"Run {run.pk} does not wait for a decision"):
        workflow.destroy_version(run_id=run.pk, user=worlds.officer())
    outside = world.bare("bare", world.snapshot(BERT))
    with pytest.raises(RunNotWaiting):
        workflow.use_outside_version(run_id=run.pk, version_id=outside.pk, user=worlds.officer())


def test_nothing_is_decided_about_a_version_that_does_not_exist(world, waiting):
    with pytest.raises(ModelVersion.DoesNotExist):
        workflow.use_outside_version(
            run_id=waiting.runs.get().pk, version_id=uuid.uuid4(), user=worlds.officer()
        )


def test_other_versions_do_not_wait_for_the_decision(world, bare):
    world.train("apart", world.snapshot(ADA, DORA))
    case = world.erased()
    assert told(runs(case)) == [
        ("bare v1", "retrain", "WAITING"),
        ("apart v1", "retrain", "CLEARED"),
    ]
    assert "records_erased" not in events(case)
    run = case.runs.get(status="WAITING")
    world.do(workflow.destroy_version, run_id=run.pk, user=worlds.officer())
    assert world.finish(world.wake(case)).status == "SEALED"


def test_a_child_of_a_version_without_a_recipe_waits_for_a_decision_of_its_own(world, bare):
    world.bare("child", world.snapshot(DORA), base=bare)
    case = world.erased()
    for run in runs(case):
        assert run.status == "WAITING"
        world.do(workflow.destroy_version, run_id=run.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert {run.method for run in runs(case)} == {"destroy"}


# --- versions at which a case stopped -----------------------------------------------------------


@pytest.fixture
def stopped(world):
    """Her case, which stopped since the stored weights of the base are gone for good."""
    base = world.train("base", world.snapshot(BERT, CLEO, DORA))
    world.train("tuned", world.snapshot(ADA, BERT), base)
    weights = Artefact.objects.get(version=base)
    artifacts.destroy(weights.uri)
    case = world.erased()
    assert (case.status, case.failure_code) == ("FAILED", "ArtefactMissing")
    return case


@pytest.fixture
def decider(client):
    client.force_login(worlds.officer())
    return client


def take_over(world, case, client):
    run = runs(case)[0]
    page = client.get(f"/cases/{case.pk}/").content.decode()
    address = f"/cases/{case.pk}/runs/{run.pk}/take-over/"
    assert address in page
    assert f"Decide about {run.target} instead?" in client.get(address).content.decode()
    assert run.status != "WAITING"
    with world.commit(execute=True):
        client.post(address)
    return world.current(case)


def test_a_version_that_cannot_be_unlearned_can_be_destroyed_from_the_page(
    world, stopped, decider
):
    case = take_over(world, stopped, decider)
    assert (case.status, told(runs(case))) == ("UNLEARNING", [("tuned v1", "retrain", "WAITING")])
    case = destroy(world, case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [("tuned v1", "destroy", "CLEARED")]
    assert "request_resumed" in events(case)
    (said,) = logged(case, "run_taken_over")
    assert said == {"run": str(runs(case)[0].pk), "version": str(runs(case)[0].target_id)}


def test_a_version_that_cannot_be_unlearned_can_be_replaced_from_outside(world, stopped, decider):
    case = take_over(world, stopped, decider)
    case = replace(world, case, world.bare("tuned", world.snapshot(BERT)))
    assert (case.status, case.failure) == ("SEALED", "")


def test_only_a_run_at_which_a_case_stopped_can_be_taken_over(world, waiting, decider):
    run = runs(waiting)[0]
    answer = decider.post(f"/cases/{waiting.pk}/runs/{run.pk}/take-over/")
    assert answer.status_code == 404
    world.do(workflow.take_over, run_id=uuid.uuid4(), user=worlds.officer())  # nothing happens


def test_only_versions_that_would_be_accepted_are_offered(world):
    target = world.bare("bare", world.snapshot(ADA, BERT))
    clean = world.bare("bare", world.snapshot(BERT))
    world.bare("bare", world.snapshot(ADA, CLEO))
    case = world.erased()
    run = next(run for run in runs(case) if run.target_id == target.pk)
    assert replacements_for(run) == [clean]
    assert objection_to(run, clean) == ""
