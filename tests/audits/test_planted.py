"""Canaries from the training to the evidence: what was not erased is seen, and nothing else."""

from __future__ import annotations

import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audits.core import evidence_file
from audits.core.recheck import recheck
from audits.core.verdict import Outcome
from audits.execution.audit_sets import audit_sets
from audits.execution.planted import NONE_PLANTED
from audits.execution.report_evidence import evidence_cards
from audits.models import AuditPlan, ShadowResult
from audits.queries import case_file
from audits.queries.evidence import verdict_of
from audits.services import expiry
from lineage import keys
from lineage.models import Job, ModelVersion
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, MLP, NOW, SMALL, STRANGERS, officer, runs
from unlearning.core.examples import count
from unlearning.core.method import Method
from unlearning.execution import training
from unlearning.execution.loading import recipe_of
from unlearning.execution.planting import OtherCanaries, drawn_again, retained_canaries, shares_of
from unlearning.execution.running import METHODS
from unlearning.models import Canaries, SpentCanaries, TrainingHistory
from unlearning.queries.canaries import forsaken, key_of, lost
from unlearning.services.runs import queue_run

pytestmark = pytest.mark.django_db
MEMORISING = SMALL | {"hidden": 128, "epochs": 40}
PLANTED = 256


@pytest.fixture(autouse=True)
def _same_secrets(monkeypatch):
    """The same secrets in every execution, or these tests would hang on chance."""
    monkeypatch.setattr("lineage.keys.secrets.token_bytes", random.Random(11).randbytes)


@pytest.fixture
def idle(approximate, settings, monkeypatch):
    """A method that does next to nothing, and an attack on records that is fooled by it."""
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1, "learning_rate": 1e-5}
    make_up(monkeypatch, (Outcome.PASS_LEAK,))


def trained(world, *people: str):
    return world.train(
        "base", world.snapshot(*people), recipe_parameters=MEMORISING, canaries=PLANTED
    )


@pytest.fixture
def version(world):
    return trained(world, ADA, BERT, CLEO, DORA)


def told(run):
    return run.evidence.get(kind="CANARIES")


def gaussian(row):
    return row.payload["findings"]["gaussian_poison"]


def file_of(row, case):
    verdict = getattr(row, "verdict", None)
    return evidence_file.write(
        kind=row.kind,
        payload=row.payload,
        policy=case.policy,
        outcome=verdict.outcome if verdict else "",
        reasons=verdict.reasons if verdict else (),
    )


def test_canaries_fail_a_method_that_does_nothing_and_not_a_retraining(
    world, version, idle, client
):
    client.force_login(officer())
    case = world.erased()
    idle_run, exact = runs(case)
    seen, quiet = told(idle_run), told(exact)
    assert (seen.verdict.outcome, seen.verdict.final) == ("FAIL", True)
    assert gaussian(seen)["control"] < 1e-3
    assert gaussian(seen)["p_value"] < 1e-3
    assert seen.payload["findings"]["one_run"]["p_value"] < 0.05
    assert verdict_of(idle_run) == seen.verdict
    assert idle_run.evidence.get(kind="U_LIRA").verdict.outcome == "PASS_LEAK"
    assert (idle_run.status, exact.method, exact.status) == ("REJECTED", "retrain", "CLEARED")
    assert gaussian(quiet)["control"] < 1e-3 < gaussian(quiet)["p_value"]
    assert not hasattr(quiet, "verdict")
    assert all(recheck(file_of(row, case)).agrees for row in (seen, quiet))
    missing = {one["attack"] for one in idle_run.evidence.get(kind="U_LIRA").payload["not_run"]}
    assert not missing & {"Gaussian poison", "Audit in one run"}
    # Each share is spent once; the rest is learned again, and its secret is still needed.
    spent = SpentCanaries.objects.order_by("first").values_list("run", "first", "last")
    assert list(spent) == [(idle_run.pk, 0, 64), (exact.pk, 64, 128)]
    left = Canaries.objects.get(version=exact.unlearned)
    both = sum(exact.report["canaries"].values())
    assert both + idle_run.report["canaries"]["erased"] == version.metrics["canaries"]
    assert (left.first, left.number) == (128, PLANTED)
    assert keys.get(key_of(left.planting))
    assert (case.status, forsaken(), lost()) == ("SEALED", set(), set())
    _is_told(seen, case, client)


def _is_told(row, case, client):
    """On the page and in the report, in a sentence."""
    sentence = "canaries that were erased with the records are still seen"
    page = client.get(reverse("audits:evidence", args=[case.pk, row.pk])).content.decode()
    assert sentence in page
    assert "Erased with the records" in page
    found = case_file.findings(case)
    rows = [one for one in found["evidence"] if one["kind"] == "CANARIES"]
    card, _ = evidence_cards({**found, "evidence": rows})
    assert card["title"] == "Canaries: base v1"
    assert sentence in card["reasons"][0]


def test_the_secret_goes_with_the_last_version_that_has_the_canaries(world):
    version = trained(world, ADA, BERT, CLEO, DORA, STRANGERS[0])
    planting = Canaries.objects.get(version=version).planting
    for person in (ADA, BERT, CLEO):
        assert world.erased(person).status == "SEALED"
        assert keys.get(key_of(planting))
    assert world.erased(DORA).status == "SEALED"
    with pytest.raises(keys.KeyDestroyed):
        keys.get(key_of(planting))
    assert SpentCanaries.objects.count() == 4
    assert not Canaries.objects.exclude(version__state="DESTROYED").exists()


