"""Versions are released, withdrawn and destroyed."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage import artifacts
from lineage.queries.artefacts import read_artefact, weights_of
from lineage.services import versions
from lineage.services.artefacts import store_artefact
from lineage.services.restriction import restrict
from lineage.services.versions import VersionNotReleasable
from tests.lineage.builders import data, trained
from tests.lineage.runs.opening import CASE

pytestmark = pytest.mark.django_db


def test_a_candidate_is_released(taken, now):
    version = trained("m", now, data(taken), release=False)
    assert version.state == "CANDIDATE"
    assert versions.release(version=version).state == "ACTIVE"
    assert versions.release(version=version).state == "ACTIVE"


def test_what_must_not_be_used_is_not_released(taken, now):
    shadow = trained("s", now, data(taken), activity="SHADOW", kind="SHADOW")
    candidate = trained("m", now, data(taken), release=False)
    gone = trained("g", now, data(taken))
    versions.withdraw(version=gone, by_case=CASE, now=now)
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([1]), now=now)
    assert shadow.state == "CANDIDATE"
    for version, reason in (
        (shadow, "is a shadow model"),
        (gone, "g v1 is withdrawn"),
        (candidate, "trained on 1 records that are restricted"),
    ):
        with pytest.raises(VersionNotReleasable, match=reason):
            versions.release(version=version)


def test_a_version_is_withdrawn_once(taken, now):
    version = trained("m", now, data(taken))
    first = versions.withdraw(version=version, by_case=CASE, now=now)
    again = versions.withdraw(
        version=version, by_case=uuid.UUID(int=2), now=now.replace(year=2027)
    )
    assert (first.state, first.invalidated_at, first.invalidated_by) == ("WITHDRAWN", now, CASE)
    assert (again.invalidated_at, again.invalidated_by) == (now, CASE)


def test_a_destroyed_version_has_neither_weights_nor_checkpoints(taken, now):
    version = trained("m", now, data(taken))
    weights = version.artefacts.get()
    checkpoint = store_artefact(kind="CHECKPOINT", data=b"half", version=version, now=now)
    report = store_artefact(kind="REPORT", data=b"report", version=version, now=now)
    gone = versions.destroy_version(version=version, by_case=CASE, now=now)
    assert {(one.id, one.kind, one.sha256, one.file_removed) for one in gone} == {
        (weights.id, "WEIGHTS", weights.sha256, True),
        (checkpoint.id, "CHECKPOINT", checkpoint.sha256, True),
    }
    assert gone == versions.destroy_version(version=version, by_case=CASE, now=now)
    version.refresh_from_db()
    assert version.state == "DESTROYED"
    assert read_artefact(report) == b"report"
    with pytest.raises(artifacts.ArtefactMissing, match="was destroyed on 2026-03-01"):
        weights_of(version)


def test_equal_weights_of_another_version_stay(taken, now):
    one = trained("m", now, data(taken), weights=b"same")
    two = trained("m", now, data(taken), weights=b"same")
    (kept,) = versions.destroy_version(version=one, by_case=CASE, now=now)
    assert kept.file_removed is False
    assert weights_of(two) == b"same"
    (gone,) = versions.destroy_version(version=two, by_case=CASE, now=now)
    assert gone.file_removed is True
    assert versions.destroy_version(version=one, by_case=CASE, now=now)[0].file_removed is True


def test_a_checkpoint_equal_to_the_weights_goes_with_them(taken, now):
    version = trained("m", now, data(taken), weights=b"same")
    store_artefact(kind="CHECKPOINT", data=b"same", version=version, now=now)
    gone = versions.destroy_version(version=version, by_case=CASE, now=now)
    assert [one.file_removed for one in gone] == [True, True]


def test_a_destruction_that_fails_half_way_is_finished_later(taken, now, monkeypatch):
    version = trained("m", now, data(taken))
    store_artefact(kind="CHECKPOINT", data=b"half", version=version, now=now)
    destroy, calls = artifacts.destroy, []

    def second_fails(uri):
        calls.append(uri)
        if len(calls) == 2:
            raise artifacts.ArtefactRemains(f"The stored file {uri} was not deleted.")
        destroy(uri)

    monkeypatch.setattr(artifacts, "destroy", second_fails)
    with pytest.raises(artifacts.ArtefactRemains):
        versions.destroy_version(version=version, by_case=CASE, now=now)
    version.refresh_from_db()
    assert version.state == "WITHDRAWN"
    gone = versions.destroy_version(version=version, by_case=CASE, now=now)
    assert [one.file_removed for one in gone] == [True, True]
