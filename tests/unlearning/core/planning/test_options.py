"""Each way is possible, or says why it is not; its cost is counted in visits and seconds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.claims import Cost
from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.prediction import compared
from unlearning.core.costs.shards import touched_fraction
from unlearning.core.planning.choice import plan
from unlearning.core.planning.facts import (
    BudgetFacts,
    ForgetFacts,
    MeasuredCosts,
    MethodFacts,
    PrivacyFacts,
    ReplayFacts,
    SavedState,
    ShardFacts,
    Stage,
    TouchedShard,
    VersionFacts,
)
from unlearning.core.planning.options import Weighing
from unlearning.core.planning.policy import Case, PlanningPolicy
from unlearning.core.planning.ways import Impossible, Strength, Way
from unlearning.queries.catalogue import declared_methods

ROOT = Path(__file__).parents[4]
FORGET = ForgetFacts(records=10, visits=50)
BARE = VersionFacts(records=1000, visits=5000)
MEASURED = MeasuredCosts(
    per_visit=0.01, start=2, decrement=0.1, newton=3, queue=60, shard_queue=600
)


def weighed(version=BARE, methods=(), *, verified=True):
    weighing = Weighing(version=version, forget=FORGET, measured=MEASURED, verified=verified)
    return {each.key: each for each in weighing.options(methods)}


def stages(*kept: bool) -> tuple[Stage, ...]:
    return tuple(Stage(visits=100 * (i + 1), kept=each) for i, each in enumerate(kept))


def test_a_bare_version_can_only_be_trained_again_and_says_why():
    found = weighed()
    possible = [key for key, each in found.items() if not isinstance(each, Impossible)]
    assert possible == ["full_retrain"]
    assert set(found) == {way.value for way in Way} - {"approximate"}
    retrain = found["full_retrain"]
    assert retrain.cost.visits == 4950
    assert retrain.cost.seconds == pytest.approx(2 + 49.5)
    assert retrain.latency == pytest.approx(60 + 51.5)
    assert retrain.strength is Strength.SAME_RECIPE


def test_bits_are_claimed_only_where_two_executions_can_agree():
    same = replace(BARE, same_environment=True, replay=ReplayFacts(first_step=0))
    way = "rewind_and_replay"
    twice, once = weighed(same)[way], weighed(same, verified=False)[way]
    assert (twice.strength, twice.cost.verify_visits) == (Strength.BIT_EXACT, 4950)
    assert twice.latency == pytest.approx(60 + 2 * 51.5)
    assert (once.strength, once.cost.verify_visits) == (Strength.SAME_RECIPE, 0)
    retrain = weighed(same)["full_retrain"]
    assert (retrain.strength, retrain.cost.verify_visits) == (Strength.SAME_RECIPE, 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.sets(st.integers(0, 99)))
def test_a_rewind_begins_at_the_newest_state_that_no_record_had_reached(first, kept):
    states = tuple(SavedState(step=step, visits_before=step * 50) for step in kept)
    version = replace(BARE, replay=ReplayFacts(first_step=first, states=states))
    clean = max((step for step in kept if step <= first), default=0)
    found = weighed(version)["rewind_and_replay"]
    assert found.cost.visits == 5000 - 50 * clean - 50
    assert found.fraction == pytest.approx((4950 - 50 * clean) / 4950)


def test_a_rebuild_costs_the_stages_from_the_last_clean_state():
    touched = TouchedShard(first_slice=2, stages=stages(True, True, True))
    assert (touched.start(), touched.visits()) == (2, 300)
    lost = TouchedShard(first_slice=2, stages=stages(True, False, True))
    assert (lost.start(), lost.visits()) == (1, 500)
    early = TouchedShard(first_slice=0, stages=stages(True, True, True))
    assert (early.start(), early.visits()) == (0, 600)
    forgotten = (Stage(visits=100), Stage(visits=200, forgotten=20))
    assert TouchedShard(first_slice=1, stages=forgotten).visits() == 180


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.integers(0, 4), min_size=1, max_size=9).filter(any))
def test_the_predicted_part_is_that_of_the_closed_form(firsts):
    touched = tuple(
        TouchedShard(first_slice=first, stages=stages(*[True] * 5))
        for first in firsts
        if first is not None
    )
    shards = ShardFacts(shards=len(firsts), touched=touched)
    version = VersionFacts(records=1000, visits=1500 * len(firsts) + 50, shards=shards)
    found = weighed(version)["shard_rebuild"]
    assert found.fraction == pytest.approx(touched_fraction(firsts, 5))
    assert found.latency == pytest.approx(600 + found.cost.seconds)


def test_a_rollback_trains_nothing_unless_no_shard_would_be_left():
    first = TouchedShard(first_slice=0, stages=stages(True, True))
    shards = ShardFacts(shards=2, touched=(first,))
    found = weighed(replace(BARE, shards=shards))["rollback"]
    assert (found.cost.visits, found.strength) == (0, Strength.INFLUENCE_FREE)
    all_gone = replace(BARE, shards=ShardFacts(shards=2, touched=(first, first)))
    assert "Every shard would have to leave the vote" in weighed(all_gone)["rollback"].reason
    one_left = ShardFacts(shards=2, touched=(first, replace(first, first_slice=1)))
    assert weighed(replace(BARE, shards=one_left))["rollback"].cost.visits == 0


def test_statistics_are_decremented_to_the_bit_in_the_environment_of_the_training():
    counted = replace(BARE, statistics=True, same_environment=True)
    found = weighed(counted)["decrement"]
    assert (found.strength, found.cost.seconds) == (Strength.BIT_EXACT, 3.0)
    elsewhere = weighed(replace(counted, same_environment=False))["decrement"]
    assert (elsewhere.strength, elsewhere.cost) == (Strength.SAME_RECIPE, found.cost)


def test_a_newton_step_stays_within_its_budget():
    budget = BudgetFacts(epsilon=1, delta=1e-5, left=0.5, spends=0.5)
    found = weighed(replace(BARE, budget=budget))["certified_newton"]
    assert (found.strength, found.epsilon, found.cost.seconds) == (Strength.CERTIFIED, 1, 5)
    spent = replace(BARE, budget=replace(budget, spends=0.6))
    assert weighed(spent)["certified_newton"].reason == (
        "The step would spend 0.6 of the certificate's budget, and 0.5 is left."
    )


def test_privacy_needs_nothing_to_be_done():
    version = replace(BARE, privacy=PrivacyFacts(epsilon=0.7, delta=1e-5))
    found = weighed(version)["differential_privacy_no_action"]
    assert (found.latency, found.cost.all_seconds, found.epsilon) == (0, 0, 0.7)


def test_an_approximate_method_costs_its_passes():
    cost = Cost(trainings=0.5, retain_passes=1, forget_passes=2)
    methods = [
        MethodFacts(name="ours", cost=cost, epochs=3),
        MethodFacts(name="no", cost=cost, refused="It is not defined here."),
    ]
    found = weighed(methods=methods)
    assert found["approximate:ours"].cost.visits == 2475 + 3 * (990 + 20)
    assert found["approximate:no"].reason == "It is not defined here."


def test_what_allows_only_training_again_speaks_for_every_other_way():
    cost = Cost(forget_passes=1)
    version = replace(BARE, statistics=True, only_retrain="Its base is affected too.")
    found = weighed(version, [MethodFacts(name="ours", cost=cost)])
    others = {key: each for key, each in found.items() if key != "full_retrain"}
    assert {each.reason for each in others.values()} == {"Its base is affected too."}
    never = replace(version, no_retrain="It has no recipe.")
    decision = plan(never, FORGET, policy=PlanningPolicy(), measured=MEASURED)
    assert (decision.winner, decision.overdue, decision.bridge) == (None, None, None)


def test_every_method_of_the_catalogue_is_weighed():
    methods = [
        MethodFacts.from_declaration(each, {})
        for each in declared_methods().values()
        if each["guarantee"] == "APPROXIMATE"
    ]
    policy = PlanningPolicy(minimum=Strength.APPROXIMATE)
    found = plan(BARE, FORGET, policy=policy, measured=MEASURED, methods=methods)
    assert len(found.ranked) == len(methods) + 1
    assert found.ranked[0].option.way is Way.APPROXIMATE


def test_numbers_given_go_before_those_of_the_catalogue():
    scrub = declared_methods()["amnesiac"]
    assert MethodFacts.from_declaration(scrub, {}).epochs == 3
    assert MethodFacts.from_declaration(scrub, {"epochs": 7}).epochs == 7
    with pytest.raises(NotPossible, match="retrain is EXACT; only APPROXIMATE methods are given"):
        MethodFacts.from_declaration(declared_methods()["retrain"], {})


def test_a_sharded_version_is_rebuilt_and_the_prediction_compared():
    touched = TouchedShard(first_slice=3, stages=stages(*[True] * 5))
    version = VersionFacts(
        records=1000, visits=15050, shards=ShardFacts(shards=10, touched=(touched,))
    )
    found = plan(
        version, FORGET, policy=PlanningPolicy(), measured=MEASURED, case=Case(left=23 * 86400)
    )
    assert found.winner
    assert found.bridge
    assert (found.winner.way, found.bridge.way) == (Way.SHARD_REBUILD, Way.ROLLBACK)
    error = compared(predicted=found.winner.cost.visits, actual=870).error_percent
    assert error == pytest.approx(100 * 30 / 870)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: ForgetFacts(records=0, visits=1), "records is 0; it must be a whole number"),
        (lambda: VersionFacts(records=5, visits=0), "visits is 0; it must be a whole number"),
        (lambda: MeasuredCosts(per_visit=-1), "per_visit is -1; it must be at least 0"),
        (lambda: ShardFacts(shards=2, touched=()), "touched names 0 shards; between 1 and 2"),
        (
            lambda: TouchedShard(first_slice=2, stages=stages(True)),
            "first_slice is 2; the shard has 1",
        ),
        (
            lambda: PlanningPolicy(retrain_above=80),
            "retrain_above is 80; it must be between 0 and 1",
        ),
    ],
)
def test_facts_that_cannot_be_are_named(call, sentence):
    with pytest.raises(NotPossible, match=sentence):
        call()


def test_a_web_process_plans_and_schedules_without_torch():
    code = (
        "import sys\n"
        "import unlearning.core.planning.choice, unlearning.core.scheduling.simulation\n"
        "import unlearning.core.costs.coalescing, unlearning.core.costs.placement\n"
        "import unlearning.core.costs.rewind, unlearning.core.costs.prediction\n"
        "import unlearning.core.release.gate, unlearning.core.release.readers\n"
        "import unlearning.core.release.batches, unlearning.core.release.rounding\n"
        "print({'torch', 'scipy', 'sklearn', 'django'} & set(sys.modules))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout == "set()\n"