def test_a_secret_that_nobody_needs_is_found_and_swept(world, version):
    ModelVersion.objects.filter(pk=version.pk).update(state="DESTROYED")
    with pytest.raises(CommandError, match=r"secrets of 1 planting\(s\) of canaries are stored"):
        call_command("fsck", stdout=StringIO())
    expiry.expire_shadows(now=NOW)
    out = StringIO()
    call_command("fsck", stdout=out)
    assert "The secrets of canaries are those of versions that have them." in out.getvalue()
    ModelVersion.objects.filter(pk=version.pk).update(state="ACTIVE")
    with pytest.raises(CommandError, match="are gone, and versions with these canaries are left"):
        call_command("fsck", stdout=StringIO())


def test_evidence_names_the_attacks_that_had_no_canaries(world, idle):
    version = world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    (run,) = runs(world.erased())
    assert not run.evidence.filter(kind="CANARIES").exists()
    listed = {
        one["attack"]: one["reason"] for one in run.evidence.get(kind="U_LIRA").payload["not_run"]
    }
    assert listed["Gaussian poison"] == NONE_PLANTED.format(version=version)
    assert listed["Audit in one run"] == listed["Gaussian poison"]


@pytest.mark.parametrize(("asked", "planted"), [("0", 0), ("64", 64), (None, 32)])
def test_the_command_says_how_many_are_planted(world, settings, asked, planted):
    settings.EXPUNGE_CANARIES = 32
    more = ["--canaries", asked] if asked else []
    snapshot = str(world.snapshot(BERT).pk)
    arguments = ["--recipe", MLP, "--snapshot", snapshot, "--parameters", '{"epochs": 1}', *more]
    with world.commit(execute=True):
        call_command("train", "told", *arguments, stdout=StringIO())
    world.work()
    assert sum(Canaries.objects.values_list("number", flat=True)) == planted


def test_the_command_refuses_a_number_that_shows_nothing(world):
    arguments = ["--recipe", MLP, "--snapshot", str(world.snapshot(BERT).pk), "--canaries", "8"]
    with pytest.raises(CommandError, match="--canaries is 8; it must be 0"):
        call_command("train", "told", *arguments)


# --- what a training and a method are given ---------------------------------------------------


def sizes(monkeypatch):
    """How many examples each method is given from now on, to retain and to forget."""
    given: list[tuple[int, int]] = []
    apply = Method.apply

    def noted(method, model, retain, forget, context):
        given.append((count(retain), count(forget)))
        return apply(method, model, retain, forget, context)

    monkeypatch.setattr(Method, "apply", noted)
    return given


def test_a_method_erases_a_share_with_the_records_and_is_told_to_keep_the_rest(
    world, version, approximate, settings, monkeypatch
):
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = "neggrad_plus", {}
    make_up(monkeypatch, (Outcome.PASS_LEAK,))
    given = sizes(monkeypatch)
    case = world.accepted()
    world.work(until=lambda: given)
    (run,) = runs(case)
    drawn = drawn_again(Canaries.objects.get(version=version), recipe_of(version))
    share, rest = count(drawn.learned(0, 64)), count(drawn.learned(64, PLANTED))
    assert given == [(18 + rest, 6 + share)]
    assert SpentCanaries.objects.get().run == run


def test_shadow_models_learn_the_canaries_that_stay(world, approximate):
    version = world.train("base", world.snapshot(ADA, BERT, CLEO, DORA), canaries=32)
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="JUDGE").exists())
    (run,) = runs(case)
    assert ShadowResult.objects.count() == 12
    stays = retained_canaries(run, recipe_of(version))
    assert count(stays)
    assert count(audit_sets(AuditPlan.objects.get(run=run)).data.retain) == 18 + count(stays)


def test_a_method_for_whole_classes_is_given_no_canaries(world, version):
    run = queue_run(
        target=version,
        space=world.dataset.space,
        forget=world.owned(ADA),
        method="unsir",
        hyperparameters={},
        seed=1,
        waiting=False,
        now=NOW,
    )
    found = shares_of(run, recipe_of(version), METHODS.get("unsir")())
    assert (count(found.retain), count(found.forget)) == (0, 0)
    assert not SpentCanaries.objects.exists()


def test_a_training_that_is_tried_again_has_the_same_canaries(world, monkeypatch):
    def die(*_: object):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(training, "trained", die)
        with pytest.raises(ModelVersion.DoesNotExist):
            world.train("base", world.snapshot(BERT), canaries=32)
    first = Canaries.objects.get()
    assert first.version is None
    assert forsaken() == set()
    training.train_version(Job.objects.get(kind="TRAIN"))
    again = Canaries.objects.get()
    assert (again.digest, again.planting) == (first.digest, first.planting)
    assert str(again.version) == "base v1"


def test_other_canaries_than_were_planted_are_noticed(world, version):
    row = Canaries.objects.get(version=version)
    row.digest = "0" * 64
    with pytest.raises(OtherCanaries, match="gives other canaries than were planted"):
        drawn_again(row, recipe_of(version))


def test_what_is_asked_for_and_cannot_be_planted_is_refused_and_a_wish_is_not(world, settings):
    base = world.train("base", world.snapshot(ADA))
    with pytest.raises(ModelVersion.DoesNotExist):
        world.train("child", world.snapshot(BERT), base=base, canaries=32)
    assert Job.objects.filter(error_code="CannotPlant").count() == 1
    settings.EXPUNGE_CANARIES = 32
    assert str(world.train("child", world.snapshot(BERT), base=base)) == "child v1"
    assert not Canaries.objects.exists()


def test_a_training_with_canaries_is_not_recorded(world, settings):
    settings.EXPUNGE_REPLAY_EVERY = 1
    world.train("base", world.snapshot(ADA, BERT), canaries=32)
    assert not TrainingHistory.objects.exists()
    world.train("plain", world.snapshot(ADA, BERT))
    assert TrainingHistory.objects.exists()
