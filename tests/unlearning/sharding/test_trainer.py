"""A shard is rolled back to a state that never saw the subject, and rebuilt as from scratch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unlearning.replay.pairs import PAIRS, RECORDS, SECRET, SIZE, trainer, without
from tests.unlearning.replay.test_preparing import Shifted
from unlearning.core.recipe import NoExamples
from unlearning.core.replay.engine import model_at
from unlearning.core.replay.recording import Visits
from unlearning.core.replay.states import model_digest
from unlearning.core.sharding.placement import Placement, Subjects, place
from unlearning.core.sharding.slices import left, stage_visits
from unlearning.core.sharding.trainer import ShardedTrainer
from unlearning.core.sharding.vote import NobodyVotes, SoftVote

SUBJECTS = Subjects(of=[(f"p{number // 3}",) for number in range(SIZE)])
PLACEMENT = place(SUBJECTS, shards=3, slices=3, secret=SECRET)
RECIPES = [replace(recipe, epochs=4) for recipe in PAIRS]


def sharded(recipe=RECIPES[3], placement: Placement = PLACEMENT, every=None) -> ShardedTrainer:
    return ShardedTrainer(trainer=trainer(recipe, every=every), placement=placement)


def subject_of(shard: int, part: int) -> tuple[int, ...]:
    """Return the records of somebody in a slice of a shard."""
    first = PLACEMENT.shards[shard][part][0] // 3 * 3
    return (first, first + 1, first + 2)


def scratch(bench: ShardedTrainer, shard: int, holes) -> str:
    """The oracle: the recipe trained on what is left of the shard, nothing kept or taken up."""
    own = bench.bench(shard)
    return model_digest(own.recipe.train(bench.part(shard, without(*holes)), own.session))


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_a_rebuilt_shard_is_one_trained_from_scratch_with_the_same_holes(recipe):
    bench = sharded(recipe)
    origin = bench.shard("origin", 1, without()).recording
    for part in range(3):
        holes = subject_of(1, part)
        after = bench.rebuild(f"after-{part}", 1, origin, without(*holes))
        assert after.recording.digest == scratch(bench, 1, holes)
        assert after.recording.digest != origin.digest


def test_shards_are_independent_trainings_with_seeds_of_their_own():
    bench = sharded(RECIPES[0])
    done = bench.train("origin", without())
    assert [each.recording.run for each in done] == ["origin/0", "origin/1", "origin/2"]
    assert len({each.recording.seed for each in done}) == 3
    assert len({each.recording.binding for each in done}) == 3
    for shard, each in enumerate(done):
        assert each.recording.digest == scratch(bench, shard, ())


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("every", [None, 3])
def test_the_cost_of_a_rebuild_is_the_one_predicted(part, every):
    bench = sharded(RECIPES[0], every=every)
    holes = subject_of(2, part)
    origin = bench.shard("origin", 2, without()).recording
    promised = bench.predicted(2, origin, without(*holes))
    actual = bench.rebuild("after", 2, origin, without(*holes)).recording
    assert promised == Visits(replay=actual.spent, scratch=actual.visits)
    if every is None:
        bounds, stages = PLACEMENT.bounds(2), origin.segments[0].plan.stages
        counts = left(bounds, bench.part(2, without(*holes)).holes)
        stage = stage_visits(counts, [epochs for epochs, _ in stages])
        assert promised == Visits(replay=sum(stage[part:]), scratch=sum(stage))
        assert (promised.replay < promised.scratch) is (part > 0)


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_what_a_shard_is_rolled_back_to_never_saw_the_slice(recipe):
    bench = sharded(recipe)
    origin = bench.shard("origin", 0, without()).recording
    for part in (1, 2):
        slice_and_later = [each for later in PLACEMENT.shards[0][part:] for each in later]
        model = bench.rolled_back(0, origin, without(*subject_of(0, part)))
        never = bench.shard(f"never-{part}", 0, without(*slice_and_later)).recording
        kept = next(each for each in never.states if each.step == origin.states[part - 1].step)
        assert model is not None
        assert not model.training
        assert model_digest(model) == model_digest(
            model_at(bench.trainer.recipe, bench.trainer.store, kept)
        )


def test_a_subject_of_the_first_slice_leaves_nothing_to_roll_back_to():
    bench = sharded()
    origin = bench.shard("origin", 0, without()).recording
    assert bench.rolled_back(0, origin, without(*subject_of(0, 0))) is None


def test_another_shards_subject_rolls_nothing_back():
    bench = sharded()
    origin = bench.shard("origin", 0, without())
    model = bench.rolled_back(0, origin.recording, without(*subject_of(1, 0)))
    assert model is not None
    assert model_digest(model) == origin.recording.digest


def test_states_inside_a_slice_serve_a_later_rollback():
    bench = sharded(every=2)
    holes = subject_of(0, 2)
    origin = bench.shard("origin", 0, without()).recording
    clean = bench.bench(0).clean(origin, bench.part(0, without(*holes)))
    plan = origin.segments[0].plan
    assert clean.states[-1].step >= plan.milestones[1]
    model = bench.rolled_back(0, origin, without(*holes))
    assert model is not None
    as_if_never = bench.shard("never", 0, without(*holes)).recording
    kept = next(each for each in as_if_never.states if each.step == clean.states[-1].step)
    assert model_digest(model) == model_digest(
        model_at(bench.trainer.recipe, bench.trainer.store, kept)
    )


@pytest.mark.parametrize(("part", "served"), [(0, False), (1, True), (2, True)])
def test_a_fitted_scaler_owes_something_to_the_first_slice_alone(part, served):
    bench = sharded(Shifted(epochs=4))
    holes = subject_of(0, part)
    origin = bench.shard("origin", 0, without()).recording
    assert (bench.rolled_back(0, origin, without(*holes)) is not None) is served
    after = bench.rebuild("after", 0, origin, without(*holes)).recording
    assert after.digest == scratch(bench, 0, holes)
    assert (after.spent < after.visits) is served


def test_a_shard_of_which_nothing_is_left_must_leave_the_vote():
    bench = sharded()
    origin = bench.shard("origin", 0, without()).recording
    with pytest.raises(NoExamples):
        bench.rebuild("after", 0, origin, without(*PLACEMENT.records(0)))


def test_a_state_is_kept_under_content_code_and_hyperparameters():
    bench = sharded(RECIPES[0])
    keys = {bench.shard("origin", 0, without()).recording.states[0].key}
    seeded = replace(bench.trainer, session=replace(bench.trainer.session, seed=1))
    others = [
        sharded(replace(RECIPES[0], learning_rate=0.04)),
        sharded(RECIPES[0], place(SUBJECTS, shards=3, slices=3, secret=b"another")),
        replace(bench, trainer=replace(bench.trainer, content="other")),
        replace(bench, trainer=seeded),
    ]
    for other in others:
        fresh = replace(other, trainer=replace(other.trainer, store=trainer().store))
        keys.add(fresh.shard("origin", 0, without()).recording.states[0].key)
    assert len(keys) == 5


def test_the_vote_is_the_mean_of_what_the_members_think_likely():
    recipe = RECIPES[0]
    members = [recipe.build() for _ in range(3)]
    inputs = RECORDS.tensors[0][:7]
    expected = torch.stack([member(inputs).softmax(1) for member in members]).mean(0)
    found = recipe.predict(SoftVote(members), inputs)
    assert torch.allclose(found.exp(), expected, atol=1e-6)
    assert torch.allclose(found.softmax(1), expected, atol=1e-6)
    assert SoftVote(members[:1]).state_dict().keys() == {
        f"members.0.{name}" for name in members[0].state_dict()
    }


def test_a_sure_member_does_not_make_the_vote_infinite():
    class Sure(nn.Module):
        def forward(self, inputs):
            return torch.tensor([[1e4, -1e4]]).expand(len(inputs), 2)

    assert torch.isfinite(SoftVote([Sure(), Sure()])(torch.zeros(3, 1))).all()
    with pytest.raises(NobodyVotes, match=r"^A vote needs at least one model, and every shard"):
        SoftVote([])
