"""A head with a removal budget is unlearned by a Newton step where the policy accepts that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core import mail

from audits import keys
from audits.core import record
from audits.core.bounded import CertifiedChecks, decide_certified
from audits.core.verdict import Outcome
from audits.execution.asked import Asked
from audits.execution.report_models import treated_versions
from audits.execution.weighing import weighed
from audits.queries.limits import limits_of
from lineage.core import weights
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of
from tests.audits.certified_worlds import CERTIFIED
from tests.audits.world import ADA, BERT, CLEO, runs
from unlearning.core.certified.budget import Budget
from unlearning.execution.certificates import budget_of
from unlearning.models import TrainingHistory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _accepting(settings):
    settings.EXPUNGE_RECIPE_MODULES = ["unlearning.recipes.digits", "unlearning.recipes.certified"]
    settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA = 1.0, 1e-4


@pytest.fixture
def version(world):
    return world.train("head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED)


def newton(decision):
    rows = {row["key"]: row["reason"] for row in decision.as_dict()["refused"]}
    return rows.get("certified_newton", "")


def budget(version) -> Budget:
    found = budget_of(version)
    assert isinstance(found, Budget)
    return found


def test_the_noise_is_in_no_state_and_does_not_follow_from_the_seed(world, version):
    held = weights.from_bytes(weights_of(version))
    assert not held["noise"].any()
    again = world.train("head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED)
    assert not (weights.from_bytes(weights_of(again))["weight"] == held["weight"]).all()


def test_a_case_is_closed_by_the_certificate_and_the_budget_passes_on(world, version):
    case = world.erased()
    (run,) = runs(case)
    assert (case.status, run.method, run.status, run.guarantee) == (
        "SEALED",
        "certified_newton",
        "CLEARED",
        "CERTIFIED",
    )
    assert run.weighed["winner"] == "certified_newton"
    version.refresh_from_db()
    assert version.state == ModelVersion.State.DESTROYED
    left = budget(run.unlearned)
    assert (left.removed, left.batches, 0 < left.spent <= left.limit) == (6, 1, True)
    sealed = record.verify(bytes(case.record.data), vkey=keys.verifier_text())
    told: Any = sealed.account.findings
    (row,) = told["runs"]
    assert row["verdict"] == "BOUNDED_REMOVAL"
    limits = " ".join(told["limits"])
    assert f"in all {left.spent:.3g} of {left.limit:.3g}, at epsilon 1 and delta 0.0001" in limits
    assert "does not cover who holds two versions" in limits
    assert "Exact means" not in limits
    (treated,) = treated_versions(told)
    assert treated.treatment.startswith("The records were taken out within a budget: spent")
    # The next removal goes on from there.
    (second,) = runs(world.erased(BERT))
    assert (second.method, second.status) == ("certified_newton", "CLEARED")
    after = budget(second.unlearned)
    assert (after.removed, after.batches, after.spent > left.spent) == (12, 2, True)


def test_a_spent_budget_is_followed_by_training_again_with_fresh_noise(world):
    tight = {**CERTIFIED["recipe_parameters"], "sigma": 20.0, "penalty": 0.01}
    world.train(
        "head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED | {"recipe_parameters": tight}
    )
    first, second = runs(world.erased())
    assert (first.method, first.status, first.error_code) == (
        "certified_newton",
        "FAILED",
        "BudgetSpent",
    )
    assert (second.method, second.status) == ("retrain", "CLEARED")
    assert budget(second.unlearned).removed == 0


def test_it_is_weighed_against_what_the_policy_accepts(world, version, settings, monkeypatch):
    mine = world.owned(ADA)
    won = weighed(version, mine).winner
    assert won is not None
    assert won.key == "certified_newton"
    assert "would stand on it" in newton(weighed(version, mine, asked=Asked(made_from=True)))
    settings.EXPUNGE_ACCEPT_EPSILON = 0.5
    assert newton(weighed(version, mine)) == (
        "Its epsilon is 1, and the policy accepts 0.5 at most."
    )
    settings.EXPUNGE_ACCEPT_EPSILON = 0.0
    assert "the policy asks for SAME_RECIPE" in newton(weighed(version, mine))
    monkeypatch.setattr(
        "unlearning.core.certified.head.CertifiedHead.forgotten", property(lambda _: False)
    )
    assert "lies in its state" in newton(weighed(version, mine))


def test_a_certified_training_is_not_recorded_for_replay(world, settings):
    settings.EXPUNGE_REPLAY_EVERY = 1
    world.train("head", world.snapshot(ADA, BERT, CLEO), **CERTIFIED)
    assert not TrainingHistory.objects.exists()


def test_what_is_made_exactly_on_a_certified_base_is_certified_and_no_more(world):
    base = world.train("base", world.snapshot(BERT))
    ModelVersion.objects.filter(pk=base.pk).update(guarantee="CERTIFIED")
    child = world.train("child", world.snapshot(ADA, CLEO), base)
    assert child.guarantee == "CERTIFIED"
    (run,) = runs(world.erased())
    assert (run.method, run.status, run.guarantee) == ("retrain", "CLEARED", "CERTIFIED")
    verdict = run.verdicts.get()
    assert verdict.outcome == "BOUNDED_REMOVAL"
    assert verdict.reasons[-1].startswith("child v2, base v1 rests on removals within")
    case = run.requests.get()
    said = " ".join(limits_of(case, [run]))
    assert "child v2 was made exactly, on a version from which other records" in said
    (letter,) = [
        " ".join(one.body.split()) for one in mail.outbox if "has been erased" in one.body
    ]
    assert "trained again from the start without your data" in letter
    assert "attack" not in letter.partition("What remains")[0]


def test_a_removal_that_is_not_what_it_says_is_not_cleared():
    good = CertifiedChecks(
        epsilon=1.0,
        delta=1e-4,
        limit=1.0,
        spent_before=0.1,
        spent=0.2,
        removed=6,
        records=6,
        same_recipe=True,
        accepted_epsilon=1.0,
        accepted_delta=1e-4,
    )
    assert decide_certified(good).outcome is Outcome.BOUNDED_REMOVAL
    changes: tuple[dict[str, Any], ...] = (
        {"spent": 1.1},
        {"spent": 0.05},
        {"removed": 5},
        {"same_recipe": False},
        {"accepted_epsilon": 0.9},
        {"accepted_delta": 1e-5},
        {"missing": "There is none."},
    )
    for change in changes:
        assert decide_certified(replace(good, **change)).outcome is Outcome.INVALID
