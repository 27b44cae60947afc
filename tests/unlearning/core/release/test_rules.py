"""A release waits for enough people, is good enough, tells few digits, and meets no old reader."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.costs.checks import NotPossible
from unlearning.core.release.batches import ReadyErasure, may_release
from unlearning.core.release.gate import Quality, Thresholds, gate, passed
from unlearning.core.release.readers import Reading, exposures, may_read
from unlearning.core.release.rounding import OutputRule


def ready(*dues: float, people: list[str] | None = None) -> list[ReadyErasure]:
    names = people or [f"person {number}" for number in range(len(dues))]
    return [
        ReadyErasure(case=f"C{number}", person=name, due=due)
        for number, (due, name) in enumerate(zip(dues, names, strict=True))
    ]


def test_a_release_waits_for_enough_people_and_says_for_how_long():
    found = may_release(ready(20.0, 21.0), 0.0)
    assert found.reason == (
        "The release would carry the erasures of 2 people and waits for 5, or for case C0 to "
        "have 1 d left."
    )
    assert not found.allowed
    assert may_release(ready(*[20.0] * 5), 0.0).allowed
    assert not may_release([], 0.0).allowed


def test_many_cases_of_one_person_are_one_person():
    assert not may_release(ready(*[20.0] * 5, people=["the same"] * 5), 0.0).allowed


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=8), st.floats(0, 40), st.integers(1, 9))
def test_a_release_never_waits_past_the_slack_of_a_case(dues, now, min_batch):
    found = may_release(ready(*dues), now, min_batch=min_batch, lead=1.0)
    assert found.allowed == (len(dues) >= min_batch or now >= min(dues) - 1.0)
    assert found.reason.endswith(".")


def test_a_small_release_says_so():
    found = may_release(ready(3.0), 2.5)
    assert "Case C0 is due in 0.5 days, so the release goes out with 1 of 5 people" in found.reason


GOOD = Quality(accuracy=0.90, shards=(0.80, 0.70), adversarial=0.50)


@pytest.mark.parametrize(
    ("after", "held"),
    [
        (Quality(accuracy=0.95, shards=(0.9, 0.9), adversarial=0.6), []),
        (Quality(accuracy=0.88, shards=(0.75, 0.65), adversarial=0.48), []),
        (Quality(accuracy=0.87, shards=(0.8, 0.7), adversarial=0.5), ["Accuracy fell by 3.00%"]),
        (
            Quality(accuracy=0.9, shards=(0.8, 0.6), adversarial=0.5),
            ["Accuracy of shard 1 fell by"],
        ),
        (Quality(accuracy=0.9, shards=(0.8, 0.7), adversarial=0.4), ["Adversarial accuracy fell"]),
        (Quality(accuracy=0.9, shards=(0.8, 0.7)), ["was not measured after unlearning"]),
        (
            Quality(accuracy=0.5, shards=(0.8, 0.7), adversarial=0.1),
            [
                "Accuracy fell by 40.00%, from 90.00% to 50.00%; 2.00% are tolerated.",
                "Adversarial",
            ],
        ),
    ],
)
def test_a_version_that_got_worse_is_held_with_the_numbers(after, held):
    found = passed(gate(GOOD, after, Thresholds()))
    assert found.allowed == (not held)
    assert all(part in found.reason for part in held)


def test_what_the_thresholds_leave_out_is_not_asked():
    lax = Thresholds(shard=None, adversarial=None)
    after = Quality(accuracy=0.9, shards=(0.1, 0.1))
    assert [each.allowed for each in gate(GOOD, after, lax)] == [True]


def test_versions_of_different_shards_are_not_compared():
    with pytest.raises(
        NotPossible, match="after has 0 shards and before has 2; both need the same"
    ):
        gate(GOOD, Quality(accuracy=0.9), Thresholds())
    with pytest.raises(NotPossible, match="accuracy is 90; it must be between 0 and 1"):
        Quality(accuracy=90)


def test_outputs_are_rounded_or_labels_alone():
    given_ = [[0.123456, 0.876544], [0.505, 0.495]]
    assert OutputRule().apply(given_).tolist() == [[0.12, 0.88], [0.5, 0.5]]
    assert OutputRule(decimals=None).apply(given_).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(
        NotPossible, match="decimals is 0; it must be a whole number of at least 1"
    ):
        OutputRule(decimals=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_no_output_differs_by_more_than_half_a_digit(decimals, row):
    rounded = OutputRule(decimals=decimals).apply([row])
    assert np.abs(rounded - row).max() <= 0.5 * 10**-decimals + 1e-12


REPLACES = {"v2": "v1", "v3": "v2", "w2": "w1"}


def test_versions_of_one_chain_meet_no_reader_twice():
    history = {
        "both at once": [Reading(version="v1", since=0), Reading(version="v2", since=5, until=6)],
        "in turn": [Reading(version="v1", since=0, until=5), Reading(version="v3", since=5)],
        "two models": [Reading(version="v1", since=0), Reading(version="w2", since=0)],
        "one version": [Reading(version="v1", since=0, until=1), Reading(version="v1", since=2)],
    }
    found = exposures(history, REPLACES)
    assert [(each.reader, each.versions, each.at_once) for each in found] == [
        ("both at once", ("v1", "v2"), True),
        ("in turn", ("v1", "v3"), False),
    ]
    assert found[1].reason == (
        "in turn could read v1 and v3 one after the other; they differ by an erasure."
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["v1", "v2", "v3", "w1", "w2", "x"]), max_size=12))
def test_a_reader_who_is_asked_about_each_time_is_never_exposed(offered):
    had: list[str] = []
    for version in offered:
        if may_read("client", version, had, REPLACES).allowed:
            had.append(version)
    readings = [Reading(version=version, since=at) for at, version in enumerate(had)]
    assert exposures({"client": readings}, REPLACES) == ()
    assert len({version[0] for version in had}) == len({version[0] for version in offered})


def test_a_refusal_names_the_version_before():
    found = may_read("key 7", "v2", ["w1", "v1"], REPLACES)
    assert found.reason == (
        "key 7 has had v1, and v2 differs from it by an erasure; give v2 to a reader that has not."
    )


def test_replacements_in_a_circle_are_all_of_one_model():
    circle = {"v1": "v2", "v2": "v3", "v3": "v2"}
    assert not may_read("key 7", "v1", ["v3"], circle).allowed
    assert not may_read("key 7", "v2", ["v1"], circle).allowed
    assert may_read("key 7", "v1", ["w1"], circle).allowed
