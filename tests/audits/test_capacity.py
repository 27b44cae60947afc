"""No case becomes older than the bound that staff are warned by: (S + 1) / c for S shards."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from audits.models import ErasureRequest
from audits.queries import schedule
from audits.queries.capacity import DAY, trainings
from audits.services import scheduling
from audits.services.references import new_reference
from lineage.core.bitmaps import decode
from lineage.models import Job, Restriction
from lineage.services import jobs
from tests.audits.queued import data, version, waiting
from unlearning.core.scheduling.backlog import Request
from unlearning.core.scheduling.simulation import simulate
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def rows():
    return data(40)


def bound():
    known, capacity = schedule.backlog((), 0.0)
    return capacity.age_bound(known.whole, wait=schedule.waited_on_purpose())


def test_the_bound_of_a_version_in_shards_counts_shards_and_not_trainings(rows, settings):
    version(rows, range(40), shards=8, seconds=8 * DAY)  # one shard a day
    assert bound() == pytest.approx(8 + 1)
    settings.EXPUNGE_DEADLINE_DAYS = 8.9
    (sentence,) = schedule.alerts(timezone.now())
    assert sentence.startswith("With 8 shards and 1 rebuilds a day a request can become 9.0 days")
    settings.EXPUNGE_DEADLINE_DAYS = 9.1
    assert schedule.alerts(timezone.now()) == ()


def test_beside_a_longer_training_a_shard_counts_as_the_part_that_it_is(rows):
    version(rows, range(40), shards=4, seconds=4 * DAY, name="cut")
    version(rows, range(40), seconds=2 * DAY, name="whole")
    assert bound() == pytest.approx((4 * 1 + 2) + 2)  # all that there is, and the job in progress


def test_what_is_set_as_capacity_are_whole_trainings(rows, settings):
    settings.EXPUNGE_REBUILDS_PER_DAY = 0.5
    version(rows, range(40), shards=8, seconds=60)
    assert bound() == pytest.approx((8 + 1) / 4)


def test_where_shards_are_rebuilt_together_the_bound_is_that_of_the_whole(rows, settings):
    settings.EXPUNGE_MIN_BATCH = 5
    version(rows, range(40), shards=8, seconds=8 * DAY)
    assert bound() == pytest.approx(2 * 8)


def test_a_version_of_which_a_part_was_rebuilt_takes_as_long_as_the_whole(rows):
    made = version(rows, range(40), shards=4, seconds=10)
    UnlearningRun.objects.create(
        target=made,
        unlearned=made,
        space=rows.space,
        forget_bitmap=b"",
        forget_count=0,
        method="replay",
        status="SUCCEEDED",
        seed=1,
        report={"replay": {"sample_visits": 5, "of_training": 20}},
        created_at=NOW,
    )
    assert trainings()[str(made.pk)].part == pytest.approx(10 * 20 / 5 / 4)


def flood(rng, runs):
    """Requests to random shards, the most of them within one day."""
    at = np.sort(np.concatenate([rng.uniform(0, 20, 60), rng.uniform(5, 6, 140)]))
    names = sorted(runs)
    found = []
    for number, arrived in enumerate(at.tolist()):
        run = names[rng.integers(len(names))]
        shard = int(rng.integers(runs[run].shards))
        found.append(Request(str(number), run, shard, 0, arrived, arrived + 23))
    return found


@pytest.mark.parametrize("wait", [0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_the_simulator_under_the_rules_of_the_platform_keeps_the_bound(rows, settings, seed, wait):
    settings.EXPUNGE_COALESCE_DAYS = wait
    version(rows, range(40), shards=6, seconds=3 * DAY, name="cut")
    version(rows, range(40), seconds=DAY, name="whole")
    known, capacity = schedule.backlog((), 0.0)
    found = simulate(
        flood(np.random.default_rng(seed), known.runs),
        runs=known.runs,
        policy=schedule.policy(),
        capacity=capacity,
        days=200,
    )
    assert found.served == 200
    assert bound() / 2 < found.max_age <= bound() + 1e-9
    assert bound() == pytest.approx(wait + 3 + 1 + 1)


STEP = 0.5  # days between two sweeps; a shard takes two of them
CASES = 40


def swept(rows, shards, rng):
    """Let cases come and the sweep start them, a shard a day; return their ages at the end."""
    left, ends = CASES, 0.0
    ages: list[float] = []
    line: list[uuid.UUID] = []
    for tick in range(200):
        now = tick * STEP
        moment = NOW + timedelta(days=now)
        if line and ends <= now:
            done = ErasureRequest.objects.filter(batch=line.pop(0))
            ages += [(moment - case.received_at) / timedelta(days=1) for case in done]
            done.update(status="SEALED")
            Job.objects.all().delete()
        for _ in range(min(left, int(rng.integers(4)))):
            left -= 1
            (case,) = waiting(rows, [([int(rng.integers(40))], 0)], first=CASES - left)
            ErasureRequest.objects.filter(pk=case.pk).update(received_at=moment, due_on=None)
        idle = not line
        line += scheduling.start_batches(now=moment)
        if line and (idle or ends <= now):
            ends = now + len(shards(line[0]))
            jobs.create_job(
                key=f"at:{tick}", kind="UNLEARN", queue="heavy", payload_id=uuid.uuid4(), now=NOW
            )
        if len(ages) == CASES:
            break
    return ages


def test_the_sweep_itself_keeps_the_bound(rows, settings):
    settings.EXPUNGE_COALESCE_DAYS = 1
    version(rows, range(40), shards=4, seconds=4 * DAY)

    def shards(batch):
        cases = ErasureRequest.objects.filter(batch=batch)
        held = Restriction.objects.filter(case_id__in=cases.values("pk"))
        return {decode(bytes(one.bitmap)).min() % 4 for one in held}

    ages = swept(rows, shards, np.random.default_rng(0))
    assert len(ages) == CASES
    assert bound() / 2 < max(ages) <= bound() == pytest.approx(1 + 4 + 1)


@pytest.mark.parametrize("at", ["2026-03-10T00:00:00+00:00", "2026-03-10T00:00:00.000001+00:00"])
def test_who_is_past_their_date_is_counted_as_the_scheduler_counts(settings, at):
    """At midnight in Greenwich a date has not passed, a moment later it has."""
    settings.EXPUNGE_DEADLINE_DAYS = 23
    now = datetime.fromisoformat(at)
    for age in (0, 22.9, 23, 23.1):
        for due in (None, *(date(2026, 3, day) for day in (9, 10, 11))):
            ErasureRequest.objects.create(
                reference=new_reference(),
                received_at=now - timedelta(days=age),
                due_on=due,
                status_digest=secrets.token_hex(32),
            )
    late = {
        case.pk
        for case in ErasureRequest.objects.all()
        if schedule.due_day(case) < schedule.days(now)
    }
    counted = ErasureRequest.objects.filter(schedule.due_before(now))
    assert {case.pk for case in counted} == late
    assert 0 < len(late) < 16
