"""Nobody is partly learned and partly asked about in the shadow models of an audit."""

from __future__ import annotations

import pytest
from pyroaring import BitMap
from torch.utils.data import Subset

from audits.core.verdict import Outcome
from audits.execution.audit_sets import audit_sets
from audits.models import AuditPlan
from audits.queries.sharing import told_apart
from lineage.models import Job
from lineage.queries.subjects import owners_of
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, STRANGERS
from unlearning.core.examples import count

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(world, approximate, settings, monkeypatch):
    """An audit in a world where Bert, Cleo and Dora also have records that nothing learned."""
    settings.EXPUNGE_POLICY = {"looks": [6], "max_trainings": 12, "attacks": ["u_lira"]}
    make_up(monkeypatch, [Outcome.PASS_LEAK])
    others = [(BERT, CLEO, DORA)[at % 3] for at in range(30)]
    worlds.imported("digits", list(zip(others, worlds.digits()[60:90], strict=True)))
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="AUDIT", status="QUEUED").exists())
    return AuditPlan.objects.get()


def people(world, ordinals):
    space = world.dataset.space
    space.refresh_from_db()
    return set(owners_of(space, BitMap(ordinals)).values())


def places(part):
    assert isinstance(part, Subset)
    return part.indices


def test_whoever_stands_in_has_nothing_among_what_all_models_learn(world, plan):
    data, retained = audit_sets(plan).data, list(world.owned(BERT, CLEO, DORA))
    asked, stays = ([retained[at] for at in places(one)] for one in (data.forget, data.retain))
    assert len(asked) == len(world.owned(ADA))
    assert len(stays) > 0
    assert not people(world, asked) & people(world, stays)


def test_whoever_stands_in_is_no_twin_canary_or_stranger(world, plan):
    sets, retained = audit_sets(plan), list(world.owned(BERT, CLEO, DORA))
    asked = people(world, [retained[at] for at in places(sets.data.forget)])
    strangers = people(world, sets.learned | sets.asked)
    assert not asked & strangers
    assert people(world, world.owned(*STRANGERS)) <= strangers
    assert strangers & people(world, world.owned(BERT, CLEO, DORA))  # of whoever does not


def test_the_models_of_the_instance_test_retain_everybody(world, plan):
    data = audit_sets(plan, instances=True).data
    assert count(data.retain) == len(world.owned(BERT, CLEO, DORA))


def test_two_cases_about_records_of_one_person_are_one_subject(signing_key, monkeypatch):
    run = worlds.awaiting_audit(worlds.verified_case())
    first, second = run.requests.get(), worlds.verified_case("grace@example.org")
    run.requests.add(second)
    own = {first.pk: BitMap([0]), second.pk: BitMap([1])}  # both are of the first person
    monkeypatch.setattr("audits.queries.sharing.forget_set", lambda pk: {run.space: own[pk]})
    groups, places = told_apart(run)
    assert sorted(groups[0]) == sorted([str(first.pk), str(second.pk)])
    assert (len(groups), places) == (1, [0, 0])
