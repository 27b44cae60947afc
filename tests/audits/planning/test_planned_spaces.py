"""A plan over two data sets."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.queries.sources import learned_by
from lineage.services.snapshots import take_snapshot
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, STRANGERS, logged, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def letters(world):
    """A second data set, in which Ada has two records of eight."""
    owners = [ADA, ADA, BERT, BERT, CLEO, CLEO, DORA, DORA]
    return worlds.imported("letters", list(zip(owners, worlds.digits()[10:18], strict=True)))


def test_a_child_that_learned_in_another_space_than_its_base_goes_with_both(
    world, letters, restricted
):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(worlds.runs(case)) == [
        ("base v1", "retrain", "CLEARED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base_run, child_run = worlds.runs(case)
    assert (base_run.space, child_run.space) == (world.dataset.space, letters.space)
    assert (base_run.forget_count, child_run.forget_count) == (6, 2)
    assert sorted(row["records"] for row in logged(case, "records_erased")) == [2, 6]
    assert [row["name"] for row in case.plan["affected"]].count("child v1") == 2


def test_equal_ordinals_of_another_space_are_other_records(world, letters, restricted):
    """The base learned records 6 to 17 of the digits; Ada's are 0 and 1 of the letters."""
    base = world.train("base", world.take(BitMap(range(6, 18))))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.finish(restricted())
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(worlds.runs(case)) == [("child v1", "retrain", "CLEARED")]
    assert worlds.runs(case)[0].base == base


def test_a_child_reached_through_its_base_only_keeps_all_its_own_records(world, letters):
    """Who asks has no letters: those with the ordinals of their digits are somebody else's."""
    base = world.train("base", world.snapshot(BERT, STRANGERS[0]))
    world.train("child", take_snapshot(dataset=letters, now=NOW), base)
    case = world.erased(STRANGERS[0])
    assert (case.status, case.failure) == ("SEALED", "")
    rebuilt = worlds.runs(case)[1].unlearned
    assert rebuilt
    assert learned_by(rebuilt, letters.space) == BitMap(range(8))
