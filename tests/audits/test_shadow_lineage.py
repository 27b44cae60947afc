"""A shadow model is found from each record that it learned, went on from or was asked about."""

from __future__ import annotations

import pytest

from audits.core.verdict import Outcome
from audits.execution import shadows
from audits.execution.audit_sets import audit_sets
from audits.models import AuditPlan, ShadowResult
from lineage.models import Job, ModelVersion
from lineage.queries.closure import affected
from tests.audits import rulings
from tests.audits.world import ADA, BERT, CLEO, DORA, STRANGERS
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def made_up(approximate, monkeypatch):
    """Scores that are made up, with all of lineage."""
    rulings.make_up(monkeypatch, [Outcome.PASS_LEAK] * 3, nodes=True)


def found_from(world, ordinals):
    """How each shadow model has to do with some records."""
    found = affected(world.dataset.space, ordinals, include_shadows=True).versions
    return {one.version.pk: one.influence for one in found if one.version.kind == "SHADOW"}


def shadows_of(model):
    of_model = ShadowResult.objects.filter(run__target__model_name=model)
    return set(of_model.values_list("version", flat=True))


def until(kind):
    return lambda: Job.objects.filter(kind=kind, status="QUEUED").exists()


def test_from_twins_canaries_and_test_records(world, made_up):
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=until("JUDGE"))
    sets, every = audit_sets(AuditPlan.objects.get()), shadows_of("base")
    assert len(every) == 12
    assert sets.learned | sets.asked == world.owned(*STRANGERS)
    assert found_from(world, sets.learned) == dict.fromkeys(every, "DIRECT")
    assert found_from(world, sets.asked) == dict.fromkeys(every, "INDIRECT")


def test_from_what_a_base_learned_that_is_trained_with_them(world, made_up):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("child", world.snapshot(BERT, DORA), base)
    world.accepted()
    world.work(until=lambda: shadows_of("child"))
    assert shadows_of("child") <= set(found_from(world, world.owned(CLEO)))


def test_from_what_a_base_learned_that_they_go_on_from(world, made_up):
    base = world.train("base", world.snapshot(BERT, CLEO))
    world.train("child", world.snapshot(ADA, DORA), base)
    world.accepted()
    world.work(until=lambda: shadows_of("child"))
    found = found_from(world, world.owned(CLEO))
    assert found == dict.fromkeys(shadows_of("child"), "DIRECT")


def test_two_workers_at_one_model_leave_one_node(world, made_up, monkeypatch):
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=until("AUDIT"))
    job = Job.objects.get(kind="AUDIT")

    def slowly(*what):  # noqa: ANN002
        """Return a row after another worker, who took the job over, has trained them all."""
        monkeypatch.setattr(shadows, "train_shadow", rulings.made_up)
        shadows.train_shadows(job)
        return rulings.made_up(*what)

    monkeypatch.setattr(shadows, "train_shadow", slowly)
    shadows.train_shadows(job)
    assert ModelVersion.objects.filter(kind="SHADOW").count() == 12
    assert UnlearningRun.objects.get().shadow_results.count() == 12
