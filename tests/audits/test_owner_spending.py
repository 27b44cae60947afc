"""What the models of an owner took is read from jobs, and is measured with its limits."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audits.core.budgets import WINDOW, Limits, Short, Spent, busy_seconds, short_of
from audits.models import BudgetWait, ErasureRequest, ModelOwner, OwnedModel
from audits.queries.owner_budgets import owner_rows, spent_by
from lineage.models import Job
from tests.audits.bare_cases import queued_run, verified_case
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_time_before_the_window_does_not_count():
    assert busy_seconds([(NOW - WINDOW - timedelta(hours=1), NOW - WINDOW)], NOW) == 0
    across = [(NOW - WINDOW - timedelta(hours=1), NOW - WINDOW + timedelta(seconds=9))]
    assert busy_seconds(across, NOW) == 9


def test_a_limit_is_reached_at_it_and_not_before():
    limits = Limits(seconds=10, runs=2)
    assert short_of(limits, Spent(seconds=9.9, runs=1)) is None
    assert short_of(limits, Spent(seconds=10)) is Short.SECONDS
    assert short_of(limits, Spent(runs=2)) is Short.RUNS
    assert short_of(Limits(), Spent(seconds=1e12, runs=10**6)) is None


JOBS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which run
        st.sampled_from(["UNLEARN", "AUDIT", "JUDGE", "PLAN"]),
        st.integers(0, 50 * 24),  # hours ago that it began
        st.integers(0, 7200),  # seconds that it took
    ),
    max_size=8,
)


@pytest.fixture
def shared():
    """Three runs on an owner's model, each of which serves two cases."""
    cases = [verified_case(f"{name}@example.org") for name in ("uma", "vic")]
    first = queued_run(cases[0], method="retrain")
    runs = [first, *(queued_run(cases[0], target=first.target, seed=n) for n in (2, 3))]
    for run in runs:
        cases[1].runs.add(run)
    made = ModelOwner.objects.create(name="Vision", created_at=NOW)
    OwnedModel.objects.create(model_name=first.target.model_name, owner=made)
    return made, runs


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(made=JOBS)
@example(made=[(0, "UNLEARN", 1, 60), (0, "AUDIT", 1, 60), (0, "UNLEARN", 2, 60)])
def test_nothing_is_counted_twice_however_many_cases_share_a_run(shared, made):
    team, runs = shared
    Job.objects.all().delete()
    spans, begun = [], set()
    for which, kind, hours, seconds in made:
        start = NOW - timedelta(hours=hours)
        end = min(NOW, start + timedelta(seconds=seconds))
        Job.objects.create(
            key=str(uuid.uuid4()),
            kind=kind,
            queue="heavy",
            payload_id=runs[which].pk,
            status="SUCCEEDED",
            created_at=start,
            started_at=start,
            ended_at=end,
        )
        if kind != "PLAN":
            spans.append((end - max(start, NOW - WINDOW)).total_seconds())
        if kind == "UNLEARN" and hours < 24:
            begun.add(which)
    spent = spent_by(NOW, owner=team)[team.pk]
    assert spent.seconds == pytest.approx(sum(one for one in spans if one > 0))
    assert spent.runs == len(begun)
    assert spent_by(NOW) == {team.pk: spent}
    assert [row.spent for row in owner_rows(NOW)] == [spent]


def test_the_models_of_another_owner_are_not_counted(shared):
    team, runs = shared
    other = ModelOwner.objects.create(name="Speech", created_at=NOW)
    Job.objects.create(
        key="one",
        kind="UNLEARN",
        queue="heavy",
        payload_id=runs[0].pk,
        status="RUNNING",
        holder=uuid.uuid4(),
        created_at=NOW,
        started_at=NOW - timedelta(seconds=60),
    )
    assert spent_by(NOW)[team.pk] == Spent(seconds=60, runs=1)
    assert spent_by(NOW, owner=other) == {other.pk: Spent()}
    assert UnlearningRun.objects.count() == 3
    assert not BudgetWait.objects.exists()
    assert ErasureRequest.objects.count() == 2
