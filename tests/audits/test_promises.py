"""What earlier cases left of the same person or record counts in what a case accepts."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from audits import workflow
from audits.execution.planning import plan_of
from audits.models import ErasureRequest, OwedToOthers
from audits.queries.promises import earlier_promises
from audits.services import promises
from lineage.models import ModelVersion
from tests.audits import world as worlds
from tests.audits.certified_worlds import CERTIFIED
from tests.audits.late_versions import end, linked, opened
from tests.audits.private_worlds import PRIVATE, private
from tests.audits.world import ADA, BERT, CLEO, runs, subject_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _accepting(settings):
    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA = 50.0, 1e-3


def told(found):
    return [(str(one.version), one.epsilon, one.delta) for one in found]


def test_what_a_certified_removal_left_counts_in_a_linked_case(world, settings):
    settings.EXPUNGE_RECIPE_MODULES = ["unlearning.recipes.digits", "unlearning.recipes.certified"]
    going_on = opened(world, ADA, BERT)
    world.train("head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED)
    (run,) = runs(world.erased())
    assert run.method == "certified_newton"
    end(going_on)
    (late,) = linked(world)
    plan, _ = plan_of(late.pk)
    assert [row["name"] for row in plan["affected"]] == ["late v1"]
    assert plan["accepted_before"] == [
        {"version": str(run.unlearned_id), "epsilon": 1.0, "delta": 1e-4}
    ]


def test_what_a_certified_removal_left_is_followed_through_later_ones(world, settings):
    settings.EXPUNGE_RECIPE_MODULES = ["unlearning.recipes.digits", "unlearning.recipes.certified"]
    world.train("head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED)
    first = world.erased()
    (second,) = runs(world.erased(BERT))
    assert second.method == "certified_newton"
    assert [one.version for one in earlier_promises([first.pk], besides=())] == [second.unlearned]


@pytest.mark.parametrize("mode", ["SHRED", "HARD"])
def test_a_version_that_was_left_alone_is_weighed_in_the_linked_case_itself(world, settings, mode):
    settings.EXPUNGE_PURGE_MODE = mode
    going_on = opened(world, ADA, BERT)
    version = private(world, ADA, BERT, CLEO)
    assert [run.method for run in runs(world.erased())] == ["no_action"]
    end(going_on)
    (late,) = linked(world)
    assert [one.version for one in earlier_promises([late.pk], besides=())] == [version]
    plan, _ = plan_of(late.pk)
    assert [row["name"] for row in plan["affected"]] == ["private v1", "late v1"]
    assert "accepted_before" not in plan


def test_what_a_case_weighs_itself_is_not_counted_twice(world):
    version = private(world, ADA, BERT, CLEO)
    case = world.erased()
    assert told(earlier_promises([case.pk], besides=[version.pk])) == []
    plan, _ = plan_of(world.accepted(BERT).pk)
    assert "accepted_before" not in plan  # nothing that was Ada's is his


def test_a_version_that_is_gone_holds_nothing(world, settings):
    version = private(world, ADA, BERT, CLEO)
    case = world.erased()
    assert told(earlier_promises([case.pk], besides=()))
    settings.EXPUNGE_ACCEPT_EPSILON = 0.0
    world.erased(BERT)
    version.refresh_from_db()
    assert version.state == ModelVersion.State.DESTROYED
    assert told(earlier_promises([case.pk], besides=())) == []


@pytest.fixture
def twin(world):
    """Bert has a record equal to Ada's first one, which one private version learned alone."""
    worlds.imported("digits", [(BERT, worlds.digits()[0])])
    ordinal = sum(worlds.OWNED.values())
    world.train(
        "alone",
        world.take(world.owned(ADA, CLEO) | BitMap([ordinal])),
        recipe_parameters=PRIVATE,
    )
    return ordinal


def erased_with_the_twin(world):
    case = world.finish(world.accepted(ADA))
    finding = case.duplicates.get()
    world.do(
        workflow.decide_duplicate,
        finding_id=finding.pk,
        decision="ERASE",
        user=worlds.officer(),
    )
    return world.finish(world.wake(case))


def test_a_record_that_went_as_a_duplicate_counts_when_its_owner_asks(world, twin, settings):
    case = erased_with_the_twin(world)
    (run,) = runs(case)
    assert (case.status, run.method, run.report["people"]) == ("SEALED", "no_action", 2)
    owed = OwedToOthers.objects.get()
    assert (owed.subject, owed.run) == (subject_of(BERT), run)
    version = private(world, BERT, CLEO)
    mine = version.privacy.epsilon
    settings.EXPUNGE_ACCEPT_EPSILON = run.report["epsilon"] + 0.5 * mine
    plan, planned = plan_of(world.accepted(BERT).pk)
    assert [row["name"] for row in plan["affected"]] == [str(version)]
    assert plan["accepted_before"] == [
        {"version": str(run.target_id), "epsilon": run.report["epsilon"], "delta": 1e-5}
    ]
    assert planned[0].method == "retrain"
    refused = {row["key"]: row["reason"] for row in dict(planned[0].weighed or {})["refused"]}
    left = f"the policy accepts {0.5 * mine:g} at most"
    assert left in refused["differential_privacy_no_action"]
    settings.EXPUNGE_ACCEPT_EPSILON = run.report["epsilon"] + 1.5 * mine
    assert plan_of(case_of(BERT).pk)[1][0].method == "no_action"


def case_of(email):
    return ErasureRequest.objects.get(subject=subject_of(email))


def test_nobody_is_owed_anything_where_the_version_was_trained_again(world, twin, settings):
    settings.EXPUNGE_ACCEPT_EPSILON = 0.0
    assert erased_with_the_twin(world).status == "SEALED"
    assert not OwedToOthers.objects.exists()


def test_it_is_noted_once(world, twin):
    case = erased_with_the_twin(world)
    promises.note_others(request=case)
    assert OwedToOthers.objects.count() == 1
