"""Canaries from the training to the evidence: what was not erased is seen, and nothing else."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from audits.core import evidence_file
from audits.core.not_run import AVAILABLE
from audits.core.recheck import recheck
from audits.core.verdict import Outcome
from audits.execution.planted import NONE_PLANTED
from lineage import keys
from lineage.models import Job
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, SMALL, runs
from unlearning.models import Canaries, SpentCanaries
from unlearning.queries.canaries import forsaken, key_of, lost

pytestmark = pytest.mark.django_db
MEMORISING = SMALL | {"hidden": 64, "epochs": 40}
PLANTED = 128


@pytest.fixture
def idle(approximate, settings, monkeypatch):
    """A method that does next to nothing, and an attack on records that is fooled by it."""
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1, "learning_rate": 1e-5}
    make_up(monkeypatch, (Outcome.PASS_LEAK,))


@pytest.fixture
def version(world):
    return world.train(
        "base",
        world.snapshot(ADA, BERT, CLEO, DORA),
        recipe_parameters=MEMORISING,
        canaries=PLANTED,
    )


def told(run):
    return run.evidence.get(kind="CANARIES")


def file_of(row, case):
    verdict = getattr(row, "verdict", None)
    return evidence_file.write(
        kind=row.kind,
        payload=row.payload,
        policy=case.policy,
        outcome=verdict.outcome if verdict else "",
        reasons=verdict.reasons if verdict else (),
    )


def test_canaries_fail_a_method_that_does_nothing_and_not_a_retraining(world, version, idle):
    planting = Canaries.objects.get(version=version).planting
    case = world.erased()
    idle_run, exact = runs(case)
    found = told(idle_run)
    assert found.verdict.outcome == "FAIL"
    assert found.verdict.final
    assert found.payload["findings"]["gaussian_poison"]["control"] < 1e-3
    assert found.payload["findings"]["gaussian_poison"]["p_value"] < 1e-3
    assert idle_run.evidence.get(kind="U_LIRA").verdict.outcome == "PASS_LEAK"
    assert (idle_run.status, exact.method, exact.status) == ("REJECTED", "retrain", "CLEARED")
    quiet = told(exact)
    assert not hasattr(quiet, "verdict")
    assert quiet.payload["findings"]["gaussian_poison"]["control"] < 1e-3
    for row in (found, quiet):
        assert recheck(file_of(row, case)).agrees
    titles = {one["attack"] for one in idle_run.evidence.get(kind="U_LIRA").payload["not_run"]}
    assert not titles & {"Gaussian poison", "Audit in one run"}
    # Each share is spent once; the rest is learned again, and its secret is still needed.
    spent = SpentCanaries.objects.order_by("first").values_list("run", "first", "last")
    assert list(spent) == [(idle_run.pk, 0, 32), (exact.pk, 32, 64)]
    assert exact.unlearned.canaries.first == 64
    assert (case.status, forsaken(), lost()) == ("SEALED", set(), set())
    assert keys.get(key_of(planting))
