"""What is exact is judged by lineage, which is asked anew."""

from __future__ import annotations

import pytest

from audits.execution.construction import exact_checks, judge_by_construction
from lineage.models import Job, ModelVersion
from tests.audits.world import ADA, BERT, CLEO, DORA
from unlearning.core.recipe import RecipeChanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def retrained(world):
    """A run that retrained the base without Ada, and is not judged yet."""
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    return case.runs.get()


def outcome(run):
    (finding,) = judge_by_construction(run)
    return finding.outcome, " ".join(finding.reasons)


def test_a_retrained_version_is_erased_by_construction(retrained):
    checks = exact_checks(retrained, retrained.unlearned)
    assert (checks.manifest_matches, checks.overlapping, checks.inexact) == (True, (), ())
    assert len(checks.code_digest) == len(checks.environment_digest) == 64
    assert outcome(retrained)[0] == "ERASED_BY_CONSTRUCTION"


def test_a_result_by_another_recipe_is_not(retrained):
    trained = retrained.unlearned.generated_by
    trained.recipe_digest = "0" * 64
    with pytest.raises(RecipeChanged):
        outcome(retrained)


def test_a_result_whose_data_hold_a_record_of_the_forget_set_is_not(world, retrained):
    used = retrained.unlearned.generated_by.inputs.get(role="TRAINING")
    used.used_snapshot = world.snapshot(ADA)
    used.save()
    verdict, reasons = outcome(retrained)
    assert verdict != "ERASED_BY_CONSTRUCTION"
    assert "base v2" in reasons


def test_a_result_on_an_approximate_base_is_not(world, retrained):
    ModelVersion.objects.filter(pk=retrained.unlearned.pk).update(guarantee="APPROXIMATE")
    retrained.refresh_from_db()
    verdict, reasons = outcome(retrained)
    assert verdict != "ERASED_BY_CONSTRUCTION"
    assert "base v2" in reasons
