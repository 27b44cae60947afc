"""Cases that wait for the same shards start together, and no others, however many there are."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from audits.core.subjects import join_overlapping
from audits.models import ErasureRequest
from audits.queries.groups import groups
from audits.queries.policy_values import held
from audits.queries.reached import Place, reached_by
from audits.services import scheduling
from lineage.core.bitmaps import decode
from lineage.models import Restriction, Role
from lineage.queries.closure import affected
from lineage.services import jobs
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.audits.queued import data, version, waiting
from unlearning.models import TrainingHistory


@pytest.fixture
def weekly(settings):
    settings.EXPUNGE_COALESCE_DAYS = 7


@pytest.fixture
def rows(db):
    return data(40)


def members():
    return [[int(case.reference[2:]) for case in one.cases] for one in groups()]


def started():
    """The references of the cases of each batch that starts now, in the order of their forming."""
    names = scheduling.start_batches(now=timezone.now())
    found = ErasureRequest.objects.order_by("reference")
    return [
        [int(name[2:]) for name in found.filter(batch=batch).values_list("reference", flat=True)]
        for batch in names
    ]


def busy():
    case, now = uuid.uuid4(), timezone.now()
    jobs.create_job(key="busy", kind="UNLEARN", queue="heavy", payload_id=case, now=now)


def naive(reached):
    """Merge parts that share anything until none do."""
    parts = [({case}, set(places)) for case, places in reached.items()]
    while True:
        pair = next(((a, b) for a in parts for b in parts if a is not b and a[1] & b[1]), None)
        if pair is None:
            return {frozenset(cases) for cases, _ in parts}
        parts = [one for one in parts if one not in pair]
        parts.append((pair[0][0] | pair[1][0], pair[0][1] | pair[1][1]))


places = st.builds(Place, st.sampled_from("vw"), st.integers(0, 6))


@given(st.dictionaries(st.uuids(), st.frozensets(places, max_size=3), max_size=12))
def test_what_is_joined_is_what_merging_by_hand_gives(reached):
    assert {frozenset(one) for one in join_overlapping(reached)} == naive(reached)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("weekly")
def test_groups_are_those_of_a_closure_for_each_case_and_a_look_at_every_slice(rows, seed):
    rng = np.random.default_rng(seed)
    shards = {version(rows, range(30), name="cut", shards=5): 5, version(rows, range(20, 40)): 0}
    waiting(rows, [(rng.choice(40, rng.integers(1, 3)).tolist(), 1.0) for _ in range(9)])
    reached = {}
    for case in ErasureRequest.objects.all():
        own = decode(bytes(Restriction.objects.get(case_id=case.pk).bitmap))
        hits = affected(rows.space, own).versions
        reached[int(case.reference[2:])] = {
            (hit.version, ordinal % shards[hit.version] if shards[hit.version] else 0)
            for hit in hits
            for ordinal in hit.forget
        }
    assert {frozenset(one) for one in members()} == naive(reached)


@pytest.mark.usefixtures("weekly")
def test_cases_of_different_shards_wait_apart_and_of_one_shard_together(rows):
    version(rows, range(40), shards=4)
    waiting(rows, [([0], 3.0), ([1], 2.0), ([4], 1.0)])
    assert members() == [[0, 2], [1]]


@pytest.mark.usefixtures("weekly")
def test_a_case_of_two_shards_joins_those_who_wait_for_either(rows):
    version(rows, range(40), shards=4)
    waiting(rows, [([0], 3.0), ([1], 2.0), ([4, 5], 1.0), ([2], 1.0)])
    assert members() == [[0, 1, 2], [3]]


@pytest.mark.usefixtures("weekly")
def test_a_version_made_from_one_in_shards_joins_all_its_shards(rows):
    base = version(rows, range(40), shards=4)
    version(rows, [39], name="child", base=base)
    waiting(rows, [([0], 2.0), ([1], 1.0)])
    assert members() == [[0, 1]]


@pytest.mark.usefixtures("weekly")
def test_a_version_of_which_a_shard_is_lost_is_one_whole(rows):
    made = version(rows, range(40), shards=4)
    TrainingHistory.objects.get(version=made, shard=3).delete()
    waiting(rows, [([0], 2.0), ([1], 1.0)])
    assert members() == [[0, 1]]


def test_where_a_release_must_carry_enough_people_the_shards_wait_together(rows, settings):
    settings.EXPUNGE_MIN_BATCH = 2
    version(rows, range(40), shards=4)
    waiting(rows, [([0], 2.0), ([1], 1.0)])
    assert members() == [[0, 1]]
    assert started() == [[0, 1]]


@pytest.mark.usefixtures("weekly")
def test_one_look_finds_for_each_case_what_a_closure_of_its_own_finds(rows):
    """A child, and a version from which a run removed some records on purpose, among others."""
    now = timezone.now()
    base = version(rows, range(20))
    version(rows, range(10, 30), name="child", base=base)
    gone, kept = (
        take_snapshot(dataset=rows, ordinals=BitMap(some), now=now)
        for some in ([1, 2], [*range(3, 20), 0])
    )
    inputs = (
        Input(source=kept),
        Input(source=base, role=Role.TEACHER),
        Input(source=gone, role=Role.FORGET),
    )
    run = begin_run(plan=RunPlan(activity="UNLEARN", inputs=inputs), now=now)
    finish_run(run=run, result=RunResult(model_name="cleaned", weights=b""), now=now)
    cases = waiting(rows, [(own, 1.0) for own in ([1], [1, 12], [2, 3], [25], [35])])
    for case, hits in reached_by([case.pk for case in cases]).items():
        own = decode(bytes(Restriction.objects.get(case_id=case).bitmap))
        alone = affected(rows.space, own).versions
        assert {hit.version: set(hit.records) for hit in hits} == {
            one.version.pk: set(one.forget) for one in alone
        }
    assert len(reached_by([cases[0].pk])[cases[0].pk]) == 2, "the child knows 1, the cleaned not"


@pytest.mark.usefixtures("weekly")
def test_a_sweep_asks_the_database_no_more_of_many_cases_than_of_few(rows):
    version(rows, range(40), shards=4)

    def asked():
        with held(), CaptureQueriesContext(connection) as queries:  # as the sweep does
            assert scheduling.start_batches(now=timezone.now()) == []
        return len(queries)

    waiting(rows, [([0], 1.0), ([1], 1.0)])
    few = asked()
    ErasureRequest.objects.all().delete()
    waiting(rows, [([number], 1.0) for number in range(18)])
    assert asked() == few


@pytest.mark.usefixtures("weekly")
def test_groups_of_one_version_start_one_after_the_other_the_oldest_first(rows):
    version(rows, range(40), shards=4)
    waiting(rows, [([0], 8.0), ([1], 9.0)])
    assert started() == [[1]]
    assert members() == [], "the other waits until the version that comes of it is there"
    assert started() == []
    ErasureRequest.objects.filter(reference="W-1").update(status="SEALED")
    assert started() == [[0]]


@pytest.mark.usefixtures("weekly")
def test_whoever_can_wait_no_longer_starts_though_the_worker_is_busy(rows):
    for name, first in (("a", 0), ("b", 10), ("c", 20)):
        version(rows, range(first, first + 10), name=name)
    waiting(rows, [([0], 21.1), ([10], 21.2), ([20], 9.0)])
    busy()
    assert started() == [[1], [0]]
    assert members() == [[2]], "it has waited long enough, and for the worker it can wait"


@pytest.mark.usefixtures("weekly")
def test_two_that_can_wait_no_longer_do_not_change_one_version_at_once(rows):
    version(rows, range(40), shards=4)
    waiting(rows, [([0], 21.1), ([1], 21.2)])
    busy()
    assert started() == [[1]]


@pytest.mark.usefixtures("weekly")
def test_an_idle_worker_takes_one_group_and_no_more(rows):
    version(rows, range(20), name="a")
    version(rows, range(20, 40), name="b")
    waiting(rows, [([0], 9.0), ([20], 8.0)])
    assert started() == [[0]]
    busy()
    assert started() == []
