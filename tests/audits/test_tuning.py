"""A search of hyperparameters, from the command to the run that uses what was found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits.core import events
from audits.models import LogLeaf
from audits.queries import case_file
from lineage.models import Job
from lineage.services import jobs
from tests.audits.searches import frozen, keep, tune
from tests.audits.world import ADA, BERT, CLEO, MLP, SMALL, runs
from unlearning.execution.running import METHODS
from unlearning.models import Tuning
from unlearning.queries.tunings import study_digest
from unlearning.recipes.digits import DigitsMLP
from unlearning.services import tunings

pytestmark = pytest.mark.django_db


def test_what_a_search_finds_is_frozen_logged_and_used_for_the_next_case(
    world, lot, settings, capsys
):
    settings.EXPUNGE_METHOD = "finetune"
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    tuning = frozen(world, lot)
    assert (tuning.state, tuning.version) == ("FROZEN", 1)
    trials = list(tuning.trials.order_by("number"))
    assert tuning.hyperparameters in [trial.hyperparameters for trial in trials]
    assert tuning.study_digest == study_digest(trials)
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


@pytest.mark.parametrize("method", ["scrub", "rni", "l1_sparse"])
def test_a_method_with_parts_of_its_epochs_is_searched_and_frozen(world, lot, method):
    parameters = json.dumps({**SMALL, "epochs": 30})
    recipe = ["--recipe", MLP, "--parameters", parameters, "--snapshot", str(lot.pk)]
    call_command("tune", method, *recipe, "--proxies", "1", "--trials", "3")
    world.work()
    tuning = Tuning.objects.get()
    assert tuning.state == "FROZEN"
    # SCRUB has nothing to ascend on in a single batch of F that teacher and student agree on.
    assert tuning.trials.filter(values=[]).count() <= 3
    METHODS.get(method)(**tuning.hyperparameters)  # accepts them


def test_two_jobs_share_the_trials_and_freeze_once(world, lot, monkeypatch):
    tuning = tune(lot, "--trials", "2", "--jobs", "2")
    one, other = Job.objects.filter(kind="TUNE").order_by("created_at")
    keep = tunings.keep_trial

    def keep_and_let_the_other_work(**given: Any) -> bool:  # noqa: ANN401  (passed on)
        enough = keep(**given)
        if Job.objects.filter(pk=other.pk, status="QUEUED").exists():
            world.run(other)
        return enough

    monkeypatch.setattr(tunings, "keep_trial", keep_and_let_the_other_work)
    world.run(one)
    tuning.refresh_from_db()
    assert tuning.state == "FROZEN"
    assert sorted(tuning.trials.values_list("share", flat=True)) == [0, 1]
    assert Job.objects.filter(kind="TUNE", status="SUCCEEDED").count() == 2
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
    again = tunings.freeze_tuning(tuning_id=tuning.pk, now=timezone.now())
    assert (again.digest, again.version) == (tuning.digest, 1)


def test_a_job_that_ends_early_freezes_nothing_while_others_still_try(world, lot):
    tuning = tune(lot, "--trials", "2")
    assert keep(tuning, failed=19, ended=1).state == "SEARCHING"
    assert keep(tuning, ended=1).state == "FROZEN"


def test_a_search_in_which_too_many_settings_failed_has_failed_and_says_so(world, lot, capsys):
    tuning = tune(lot, "--trials", "2")
    assert keep(tuning, failed=20, ended=1).state == "FAILED"
    call_command("tunings")
    assert "20 settings failed, and 1 of 2 ended with a model" in capsys.readouterr().out


def test_a_search_whose_recipe_was_changed_has_failed(world, lot):
    tuning = tune(lot, "--trials", "2")
    assert tunings.open_search(tuning_id=tuning.pk, recipe_digest="0" * 64)
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FAILED", 0)
    assert "The recipe was changed" in tuning.failure


def test_nothing_is_trained_for_a_method_that_is_not_defined_on_the_models(
    world, lot, monkeypatch
):
    monkeypatch.setattr(DigitsMLP, "train", None)
    parameters = ["--parameters", json.dumps(SMALL), "--snapshot", str(lot.pk)]
    call_command("tune", "conv_transpose", "--recipe", MLP, *parameters)
    world.work()
    assert Job.objects.get(kind="TUNE").error_code == "NotEligible"
    tuning = Tuning.objects.get()
    assert tuning.state == "FAILED"
    assert "edits convolutions over overlapping square patches" in tuning.failure


def test_a_search_tells_how_far_it_is_from_its_first_step(world, lot, monkeypatch):
    told: list[tuple[str, int, int]] = []

    def note(*, phase: str, done: int, total: int, **_: object) -> None:
        told.append((phase, done, total))

    monkeypatch.setattr(jobs, "report_progress", note)
    frozen(world, lot)
    assert told[0][0] == "Tuning finetune: training proxy 1 of 1"
    assert told[-1] == ("Tuning finetune", 2, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["retrain"], "The method is 'retrain'; with numbers to search there are "),
        (["unsir"], "forgets whole classes, .* No search is begun"),
        (["svd_projection"], "forgets whole classes, .* No search is begun"),
        (["mini_unlearning"], "needs states saved during training, which records were in which "),
        (["finetune"], "has 6 usable records; tuning needs at least 200"),
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
