"""Ancestors, versions of the same model, and how the records of a version stand today."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pyroaring import BitMap

from lineage.models import ModelVersion
from lineage.queries.sources import training_snapshots
from lineage.queries.version_page import family_of
from lineage.queries.version_standing import ancestry_of, records_of, siblings_of
from lineage.services.restriction import restrict
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = pytest.mark.django_db


def test_ancestors_are_listed_through_every_run_the_nearest_first(now):
    first = trained("a", now, data(snapshot(filled("photos", 9, now), now, range(7))))
    second = trained("b", now, base(first), activity="FINE_TUNE")
    third = trained("c", now, base(second), activity="FINE_TUNE")
    found = ancestry_of(third)
    assert [(str(one.version), one.steps) for one in found.ancestors] == [("b v1", 1), ("a v1", 2)]
    assert not found.cut
    assert ancestry_of(first).ancestors == ()


def test_an_ancestry_too_long_to_list_says_so(now, monkeypatch):
    monkeypatch.setattr("lineage.queries.version_standing.MOST_LEVELS", 2)
    newest = trained("a", now)
    for _ in range(3):
        newest = trained("a", now, base(newest), activity="FINE_TUNE")
    found = ancestry_of(newest)
    assert len(found.ancestors) == 2
    assert found.cut


def test_records_are_counted_as_they_stand_today(now):
    space_of = filled("photos", 9, now)
    version = trained("cnn", now, data(snapshot(space_of, now, range(7))))
    (before,) = records_of(training_snapshots(version))
    assert (before.restricted, before.erased) == (0, 0)
    restrict(case_id=uuid4(), space=space_of.space, ordinals=BitMap([0, 1, 8]), now=now)
    (after,) = records_of(training_snapshots(version))
    assert (after.restricted, after.erased) == (2, 0)


def test_what_is_erased_is_not_counted_as_restricted(now, monkeypatch):
    dataset = filled("photos", 9, now)
    version = trained("cnn", now, data(snapshot(dataset, now, range(7))))
    restrict(case_id=uuid4(), space=dataset.space, ordinals=BitMap([0, 1]), now=now)
    monkeypatch.setattr(
        "lineage.queries.version_standing.purged_ordinals", lambda _space: BitMap([1, 2])
    )
    (found,) = records_of(training_snapshots(version))
    assert (found.restricted, found.erased) == (1, 2)


def test_siblings_are_the_versions_of_the_same_model_and_shadows_are_timed_apart(now):
    first = trained("cnn", now)
    second = trained("cnn", now)
    trained("other", now)
    spy = trained("cnn", now, base(first), kind=ModelVersion.Kind.SHADOW)
    type(spy.generated_by).objects.filter(pk=spy.generated_by_id).update(seconds=2.5)
    assert list(siblings_of(first)) == [second, first]
    assert family_of(first).shadow_seconds == 2.5
    assert family_of(second).shadow_seconds == 0.0
