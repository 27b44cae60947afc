"""What can be wrong with models, recipes, methods and disks: a sentence each, nothing lost."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from audits import workflow
from lineage import artifacts
from lineage.models import Artefact, Job, ModelVersion, RecordContent, Run
from lineage.queries.artefacts import weights_of
from lineage.stores import Store
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, events, logged, runs, told
from unlearning.recipes.digits import DigitsMLP

pytestmark = pytest.mark.django_db

RETRAINED = [("base v1", "finetune", "FAILED"), ("base v1", "retrain", "CLEARED")]


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


def until(kind):
    return lambda: Job.objects.filter(kind=kind, status="QUEUED").exists()


def stopped(world, case, *, code, origin, sentence):
    """The case needs attention, says why, and has lost nothing."""
    case = world.finish(case)
    assert (case.status, case.failure_code, case.failed_from) == ("FAILED", code, origin)
    assert sentence in case.failure
    assert RecordContent.objects.filter(ordinal__lt=6).count() == 6
    assert ModelVersion.objects.get(model_name="base", version=1).state == "ACTIVE"
    return case


def retried(world, case):
    world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert world.touched(world.owned(ADA)) == []
    return case


# --- recipes ----------------------------------------------------------------------------------


def test_a_recipe_that_is_not_allowed_stops_the_case_until_it_is(world, base, settings):
    allowed = settings.EXPUNGE_RECIPE_MODULES
    settings.EXPUNGE_RECIPE_MODULES = ["somewhere.else"]
    case = stopped(
        world,
        world.accepted(),
        code="RecipeNotAllowed",
        origin="UNLEARNING",
        sentence="'unlearning.recipes.digits' may not be imported: EXPUNGE_RECIPE_MODULES allows "
        "somewhere.else.",
    )
    settings.EXPUNGE_RECIPE_MODULES = allowed
    retried(world, case)


def test_a_recipe_that_changed_since_the_training_stops_the_run_and_not_the_method(
    world, base, ruled
):
    case = world.accepted()
    world.work(until=until("UNLEARN"))
    of_run = Run.objects.filter(pk=base.generated_by_id)
    digest = base.generated_by.recipe_digest
    of_run.update(recipe_digest="0" * 64)
    case = stopped(world, case, code="RecipeChanged", origin="UNLEARNING", sentence="recipe")
    of_run.update(recipe_digest=digest)
    ruled(worlds.PASS)
    case = retried(world, case)
    assert told(runs(case)) == [("base v1", "finetune", "CLEARED")]


def test_a_training_by_a_recipe_that_is_not_allowed_makes_no_version(world, settings):
    settings.EXPUNGE_RECIPE_MODULES = []
    with pytest.raises(ModelVersion.DoesNotExist):
        world.train("base", world.snapshot(BERT))
    job = Job.objects.get()
    assert (job.status, job.error_code) == ("FAILED", "RecipeNotAllowed")
    assert "EXPUNGE_RECIPE_MODULES allows none" in job.error
    assert not Run.objects.exists()


# --- artefacts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [(None, "ArtefactMissing", "is missing"), (b"other", "ArtefactAltered", "was altered")],
)
def test_weights_that_are_missing_or_altered_stop_the_case_until_they_are_back(
    world, base, ruled, content, code, sentence
):
    weights = weights_of(base)
    file = Store()
    uri = Artefact.objects.get(version=base).uri
    artifacts.destroy(uri)
    if content:
        file.write(uri, content)
    case = stopped(world, world.accepted(), code=code, origin="UNLEARNING", sentence=sentence)
    assert artifacts.put(weights).uri == uri
    ruled(worlds.PASS)
    case = retried(world, case)
    assert told(runs(case)) == [("base v1", "finetune", "CLEARED")]


def test_a_record_whose_content_is_gone_fails_the_training_and_leaves_no_version(world):
    artifacts.destroy(RecordContent.objects.get(ordinal=6).uri)
    with pytest.raises(ModelVersion.DoesNotExist):
        world.train("base", world.snapshot(BERT))
    assert Job.objects.get().error_code == "ArtefactMissing"
    assert [run.state for run in Run.objects.all()] == ["INCOMPLETE"]


# --- methods ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "code", "sentence"),
    [
        (("scrub", {"epochs": 1, "msteps": 1}), "NOTHING_TOUCHED", "SCRUB changed no parameter"),
        (("finetune", {"epochs": -1}), "OUT_OF_RANGE", "epochs"),
        (("finetune", {"epoch": 1}), "TYPE_ERROR", "epoch"),
        (("wish", {}), "UNKNOWN_NAME", "wish"),
    ],
    ids=["touches nothing", "out of range", "no such setting", "no such method"],
)
def test_a_method_that_cannot_do_it_fails_its_run_and_retraining_follows(
    world, base, settings, method, code, sentence
):
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = method
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    first, second = runs(case)
    assert (first.status, second.status, second.method) == ("FAILED", "CLEARED", "retrain")
    assert sentence in first.error
    assert [row["code"] for row in logged(case, "run_failed")] == [code]
    assert logged(case, "run_escalated")[0]["verdict"] == "RUN_FAILED"
    assert not Run.objects.filter(state="RUNNING").exists()


def test_a_loss_that_is_not_a_number_fails_run_and_retraining_with_a_sentence(
    world, base, approximate, monkeypatch
):
    with monkeypatch.context() as broken:
        broken.setattr(DigitsMLP, "loss", lambda *_: torch.tensor(float("nan")))
        case = stopped(
            world,
            world.accepted(),
            code="LossNotFinite",
            origin="UNLEARNING",
            sentence="The loss of train is nan at step 0",
        )
    assert told(runs(case)) == [
        ("base v1", "finetune", "FAILED"),
        ("base v1", "retrain", "FAILED"),
    ]
    case = retried(world, case)
    assert told(runs(case)) == RETRAINED
    assert Job.objects.filter(kind="UNLEARN", attempt=1).count() == 2  # the first was not retried


def test_a_training_whose_loss_is_not_a_number_makes_no_version(world, monkeypatch):
    monkeypatch.setattr(DigitsMLP, "loss", lambda *_: torch.tensor(float("inf")))
    with pytest.raises(ModelVersion.DoesNotExist):
        world.train("base", world.snapshot(BERT))
    job = Job.objects.get()
    assert job.error_code == "LossNotFinite"
    assert "a lower learning rate may help" in job.error
    assert [run.state for run in Run.objects.all()] == ["INCOMPLETE"]


def test_a_policy_that_makes_no_sense_stops_the_case_by_name(world, base, settings):
    good = settings.EXPUNGE_POLICY
    settings.EXPUNGE_POLICY = {"looks": [2]}
    case = stopped(
        world,
        world.accepted(),
        code="PolicyRefused",
        origin="RESTRICTED",
        sentence="looks is (2,); it must hold whole numbers of at least 6",
    )
    settings.EXPUNGE_POLICY = good
    retried(world, case)


# --- a full disk ------------------------------------------------------------------------------


@pytest.fixture
def disk(world, settings):
    """The same records in a store on a real disk."""
    held = {row.uri: artifacts.read(row.uri, row.sha256) for row in RecordContent.objects.all()}
    settings.EXPUNGE_STORE = f"file://{settings.VAR / 'store'}"
    for uri, content in held.items():
        Store().write(uri, content)
    return settings.VAR / "store"


def full(monkeypatch):
    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("expunge.disk.os.fsync", refuse)


def test_a_disk_that_is_full_while_weights_are_written_loses_nothing(
    world, disk, settings, monkeypatch
):
    world.train("base", world.snapshot(ADA, BERT))
    case = world.accepted()
    world.work(until=until("UNLEARN"))
    with monkeypatch.context() as broken:
        full(broken)
        case = stopped(
            world,
            case,
            code="StoreFull",
            origin="UNLEARNING",
            sentence="The store is full: objects/",
        )
    assert [path for path in disk.rglob("*") if path.is_file() and path.name.startswith(".")] == []
    assert Run.objects.filter(activity="UNLEARN").get().state == "INCOMPLETE"
    assert ModelVersion.objects.count() == 1
    case = retried(world, case)
    assert told(runs(case)) == [("base v1", "retrain", "CLEARED")]


def test_a_disk_that_is_full_while_a_plot_is_written_does_not_lose_the_shadow_models(
    world, base, approximate, monkeypatch
):
    make_up(monkeypatch, [worlds.PASS, worlds.PASS], nodes=True)
    case = world.accepted()
    world.work(until=until("JUDGE"))
    with monkeypatch.context() as broken:
        broken.setattr(
            "audits.execution.figures.store_artefact",
            lambda **_: (_ for _ in ()).throw(artifacts.StoreFull("The store is full: a plot.")),
        )
        case = stopped(
            world, case, code="StoreFull", origin="AUDITING", sentence="The store is full"
        )
    retried(world, case)
    assert ModelVersion.objects.filter(kind="SHADOW").count() == 12


def test_a_disk_that_is_full_while_the_journal_is_written_erases_nothing(
    world, settings, monkeypatch
):
    case = world.accepted()
    world.work(until=until("ERASE"))
    with monkeypatch.context() as broken:
        broken.setattr("lineage.services.journal.os.write", lambda _file, _line: 0)
        case = world.finish(case)
    assert (case.status, case.failure_code) == ("FAILED", "JournalFull")
    assert "no room for the erasure journal" in case.failure
    assert RecordContent.objects.filter(ordinal__lt=6).count() == 6
    assert "records_erased" not in events(case)
    retried(world, case)
