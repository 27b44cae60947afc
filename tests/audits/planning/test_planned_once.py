"""A plan is kept, its policy is fixed by it, and cases follow one another."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audits.execution import planning
from audits.execution.planning import plan_of
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries import conflicts
from audits.queries.conflicts import case_ahead
from audits.services import planning as services
from audits.services.transitions import MoveNotAllowed
from tests.audits.world import ADA, BERT, CLEO, NOW, logged

pytestmark = pytest.mark.django_db


def test_a_plan_is_kept_once(world, restricted):
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    plan, runs = plan_of(case.pk)
    keep = {"case_id": case.pk, "plan": plan, "runs": runs, "now": NOW}
    assert [services.keep_plan(**keep) for _ in range(2)] == [True, False]
    assert case.runs.count() == 1
    assert logged(case, "run_planned")[0]["forget_count"] == 6


def test_a_plan_that_did_not_change_is_not_redrawn(world, restricted):
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    plan, runs = plan_of(case.pk)
    services.keep_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    services.redraw_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    assert logged(case, "plan_redrawn") == []
    services.redraw_plan(case_id=case.pk, plan={**plan, "unknown": ["x"]}, runs=runs, now=NOW)
    assert len(logged(case, "plan_redrawn")) == 1
    assert case.runs.count() == 1


def test_the_policy_of_a_case_is_fixed_by_its_plan(world, restricted):
    """Not by a try before: cases that are planned together later have one policy."""
    world.train("base", world.snapshot(ADA, BERT))
    case = restricted()
    for policy in ({"looks": [6]}, {"looks": [7]}):
        services.fix_policy(case_id=case.pk, policy=policy)
        assert world.current(case).policy == policy
    plan, runs = plan_of(case.pk)
    services.keep_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    services.fix_policy(case_id=case.pk, policy={"looks": [8]})
    assert world.current(case).policy == {"looks": [7]}


def test_a_case_without_a_person_has_nothing_to_restrict(world):
    case = world.ask("nobody@example.org")
    with pytest.raises(MoveNotAllowed, match="has no data subject to restrict"):
        services.restrict_records(case_id=case.pk, now=NOW)


def test_cases_that_share_no_version_do_not_wait_for_one_another(world, restricted):
    world.train("one", world.snapshot(ADA, CLEO))
    world.train("two", world.snapshot(BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    assert (case_ahead(ada), case_ahead(bert)) == (None, None)


def test_the_case_that_was_accepted_later_waits(world, restricted):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    assert (case_ahead(ada), case_ahead(bert)) == (None, ada)


def test_a_case_behind_many_others_is_found_some_at_a_time(world, restricted, monkeypatch):
    monkeypatch.setattr(conflicts, "AT_ONCE", 1)
    world.train("one", world.snapshot(ADA))
    world.train("two", world.snapshot(BERT, CLEO))
    ada, bert, cleo = restricted(ADA), restricted(BERT), restricted(CLEO)
    assert [case_ahead(one) for one in (ada, bert, cleo)] == [None, None, bert]


def test_how_many_cases_are_planned_costs_no_query(world, restricted):
    world.train("one", world.snapshot(ADA))
    world.train("two", world.snapshot(BERT, CLEO))
    ada, *others = restricted(ADA), restricted(BERT), restricted(CLEO)
    for case in others:
        plan, runs = plan_of(case.pk)
        services.keep_plan(case_id=case.pk, plan=plan, runs=runs, now=NOW)
    ErasureRequest.objects.exclude(pk=ada.pk).update(status="UNLEARNING")
    asked = []
    for status in ("UNLEARNING", "SEALED"):
        ErasureRequest.objects.filter(pk=others[0].pk).update(status=status)
        with CaptureQueriesContext(connection) as queries:
            assert case_ahead(ada) is None
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("status", ["PLANNED", "UNLEARNING", "AUDITING"])
def test_a_planned_case_goes_first_even_if_it_was_accepted_later_or_has_failed(
    world, restricted, status
):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    of_bert = ErasureRequest.objects.filter(pk=bert.pk)
    plan, runs = plan_of(bert.pk)
    services.keep_plan(case_id=bert.pk, plan=plan, runs=runs, now=NOW)
    of_bert.update(status=status)
    assert case_ahead(ada) == bert
    of_bert.update(status="FAILED", failed_from=status)
    assert case_ahead(ada) == bert
    of_bert.update(status="SEALED", failed_from="")
    assert case_ahead(ada) is None


def test_a_case_that_waits_for_staff_lets_others_pass(world, restricted):
    world.train("one", world.snapshot(ADA, BERT, CLEO))
    ada, bert = restricted(ADA), restricted(BERT)
    DuplicateFinding.objects.create(
        request=ada,
        space=world.dataset.space,
        forget_ordinal=0,
        other_ordinal=9,
        kind="EXACT",
        distance=0,
    )
    assert case_ahead(bert) is None


def test_the_policy_of_the_installation_is_read_when_a_plan_is_drawn(settings):
    settings.EXPUNGE_POLICY = {"looks": [9], "max_trainings": 18}
    assert planning.policy().looks == (9,)
