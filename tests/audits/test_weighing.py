"""Which way is taken depends on what was kept of a training, and is written down."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from django.test import Client
from pyroaring import BitMap

from audits.queries import limit_sentences, limits
from audits.views.weighing import predicted_and_actual, weighed_ways
from lineage.services import restriction
from tests.audits.world import ADA, BERT, CLEO, NOW, SMALL, officer, runs
from unlearning.core.replay.store import NotStored
from unlearning.execution.device import arithmetic_of

pytestmark = pytest.mark.django_db

STEPS = {**SMALL, "batch_size": 4}
RIDGE = {
    "recipe": "unlearning.recipes.counted:DigitsRidge",
    "recipe_parameters": {"targets": ["0", "1", "2"]},
}


@pytest.fixture(autouse=True)
def _exact(settings):
    settings.EXPUNGE_METHOD, settings.EXPUNGE_REPLAY_TWICE = "retrain", False


def late(world):
    """Of Ada two records only, so that the training used none of them in its first step."""
    few = BitMap(list(world.owned(ADA))[:2])
    return world.train("model", world.take(world.owned(BERT, CLEO) | few), recipe_parameters=STEPS)


def first(case):
    return runs(case)[0]


def reasons(run):
    return {row["key"]: row["reason"] for row in run.weighed["refused"]}


def test_a_version_of_which_nothing_was_kept_is_trained_again(world):
    world.train("model", world.snapshot(ADA, BERT))
    run = first(world.erased())
    assert (run.method, run.status, run.weighed["winner"]) == (
        "retrain",
        "CLEARED",
        "full_retrain",
    )
    assert reasons(run)["rewind_and_replay"].startswith("No log of steps was kept")


def test_a_recorded_version_is_replayed_at_the_predicted_cost(world, settings):
    settings.EXPUNGE_REPLAY_EVERY = 1
    old = late(world)
    run = first(world.erased())
    assert (run.method, run.status, run.seed) == ("replay", "CLEARED", old.generated_by.seed)
    visits = run.report["replay"]["sample_visits"]
    assert predicted_and_actual(run) == (visits, visits)
    assert 0 < visits < run.report["replay"]["of_training"]


def test_where_two_executions_cost_more_than_training_again_that_is_done(world, settings):
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 1, True
    late(world)
    run = first(world.erased())
    assert (run.method, run.weighed["ranked"][1]["option"]["way"]) == (
        "retrain",
        "rewind_and_replay",
    )
    assert "more work than full_retrain" in run.weighed["ranked"][1]["reason"]


def test_a_minimum_that_nothing_reaches_is_said_and_the_version_trained_again(world, settings):
    settings.EXPUNGE_MINIMUM = "BIT_EXACT"
    world.train("model", world.snapshot(ADA, BERT))
    run = first(world.erased())
    assert (run.method, run.status, run.weighed["winner"]) == ("retrain", "CLEARED", None)
    assert "asks for BIT_EXACT" in reasons(run)["full_retrain"]


def test_an_exact_minimum_skips_the_approximate_method(world, settings):
    settings.EXPUNGE_METHOD, settings.EXPUNGE_MINIMUM = "finetune", "SAME_RECIPE"
    world.train("model", world.snapshot(ADA, BERT))
    assert [run.method for run in runs(world.erased())] == ["retrain"]


def test_a_model_of_integer_sums_is_decremented(world):
    world.train("sums", world.snapshot(ADA, BERT, CLEO), **RIDGE)
    run = first(world.erased())
    assert (run.method, run.status) == ("decrement", "CLEARED")
    assert run.weighed["ranked"][0]["option"]["strength"] == "BIT_EXACT"
    assert run.report["decrement"]["claim"] == "bit_exact"


def test_in_another_environment_equal_bits_are_neither_planned_nor_claimed(world, monkeypatch):
    version = world.train("sums", world.snapshot(ADA, BERT, CLEO), **RIDGE)
    elsewhere = {**arithmetic_of(version.generated_by), "processor": "another"}
    for module in ("audits.execution.weighing", "unlearning.execution.running"):
        monkeypatch.setattr(f"{module}.fingerprint", lambda _: elsewhere)
    case = world.erased()
    run = first(case)
    assert (run.method, run.status) == ("decrement", "CLEARED")
    assert run.weighed["ranked"][0]["option"]["strength"] == "SAME_RECIPE"
    assert run.report["decrement"]["claim"] == "same_recipe"
    assert limit_sentences.EXACT["decrement same_recipe"] in limits.limits_of(case, [run])


def test_it_is_not_while_others_in_it_are_restricted(world):
    world.train("sums", world.snapshot(ADA, BERT, CLEO), **RIDGE)
    restriction.restrict(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=world.owned(CLEO), now=NOW
    )
    assert first(world.erased()).method == "retrain"


def test_a_replay_that_fails_is_followed_by_training_again(world, settings, monkeypatch):
    settings.EXPUNGE_REPLAY_EVERY = 1
    late(world)

    def gone(key):
        raise NotStored(key)

    monkeypatch.setattr("unlearning.execution.histories.read", gone)
    tried, after = runs(world.erased())
    assert (tried.method, tried.status) == ("replay", "FAILED")
    assert (after.method, after.status) == ("retrain", "CLEARED")


def test_the_case_page_and_the_record_show_what_was_weighed(world, settings):
    settings.EXPUNGE_REPLAY_EVERY = 1
    late(world)
    case = world.erased()
    ways = weighed_ways(first(case))
    assert [way.title for way in ways if way.taken] == ["Replay from a kept state"]
    assert all(way.reason.endswith(".") for way in ways)
    assert not any("_" in way.reason for way in ways)
    staff = Client()
    staff.force_login(officer())
    page = staff.get(f"/cases/{case.pk}/").content.decode()
    assert "Ways that were weighed for model v1" in page
    assert "Predicted for the way taken" in page
    record = json.loads(staff.get(f"/cases/{case.pk}/report.json").content)
    statement = base64.b64decode(record["envelope"]["payload"])
    assert b"rewind_and_replay" in statement
    assert b'"weighed"' in statement
