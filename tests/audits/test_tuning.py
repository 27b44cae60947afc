"""A search of hyperparameters, from the command to the run that uses what was found."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pyroaring import BitMap

from audits.core import events
from audits.models import ErasureRequest, LogLeaf
from audits.queries import case_file
from audits.queries.tunings import not_as_logged
from lineage.core.bitmaps import encode
from lineage.models import Job
from lineage.queries.membership import members
from lineage.queries.subjects import owners_of
from lineage.services import jobs, restriction
from tests.append_only import without_triggers
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, MLP, NOW, SMALL, runs
from unlearning.core.proxy import proxy_problem
from unlearning.core.proxy_people import forgotten
from unlearning.execution import tuning as searching
from unlearning.execution.running import METHODS
from unlearning.methods.finetune import Finetune
from unlearning.models import Tuning, TuningTrial
from unlearning.queries.tunings import digest_of, forgotten_by, study_digest
from unlearning.queries.tunings import frozen as frozen_for
from unlearning.recipes.digits import DigitsMLP, digit_records
from unlearning.services import tunings

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def many():
    """Three hundred digits that nobody of the world owns."""
    found = [one for one in digit_records() if one[1] in "012"]
    return [(f"other{place}@example.org", one) for place, one in enumerate(found[100:360])]


@pytest.fixture
def lot(world, many):
    """A snapshot of the world's data set with nobody of the world in it."""
    worlds.imported("digits", many)
    first = sum(worlds.OWNED.values())
    return world.take(BitMap(range(first, first + len(many))))


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


def test_settings_of_the_installation_go_before_what_was_found(world, lot, settings):
    settings.EXPUNGE_METHOD = "finetune"
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1}
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    frozen(world, lot)
    first = runs(world.erased())[0]
    assert (first.tuning, first.hyperparameters) == (None, {"epochs": 1})


def known(tuning: Tuning, **other: Any) -> list[Tuning]:  # noqa: ANN401  (of the query)
    given: dict[str, Any] = {
        "method": "finetune",
        "recipe_digest": tuning.recipe_digest,
        "dataset": tuning.snapshot.dataset,
        "before": timezone.now(),
    }
    return list(frozen_for(**given | other))


def test_another_method_recipe_or_data_set_is_not_helped_by_it_nor_an_earlier_request(world, lot):
    found = frozen(world, lot)
    assert known(found) == [found]
    assert known(found, method="scrub") == []
    assert known(found, recipe_digest="0" * 64) == []
    assert known(found, dataset=worlds.imported("others", [])) == []
    assert known(found, before=found.frozen_at) == []


def test_a_later_search_is_a_new_version(world, lot):
    first, second = frozen(world, lot), frozen(world, lot, "--seed", "1")
    assert (first.version, second.version) == (1, 2)
    assert known(first) == [second, first]
    assert forgotten_by(first) != forgotten_by(second)


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


def keep(tuning: Tuning, *, failed: int = 0, ended: int = 0) -> Tuning:
    tried: list[list[float]] = [[]] * failed + [[0.5] * 4] * ended
    for values in tried:
        given: Any = {"hyperparameters": {"epochs": 1}, "values": values, "attributes": {}}
        tunings.keep_trial(tuning_id=tuning.pk, now=timezone.now(), **given)
    return tunings.freeze_tuning(tuning_id=tuning.pk, now=timezone.now())


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


def restrict(lot, ordinals: BitMap) -> None:
    restriction.restrict(
        case_id=uuid.uuid4(), space=lot.space, ordinals=ordinals, now=timezone.now()
    )


def first(lot, count: int) -> BitMap:
    return BitMap(list(members(lot))[:count])


def test_restricted_records_are_in_no_proxy(world, lot, monkeypatch):
    seen = []
    real = proxy_problem

    def watch(recipe, examples, forget, session):
        seen.append((len(examples), len(forget)))
        return real(recipe, examples, forget, session)

    monkeypatch.setattr(searching, "proxy_problem", watch)
    restrict(lot, first(lot, 7))
    tuning = frozen(world, lot, "--proxies", "2")
    kept = lot.record_count - 7
    assert seen == [(kept, round(0.07 * kept))] * 2
    assert not first(lot, 7) & forgotten_by(tuning)


def test_a_restriction_before_the_next_job_ends_a_search(world, lot):
    tuning = tune(lot, "--trials", "3")
    keep(tuning, ended=1)
    restrict(lot, first(lot, 2))
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FAILED", 1)
    assert tuning.failure.startswith("2 of its records were restricted or erased after the search")
    assert not LogLeaf.objects.filter(type="tuning_frozen").exists()


@pytest.mark.parametrize("when", ["a training", "a trial"])
def test_a_restriction_stops_what_is_being_computed(world, lot, monkeypatch, when):
    monkeypatch.setattr(searching, "PROGRESS_SECONDS", 0.0)
    where, name = (DigitsMLP, "train") if when == "a training" else (Finetune, "_unlearn")
    real = getattr(where, name)
    begun, ended = [], []

    def restrict_first(*given: Any) -> Any:  # noqa: ANN401  (passed on)
        begun.append(when)
        restrict(lot, first(lot, 1))
        result = real(*given)
        ended.append(when)
        return result

    monkeypatch.setattr(where, name, restrict_first)
    tuning = tune(lot, "--trials", "2")
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FAILED", 0)
    assert (begun, ended) == ([when], [])


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


