"""A search of hyperparameters, from the command to the run that uses what was found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyroaring import BitMap

from audits.core import events
from audits.models import LogLeaf
from audits.queries import case_file
from lineage.models import Job
from lineage.services import jobs, restriction
from lineage.services.snapshots import take_snapshot
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, MLP, SMALL, runs
from unlearning.execution import tuning as searching
from unlearning.models import Tuning, TuningTrial
from unlearning.queries.tunings import tuned
from unlearning.recipes.digits import digit_records
from unlearning.services import tunings

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def many():
    """Three hundred digits that nobody of the world owns."""
    found = [one for one in digit_records() if one[1] in "012"]
    return [(f"other{place}@example.org", one) for place, one in enumerate(found[100:360])]


@pytest.fixture
def lot(world, many):
    dataset = worlds.imported("many", many)
    ordinals = BitMap(range(len(many)))
    return take_snapshot(dataset=dataset, ordinals=ordinals, now=timezone.now())


def tune(lot, *arguments: str) -> Tuning:
    recipe = ["--recipe", MLP, "--parameters", json.dumps(SMALL), "--snapshot", str(lot.pk)]
    call_command("tune", "finetune", *recipe, "--proxies", "1", *arguments)
    return Tuning.objects.latest("created_at")


def frozen(world, lot, *arguments: str) -> Tuning:
    tuning = tune(lot, "--trials", "2", *arguments)
    world.work()
    tuning.refresh_from_db()
    return tuning


def test_what_a_search_finds_is_frozen_logged_and_used_for_the_next_case(
    world, lot, settings, capsys
):
    settings.EXPUNGE_METHOD = "finetune"
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    tuning = frozen(world, lot)
    assert (tuning.state, tuning.version) == ("FROZEN", 1)
    trials = list(tuning.trials.order_by("number"))
    assert tuning.hyperparameters in [trial.hyperparameters for trial in trials]
    assert tuning.study_digest == tunings.study_digest(trials)
    (leaf,) = LogLeaf.objects.filter(type="tuning_frozen")
    logged = events.parse(bytes(leaf.data)).data
    assert (logged["study"], logged["method"]) == (tuning.study_digest, "finetune")
    capsys.readouterr()
    call_command("tunings", "--json")
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["completed"], told["found"]) == (2, tuning.hyperparameters)

    case = world.erased()
    first = runs(case)[0]
    assert (first.target, first.method, first.tuning) == (base, "finetune", tuning)
    assert first.hyperparameters == tuning.hyperparameters
    described = case_file.describe_run(first)["tuning"]
    assert (described["study"], described["trials"]) == (tuning.study_digest, 2)


def test_settings_of_the_installation_go_before_what_was_found(world, lot, settings):
    settings.EXPUNGE_METHOD = "finetune"
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1}
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    frozen(world, lot)
    first = runs(world.erased())[0]
    assert (first.tuning, first.hyperparameters) == (None, {"epochs": 1})


def test_another_recipe_is_not_helped_by_it(world, lot):
    found = frozen(world, lot)
    assert tuned(method="finetune", recipe_digest=found.recipe_digest) == found
    assert tuned(method="scrub", recipe_digest=found.recipe_digest) is None
    assert tuned(method="finetune", recipe_digest="0" * 64) is None
    assert tuned(method="finetune", recipe_digest="") is None


def test_a_later_search_is_a_new_version(world, lot):
    first, second = frozen(world, lot), frozen(world, lot, "--seed", "1")
    assert (first.version, second.version) == (1, 2)
    assert tuned(method="finetune", recipe_digest=first.recipe_digest) == second


def test_two_jobs_share_the_trials_and_freeze_once(world, lot):
    tuning = frozen(world, lot, "--jobs", "2")
    assert Job.objects.filter(kind="TUNE", status="SUCCEEDED").count() == 2
    assert tuning.trials.count() == 2
    assert LogLeaf.objects.filter(type="tuning_frozen").count() == 1


def test_a_search_that_died_goes_on_after_its_last_trial(world, lot, monkeypatch):
    tuning = tune(lot, "--trials", "2")
    job = Job.objects.get(kind="TUNE")
    keep = tunings.keep_trial

    def die(**given: object) -> bool:
        keep(**given)  # type: ignore[arg-type]  # passed on
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(tunings, "keep_trial", die)
        with pytest.raises(KeyboardInterrupt):
            world.run(job)
    assert tuning.trials.count() == 1
    job.refresh_from_db()
    jobs.release_job(job=job, now=timezone.now())
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FROZEN", 2)


def test_what_ends_after_the_freeze_is_not_in_the_study(world, lot):
    tuning = frozen(world, lot)
    late: Any = {"hyperparameters": {}, "values": [0.0] * 4, "attributes": {}}
    assert tunings.keep_trial(tuning_id=tuning.pk, now=timezone.now(), **late)
    assert tuning.trials.count() == 2
    again = tunings.freeze_tuning(tuning_id=tuning.pk, recipe_digest="0", now=timezone.now())
    assert (again.recipe_digest, again.version) == (tuning.recipe_digest, 1)


def test_a_search_in_which_nothing_ended_has_failed(world, lot):
    tuning = tune(lot)
    TuningTrial.objects.create(
        tuning=tuning, number=0, hyperparameters={}, values=[], ended_at=timezone.now()
    )
    tunings.freeze_tuning(tuning_id=tuning.pk, recipe_digest="0" * 64, now=timezone.now())
    tuning.refresh_from_db()
    assert tuning.state == "FAILED"


def test_restricted_records_are_in_no_proxy(world, lot, monkeypatch):
    seen = []
    real = searching.proxy_problem

    def watch(recipe, examples, seed):
        seen.append(len(examples))
        return real(recipe, examples, seed)

    monkeypatch.setattr(searching, "proxy_problem", watch)
    restriction.restrict(
        case_id=lot.pk, space=lot.space, ordinals=BitMap(range(7)), now=timezone.now()
    )
    frozen(world, lot)
    assert seen == [lot.record_count - 7]


def test_too_few_records_are_said_to_be_too_few(world):
    tune(world.snapshot(ADA, BERT))
    world.work()
    job = Job.objects.get(kind="TUNE")
    assert (job.status, job.error_code) == ("FAILED", "TooFewToTune")
    assert "12 usable records; tuning needs at least 200" in job.error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["retrain"], "The method is 'retrain'; with numbers to search there are "),
        (["finetune", "--trials", "0"], "--trials is 0; it must be at least 1."),
        (["finetune", "--parameters", "[]"], "it must be a JSON object"),
        (["finetune", "--snapshot", "x"], "--snapshot is 'x', which is no snapshot"),
    ],
)
def test_bad_input_is_named(world, arguments, sentence):
    method, *rest = arguments
    given = {"--recipe": MLP, "--snapshot": str(world.snapshot(ADA).pk)}
    given |= dict(zip(rest[::2], rest[1::2], strict=True))
    with pytest.raises(CommandError, match=sentence):
        call_command("tune", method, *[part for pair in given.items() for part in pair])
    assert not Tuning.objects.exists()


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("conv_transpose", "edits convolutions over overlapping square patches"),
        ("scrub_rewind", "needs records never trained on, which no audit uses"),
        ("unsir", "forgets whole classes, and a person's records are none"),
    ],
)
def test_what_a_method_cannot_do_is_done_exactly_and_the_plan_says_why(
    world, settings, client, method, reason
):
    settings.EXPUNGE_METHOD = method
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.erased()
    assert [run.method for run in runs(case)] == ["retrain"]
    (row,) = case.plan["affected"]
    assert row["method"] == "retrain"
    assert reason in row["method_refused"]
    assert case.status == "SEALED"
    client.force_login(worlds.officer())
    assert "Trained again: " in client.get(f"/cases/{case.pk}/").content.decode()
