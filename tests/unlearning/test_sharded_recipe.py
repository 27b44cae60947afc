"""A recipe of recipes: what it trains, how it is told, loaded and held to its code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from tests.unlearning.records import decoded
from tests.unlearning.toys import equal
from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import (
    NoExamples,
    RecipeChanged,
    RecipeNotAllowed,
    check_unchanged,
    load_recipe,
)
from unlearning.core.session import Session
from unlearning.core.sharding.slices import TooManySlices
from unlearning.core.sharding.vote import SoftVote
from unlearning.recipes.digits import DigitsMLP
from unlearning.recipes.sharded import NotAVoteToGoOnFrom, Sharded

PART = DigitsMLP(epochs=2, hidden=8, batch_size=8)
VOTE = Sharded.of(PART, shards=3, slices=2)
LISTED = ["unlearning.recipes"]


def test_it_trains_a_vote_repeatably():
    data = decoded(PART)
    vote = VOTE.train(data, Session(seed=1))
    assert isinstance(vote, SoftVote)
    assert len(vote.members) == 3
    assert not equal(vote.members[0], vote.members[1])
    assert equal(vote, VOTE.train(data, Session(seed=1)))
    assert not equal(vote, VOTE.train(data, Session(seed=2)))


def test_each_record_is_dealt_to_one_shard_and_sizes_differ_by_one():
    dealt = VOTE._dealt([0, 1] * 5 + [1], seed=4)
    assert sorted(number for shard in dealt for number in shard) == list(range(11))
    assert sorted(map(len, dealt)) == [3, 4, 4]


def test_no_shard_or_half_of_one_is_dealt_a_class_alone():
    targets = [0] * 30 + [1] * 30 + [2] * 3
    for numbers in VOTE._dealt(targets, seed=4):
        assert {targets[number] for number in numbers} == {0, 1, 2}
        assert {targets[number] for number in numbers[:10]} >= {0, 1}


def test_it_is_told_as_json_and_comes_back_the_same():
    told = json.loads(json.dumps(VOTE.describe()))
    assert told["parameters"]["part"] == json.loads(json.dumps(PART.describe()))
    found = load_recipe(told["recipe"], told["parameters"], LISTED)
    assert found == VOTE
    assert found.digest() == VOTE.digest()
    assert found.epochs == PART.epochs


def test_its_digest_changes_with_that_of_its_part(monkeypatch):
    captured = VOTE.digest()
    assert replace(VOTE, part=replace(PART, epochs=3)).digest() != captured
    monkeypatch.setattr("unlearning.core.recipe.source", _edited)
    with pytest.raises(RecipeChanged):
        check_unchanged(VOTE, captured)


def _edited(name):
    from unlearning.core.sources import source

    return source(name) + (b"# another line\n" if name.endswith(".digits") else b"")


def test_its_part_is_held_to_the_list_of_modules():
    told = VOTE.describe()
    with pytest.raises(RecipeNotAllowed, match=r"module 'unlearning\.recipes\.digits'"):
        load_recipe(told["recipe"], told["parameters"], ["unlearning.recipes.sharded"])
    told["parameters"]["part"]["recipe"] = "os:system"
    with pytest.raises(RecipeNotAllowed, match="module 'os' may not"):
        load_recipe(told["recipe"], told["parameters"], LISTED)


def test_what_cannot_be_is_refused():
    with pytest.raises(OutOfRange, match="shards is 0"):
        replace(VOTE, shards=0)
    with pytest.raises(TooManySlices, match="at most 3 slices"):
        replace(VOTE, slices=4).train(decoded(PART), Session())
    few = torch.utils.data.Subset(decoded(PART), [0, 1])
    with pytest.raises(NoExamples):
        VOTE.train(few, Session())
    with pytest.raises(NotAVoteToGoOnFrom, match="trained on the whole"):
        VOTE.start(PART.build())
