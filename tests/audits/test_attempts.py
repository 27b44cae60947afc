"""Which audits count as earlier attempts, whose records a run has, and what a look tells."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import transaction
from pyroaring import BitMap

from audits.core.attempts import OPEN, lost
from audits.core.contrast import recompute_all
from audits.core.kept import kept_by_attack
from audits.core.not_run import AVAILABLE
from audits.core.policy import EvidencePolicy, Mode
from audits.core.verdict import Outcome
from audits.execution.attacks_known import registered
from audits.execution.look_payload import owed
from audits.models import ErasureRequest, ShadowResult
from audits.queries.attempts import attempts_before
from audits.queries.forget_sets import subjects_of
from audits.services import evidence, verdicts
from lineage.models import Restriction
from tests.audits import world as worlds
from tests.audits.core_evidence.experiments import World
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, queued_run, runs
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
SMALL = EvidencePolicy(looks=(6,), max_trainings=12)
BETS = EvidencePolicy(looks=(6,), max_trainings=12, mode=Mode.SEQUENTIAL)


@pytest.fixture
def case(signing_key):
    case = worlds.verified_case(records=4)
    ErasureRequest.objects.filter(pk=case.pk).update(policy=SMALL.as_dict())
    return case


@pytest.fixture
def first(case):
    return planned(queued_run(case), NOW)


def planned(run, at):
    evidence.fix_audit(run_id=run.pk, now=at)
    return UnlearningRun.objects.get(pk=run.pk).audit_plan


def again(case, first, at=LATER, **fields: object):
    return planned(queued_run(case, target=first.run.target, **fields), at)


def looked(plan, at, outcome="FAIL", kept=None):
    kept = kept or World(models=6, records=2).kept(0)
    finding = verdicts.Finding(
        kind="U_LIRA",
        look=0,
        models_per_arm=6,
        payload={"kept": kept.as_dict()},
        outcome=outcome,
        final=True,
    )
    UnlearningRun.objects.filter(pk=plan.pk).update(
        status="SUCCEEDED", guarantee="APPROXIMATE", unlearned=worlds.empty_version("result")
    )
    verdicts.conclude(run_id=plan.pk, findings=[finding], now=at)


def test_another_method_on_the_same_records_of_the_same_version_is_another_attempt(case, first):
    looked(first, NOW)
    second = again(case, first, method="gradient_ascent", seed=9, forget=BitMap([1, 2]))
    (found,) = attempts_before(second)
    assert (found.run, found.outcome, found.open) == (first.run, "FAIL", False)
    assert len(found.kept) == 1
    assert attempts_before(first) == []


def test_other_records_and_other_versions_are_no_attempts(case, first):
    looked(first, NOW)
    assert attempts_before(again(case, first, forget=BitMap([2, 3]))) == []
    assert attempts_before(planned(queued_run(case), LATER)) == []


def test_an_open_attempt_counts_and_one_that_nobody_saw_does_not(case, first):
    second = again(case, first)
    assert [one.open for one in attempts_before(second)] == [True]
    UnlearningRun.objects.filter(pk=first.pk).update(status="FAILED")
    assert attempts_before(second) == []


def test_a_failed_run_that_is_queued_again_pays_for_what_was_looked_at_meanwhile(case, first):
    UnlearningRun.objects.filter(pk=first.pk).update(status="FAILED")
    second = again(case, first)
    looked(second, LATER)
    assert [one.run for one in attempts_before(first)] == [second.run]
    assert attempts_before(second) == []


def test_only_a_sequential_audit_owes_what_was_lost(case):
    ErasureRequest.objects.filter(pk=case.pk).update(policy=BETS.as_dict())
    first = planned(queued_run(case), NOW)
    second = again(case, first)
    assert owed(attempts_before(second), BETS) == OPEN
    looked(first, NOW, kept=World(models=16, records=2, after=3.0).kept(0))
    assert 0 < owed(attempts_before(second), BETS) < OPEN
    assert owed(attempts_before(second), SMALL) == 0.0
    assert owed([], BETS) == 0.0


def test_of_an_attempt_that_two_cases_shared_the_worse_one_counts(case):
    ErasureRequest.objects.filter(pk=case.pk).update(policy=BETS.as_dict())
    first = planned(queued_run(case), NOW)
    second, other = again(case, first), worlds.verified_case("grace@example.org")
    first.run.requests.add(other)
    leaks, alike = (World(models=16, records=2, after=one).kept(0) for one in (3.0, 0.0))
    judged = [
        verdicts.Finding(
            kind="U_LIRA",
            look=0,
            models_per_arm=6,
            payload={"kept": kept.as_dict()},
            case=one,
            outcome=said,
            final=True,
        )
        for one, said, kept in ((case, "FAIL", leaks), (other, "PASS_LEAK", alike))
    ]
    UnlearningRun.objects.filter(pk=first.pk).update(
        status="SUCCEEDED", guarantee="APPROXIMATE", unlearned=worlds.empty_version("result")
    )
    for findings in (judged, judged[::-1]):
        with transaction.atomic():
            verdicts.conclude(run_id=first.pk, findings=findings, now=LATER)
            (found,) = attempts_before(second)
            assert (found.outcome, owed([found], BETS)) == ("FAIL", lost(leaks, BETS))
            transaction.set_rollback(True)


def test_nothing_is_left_where_the_earlier_attempt_s_looks_shared_the_error(case, first):
    looked(first, NOW)
    assert owed(attempts_before(again(case, first)), BETS) == OPEN


# --- subjects -----------------------------------------------------------------------------------


def restricted(case, run, ordinals):
    Restriction.objects.create(
        case_id=case.pk, space=run.space, bitmap=BitMap(ordinals).serialize(), started_at=NOW
    )


def test_records_of_several_people_are_told_apart_under_random_numbers(case, first):
    run = first.run
    UnlearningRun.objects.filter(pk=run.pk).update(forget_bitmap=BitMap([0, 1, 3]).serialize())
    run.refresh_from_db()
    other = ErasureRequest.objects.create(
        reference="other",
        status_digest="other",
        received_at=LATER,
    )
    other.runs.add(run)
    restricted(case, run, [0, 3])
    restricted(other, run, [1, 3])
    found = {tuple(subjects_of(run) or ()) for _ in range(40)}
    assert found == {(0, 1, 0), (1, 0, 1)}


def test_one_person_needs_no_numbers(case, first):
    assert subjects_of(first.run) is None
    restricted(case, first.run, [0, 1])
    assert subjects_of(first.run) is None


# --- what a look tells --------------------------------------------------------------------------


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


def test_the_evidence_of_a_look_says_what_it_can_show_and_what_was_not_run(
    world, base, approximate, monkeypatch, settings
):
    settings.EXPUNGE_POLICY = {
        "audit_data": "own_records",
        "looks": [6],
        "max_trainings": 12,
        "mode": "sequential",
    }
    make_up(monkeypatch, (Outcome.PASS_LEAK,))
    (run,) = runs(world.erased())
    payload = run.evidence.get(kind="U_LIRA").payload
    assert payload["attempt"] == 1
    assert payload["earlier_attempts"] == []
    assert payload["power"]["subject"]["smallest_bound"] > 0.3
    assert len(payload["paths"]["leak"]["subject"][0]["against_leak"]) == 2
    assert {"attack": "Population attack", "reason": AVAILABLE} not in payload["not_run"]
    assert any(one["attack"].startswith("White-box") for one in payload["not_run"])
    assert payload["retained"]["not_computed"].startswith("Fewer than 200 retained records")
    assert ShadowResult.objects.count() == 0


def test_a_sequential_audit_is_judged_by_bets_and_recomputes(world, base, approximate, settings):
    """Real shadow models, judged by bets; the verdict follows from the sealed numbers alone."""
    settings.EXPUNGE_POLICY = {
        "audit_data": "own_records",
        "looks": [6, 8],
        "max_trainings": 16,
        "mode": "sequential",
    }
    case = world.erased()
    run = runs(case)[0]
    policy = EvidencePolicy.from_dict(case.policy)
    assert policy.mode is Mode.SEQUENTIAL
    for row in run.evidence.filter(kind="U_LIRA"):
        stored = json.loads(json.dumps(row.payload))
        again = recompute_all(kept_by_attack(stored), policy)
        assert (again.outcome.value, list(again.reasons)) == (
            row.verdict.outcome,
            row.verdict.reasons,
        )
        subject = stored["contrasts"]["leak"]["subject"]
        assert subject["method"] == "bets on pairs of models, valid at any stopping time"


def test_every_attack_of_the_platform_is_known_by_the_name_of_its_file():
    found = registered()
    assert found["u_lira"] == "U-LiRA"
    assert "population" in found