@pytest.mark.parametrize(("person", "version"), [(ADA, 1), (BERT, 2)])
def test_numbers_are_not_used_for_a_person_whom_the_proxies_forgot(
    world, settings, many, person, version
):
    settings.EXPUNGE_METHOD = "finetune"
    worlds.imported("digits", many)
    everybody = world.take(BitMap(range(60 + len(many))))
    world.train("base", everybody)
    ada, both = world.owned(ADA), world.owned(ADA, BERT)
    of_others = next(seed for seed in range(99) if not both & drawn(everybody, seed))
    of_ada = next(seed for seed in range(99) if both & drawn(everybody, seed) == ada)
    for seed in (of_others, of_ada):
        frozen(world, everybody, "--seed", str(seed))
    (run,) = runs(planned_case(world, person))
    assert run.tuning is not None
    assert run.tuning.version == version


def test_the_plan_says_why_numbers_are_not_used(world, settings, client, many):
    settings.EXPUNGE_METHOD = "finetune"
    worlds.imported("digits", many)
    everybody = world.take(BitMap(range(60 + len(many))))
    world.train("base", everybody)
    of_ada = next(seed for seed in range(99) if world.owned(ADA) <= drawn(everybody, seed))
    frozen(world, everybody, "--seed", str(of_ada))
    case = planned_case(world, ADA)
    (run,), (row,) = runs(case), case.plan["affected"]
    assert (run.method, run.tuning, run.hyperparameters) == ("finetune", None, {})
    assert row["untuned"] == (
        "Its own defaults are used: the proxies of search v1 forget records of this request."
    )
    client.force_login(worlds.officer())
    assert row["untuned"] in client.get(f"/cases/{case.pk}/").content.decode()


def drawn(snapshot, seed: int) -> BitMap:
    """Whom a search with this seed forgets."""
    return BitMap(forgotten(owners_of(snapshot.space, members(snapshot)), seed=seed))


def planned_case(world, person: str) -> ErasureRequest:
    case = world.accepted(person)
    world.work(until=lambda: world.current(case).plan)
    return ErasureRequest.objects.get(pk=case.pk)


def test_what_was_frozen_after_a_request_came_is_not_used_for_it(world, lot, settings):
    settings.EXPUNGE_METHOD = "finetune"
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    asked = world.ask()
    frozen(world, lot)
    case = world.accept(world.wake(asked))
    world.work(until=lambda: world.current(case).plan)
    (run,) = runs(world.current(case))
    assert (run.method, run.tuning) == ("finetune", None)


@pytest.mark.parametrize("changed", ["hyperparameters", "forget", "trial", "both"])
def test_what_is_not_what_was_logged_is_not_used(world, lot, settings, changed):
    settings.EXPUNGE_METHOD = "finetune"
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    tuning = frozen(world, lot)
    with without_triggers(connection):
        if changed == "trial":
            tuning.trials.filter(number=1).update(hyperparameters={"epochs": 1})
        elif changed == "forget":
            Tuning.objects.update(forget=encode(BitMap()))
        else:
            Tuning.objects.update(hyperparameters={"epochs": 1})
        tuning.refresh_from_db()
        if changed == "both":
            Tuning.objects.update(digest=digest_of(tuning))
    case = planned_case(world, ADA)
    (run,), (row,) = runs(case), case.plan["affected"]
    assert (run.tuning, run.hyperparameters) == (None, {})
    assert row["untuned"] == (
        "Its own defaults are used: search v1 is not what the log says was frozen."
    )


def test_what_the_log_does_not_know_is_not_used(world, lot):
    tuning = tune(lot, "--trials", "1")
    assert not_as_logged(keep(tuning, ended=1)) == "the log does not know of search v1"


@pytest.mark.database
def test_the_database_refuses_to_change_what_is_over(world, lot):
    tuning = tune(lot, "--trials", "1")
    keep(tuning, ended=1)
    searches, trials = Tuning.objects.all(), TuningTrial.objects.all()
    for change in (
        lambda: searches.update(hyperparameters={"epochs": 9}),
        lambda: searches.update(state="SEARCHING"),
        lambda: searches._raw_delete(connection.alias),
        lambda: trials.update(values=[0.0] * 4),
        lambda: trials._raw_delete(connection.alias),
        lambda: trials.create(tuning=tuning, number=7, hyperparameters={}, ended_at=NOW),
        lambda: replaced(Tuning),
        lambda: replaced(TuningTrial),
    ):
        with (
            pytest.raises(IntegrityError, match=r"append-only|duplicate key"),
            transaction.atomic(),
        ):
            change()
    tuning.refresh_from_db()
    assert (tuning.digest, trials.count()) == (digest_of(tuning), 1)


@pytest.mark.database
@pytest.mark.parametrize("model", [Tuning, TuningTrial])
def test_the_tables_cannot_be_truncated(db, model):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def replaced(model: type[Model]) -> None:
    table = model._meta.db_table
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} INTO {table} SELECT * FROM {table}")


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
