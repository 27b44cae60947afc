"""A vote is rebuilt where it held what must go; what it costs is told beforehand."""

from __future__ import annotations

import pytest
from pyroaring import BitMap
from torch.utils.data import Subset

from tests.unlearning.replay.pairs import SECRET, SIZE, without
from tests.unlearning.sharding.test_trainer import PLACEMENT, RECIPES, sharded, subject_of
from tests.unlearning.toys import equal
from unlearning.core.replay.states import model_digest
from unlearning.core.session import Session
from unlearning.core.sharding.facts import told
from unlearning.core.sharding.rebuilding import NotAVote, Rebuild, Shard, ShardRewind
from unlearning.core.sharding.vote import SoftVote

FIRST = 1000  # records are named by other numbers than their places


class Trained:
    """Three shards of three slices, as a platform keeps them."""

    def __init__(self, every=None) -> None:
        self.bench = sharded(RECIPES[0], every=every)
        done = self.bench.train("origin", without())
        self.vote = SoftVote(each.model for each in done)
        self.shards = [
            Shard(
                number=number,
                origin=each.recording,
                bounds=PLACEMENT.bounds(number),
                slices=tuple(
                    BitMap(FIRST + record for record in part) for part in PLACEMENT.shards[number]
                ),
            )
            for number, each in enumerate(done)
        ]

    def rebuild(self, gone) -> Rebuild:
        retained = self.retained(gone)
        places = {record: place for place, record in enumerate(retained)}
        return Rebuild(
            part=RECIPES[0],
            rewinds={
                shard.number: ShardRewind(
                    origin=shard.origin,
                    store=self.bench.trainer.store,
                    secret=SECRET,
                    run=f"after/{shard.number}",
                    holes=shard.holes(retained),
                    bounds=shard.bounds,
                    places=tuple(places[record] for record in shard.records(retained)),
                )
                for shard in self.shards
                if shard.touched(retained) is not None
            },
        )

    def retained(self, gone) -> BitMap:
        return BitMap(FIRST + number for number in range(SIZE) if number not in gone)

    def left(self, gone):
        whole = without()
        return Subset(whole, [number for number in range(SIZE) if number not in gone])


@pytest.fixture(scope="module")
def trained() -> Trained:
    return Trained()


def test_touched_shards_are_as_from_scratch_and_the_others_are_the_same_bits(trained):
    gone = {*subject_of(0, 1), *subject_of(2, 2)}
    rebuild = trained.rebuild(gone)
    assert set(rebuild.rewinds) == {0, 2}
    before = [model_digest(member) for member in trained.vote.members]
    vote = SoftVote(trained.vote.members)
    after, said = rebuild.carry_out(vote, trained.left(gone), RECIPES[0], Session())
    bench = trained.bench
    for shard in range(3):
        source = without(*gone)
        own = bench.bench(shard)
        oracle = own.recipe.train(bench.part(shard, source), own.session)
        digest = model_digest(after.members[shard])
        assert digest == model_digest(oracle)
        assert (digest == before[shard]) == (shard == 1)
    assert said.startswith("2 of 3 shards: replayed steps ")


def test_at_once_a_shard_goes_back_or_leaves_the_vote(trained):
    gone = {*subject_of(0, 1), *subject_of(2, 0)}
    found = trained.rebuild(gone).rolled_back(trained.vote, trained.left(gone), Session())
    assert (len(found.members), found.back, found.left) == (2, 1, 1)
    origin = trained.shards[0].origin
    back = trained.bench.rolled_back(0, origin, without(*gone))
    assert equal(found.members[0], back)
    assert found.members[1] is trained.vote.members[1]


@pytest.mark.parametrize("every", [None, 3])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_what_is_told_beforehand_is_what_it_takes(every, part):
    trained, gone = Trained(every), set(subject_of(1, part))
    facts = told(trained.shards, trained.retained(gone), {})
    (touched,) = facts.facts.touched
    assert (facts.facts.shards, touched.first_slice, touched.emptied) == (3, part, False)
    rewind = trained.rebuild(gone).rewinds[1]
    replayed = rewind.replay(trained.left(gone), RECIPES[0], Session())
    assert touched.visits() == replayed.recording.spent
    assert touched.again() == replayed.recording.visits
    assert facts.visits == sum(shard.origin.visits for shard in trained.shards)
    assert facts.gone == trained.shards[1].origin.visits - replayed.recording.visits
    if every is None:  # states at the ends of slices alone, so the stages tell the same
        assert (
            sum(each.visits - each.forgotten for each in touched.stages[part:]) == touched.visits()
        )
        assert touched.start() == part


def test_a_shard_of_which_nothing_is_left_is_said_to_be_empty(trained):
    facts = told(trained.shards, trained.retained(PLACEMENT.records(1)), {})
    assert [each.emptied for each in facts.facts.touched] == [True]


def test_a_class_of_which_a_shard_has_no_record_left_is_counted(trained):
    gone = set(subject_of(1, 0))
    hers = {FIRST + record: "hers" for record in gone}
    everybody = trained.retained(()) | BitMap(hers)
    for theirs, lost in (("theirs", 1), ("hers", 0)):
        targets = dict.fromkeys(everybody, theirs) | hers
        (touched,) = told(trained.shards, trained.retained(gone), targets).facts.touched
        assert touched.lost == lost


def test_only_a_vote_can_be_rebuilt(trained):
    gone = set(subject_of(0, 1))
    with pytest.raises(NotAVote, match="and this is a Sequential"):
        trained.rebuild(gone).carry_out(
            trained.vote.members[0], trained.left(gone), RECIPES[0], Session()
        )
