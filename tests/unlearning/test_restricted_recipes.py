"""From the acceptance of a request on, no recipe is given a restricted record."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from itertools import count

import pytest
from django.conf import settings as installed
from django.utils import timezone
from pyroaring import BitMap

from lineage.queries.contents import read_batch
from lineage.queries.sources import learned_by
from lineage.queries.training_view import RecordNotServed, training_view
from lineage.services.snapshots import take_snapshot
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, MLP, SMALL
from unlearning.core.recipe import Recipe
from unlearning.core.sharding import placement

pytestmark = pytest.mark.django_db
MODULES = (
    *installed.EXPUNGE_RECIPE_MODULES,
    "unlearning.recipes.certified",
    "unlearning.recipes.small_images",
)
FEW = {"targets": ["0", "1", "2"]}
TABLE = {**FEW, "columns": ["a", "b"]}
IMAGE = {**FEW, "size": 8, "epochs": 1, "width": 2}
# What each recipe is tried with; one that is not here fails the first test.
TRIED = {
    "DigitsMLP": SMALL,
    "DigitsCNN": {**FEW, "epochs": 1},
    "DigitsFineTune": SMALL,
    "DigitsRidge": FEW,
    "DigitsCountedBayes": FEW,
    "DigitsCertified": FEW,
    "TabularMLP": {**TABLE, "epochs": 1},
    "TabularLogistic": TABLE,
    "TabularNaiveBayes": TABLE,
    "TabularRidge": TABLE,
    "TabularCountedBayes": TABLE,
    "ImageClassifier": {**FEW, "size": 32, "epochs": 1, "architecture": "squeezenet1_1"},
    "SmallImages": {**IMAGE, "architecture": "thin_resnet"},
    "Sharded": SMALL,
}


def recipes():
    found = (vars(import_module(name)).values() for name in MODULES)
    return {
        one.__name__: one
        for each in found
        for one in each
        if isinstance(one, type) and issubclass(one, Recipe) and not inspect.isabstract(one)
    }


def test_every_recipe_is_tried():
    assert set(recipes()) == set(TRIED)


def rows(world, name):
    """The data set that a recipe can read: rows of numbers for tables, else the digits."""
    if not name.startswith("Tabular"):
        return world.dataset
    owners = [ADA] * 6 + [BERT] * 12
    table = [json.dumps({"a": place, "b": place % 5}).encode() for place in range(18)]
    pairs = list(zip(owners, ((row, "012"[i % 3]) for i, row in enumerate(table)), strict=True))
    return worlds.imported("table", pairs)


@pytest.mark.parametrize("name", TRIED)
def test_L19_restricted_row_is_absent_from_every_recipe(world, settings, monkeypatch, name):
    settings.EXPUNGE_RECIPE_MODULES = list(MODULES)
    cls, path = recipes()[name], f"{recipes()[name].__module__}:{name}"
    base = None
    if name == "Sharded":
        settings.EXPUNGE_SHARDS, cls, path = 2, recipes()["DigitsMLP"], MLP
        turns = count()  # of two people one each: the key of an installation may put them together
        monkeypatch.setattr(placement, "_shard", lambda *_: next(turns) % 2)
    if name == "DigitsFineTune":
        base = world.train("base", world.snapshot(CLEO))
    dataset = rows(world, name)
    ada, others = BitMap(range(6)), BitMap(range(6, 18))
    snapshot = take_snapshot(dataset=dataset, ordinals=ada | others, now=timezone.now())
    restricted_at_acceptance(world)
    seen = spied(monkeypatch, cls)
    version = world.train("model", snapshot, base=base, recipe=path, recipe_parameters=TRIED[name])
    assert seen == {one.content for one in read_batch(dataset.space, list(others))}
    assert learned_by(version, dataset.space) == others


def restricted_at_acceptance(world):
    """Ada's case is accepted: the step after it is the restriction, before any other."""
    case = world.accept(world.wake(world.ask(ADA)))
    assert case.status == "RESTRICTED"


def spied(monkeypatch, cls):
    seen, real = set(), cls.decode

    def decode(self, content, target):
        seen.add(content)
        return real(self, content, target)

    monkeypatch.setattr(cls, "decode", decode)
    return seen


def test_L19_a_view_that_was_open_before_the_acceptance_serves_no_restricted_row(world):
    view = training_view(world.snapshot(ADA, BERT))
    assert view.read(0)
    restricted_at_acceptance(world)
    with pytest.raises(RecordNotServed, match="restricted after this view was opened"):
        view.read(0)
    assert view.read(6)
