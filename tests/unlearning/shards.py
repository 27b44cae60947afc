"""People spread over shards in one known way, whatever keys an installation draws."""

from __future__ import annotations

from pyroaring import BitMap

from lineage.queries import contents
from lineage.queries.training_view import training_view
from tests.audits.world import ADA, BERT, CLEO, DORA
from unlearning.core.recipe import load_recipe
from unlearning.core.sharding.coverage import ClassesMissing, check_classes
from unlearning.core.sharding.placement import EmptyShard, TooEntangled
from unlearning.core.stored import StoredExamples
from unlearning.execution import sharding
from unlearning.recipes.sharded import Sharded


def only_one_knows_twos(monkeypatch, world, parameters):
    """Train two shards; nobody but Ada has a 2 in hers. Return the version."""
    owned = list(world.owned(ADA, BERT, CLEO, DORA))
    targets = contents.targets_of(world.dataset.space, BitMap(owned))
    twos = BitMap(each for each in world.owned(BERT) if targets[each] == "2")
    snapshot = world.take(BitMap(owned) - twos)
    ordinals, hers = list(BitMap(owned) - twos), world.owned(ADA, BERT) - twos

    def apart(placement):
        shards = [{ordinals[at] for at in placement.records(each)} for each in range(2)]
        return set(hers) in shards

    spread(monkeypatch, snapshot, parameters, wanted=apart)
    return world.train("base", snapshot, recipe_parameters=parameters)


def two_people_a_shard(monkeypatch, world, parameters):
    """Train two shards, with two of the four people in each. Return the version."""
    snapshot = world.snapshot(ADA, BERT, CLEO, DORA)
    spread(
        monkeypatch,
        snapshot,
        parameters,
        wanted=lambda placed: [len(placed.records(each)) for each in range(2)] == [12, 12],
    )
    return world.train("base", snapshot, recipe_parameters=parameters)


def spread(monkeypatch, snapshot, parameters, *, shards=2, slices=2, wanted=None):
    """Choose the key that places people, so that every shard learns every class.

    ``wanted`` says of a placement whether it will do; records are named by their places.
    """
    part = load_recipe("unlearning.recipes.digits:DigitsMLP", parameters, ["unlearning.recipes"])
    recipe, view = Sharded.of(part, shards=shards, slices=slices), training_view(snapshot)
    targets = StoredExamples(part, view).targets
    for number in range(1000):
        monkeypatch.setattr(sharding, "placement_key", lambda key=number: str(key).encode())
        try:
            placement = sharding.placed_by_person(view, recipe)
            check_classes(placement, targets)
        except (EmptyShard, TooEntangled, ClassesMissing):
            continue
        if wanted is None or wanted(placement):
            return placement
    raise AssertionError("no key spreads these people as wanted")
