from __future__ import annotations

import uuid
from typing import Any

import pytest
from pyroaring import BitMap

from lineage import artifacts
from lineage.models import Artefact, LineageEdge, ModelVersion, Role, RunOutput
from lineage.queries.artefacts import read_artefact, weights_of
from lineage.queries.membership import members
from lineage.services import versions
from lineage.services.artefacts import destroy_artefact, store_artefact
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from lineage.services.run_closing import RunNotOpen, TrainingSnapshotUnclear
from lineage.services.runs import (
    RunPlan,
    RunResult,
    SourceNotUsable,
    begin_run,
    fail_run,
    finish_run,
)
from lineage.services.snapshots import OrdinalsUnknown
from lineage.services.sweeping import sweep_store
from lineage.services.versions import VersionNotReleasable
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = pytest.mark.django_db
CASE = uuid.UUID(int=1)


@pytest.fixture
def taken(now):
    return snapshot(filled("faces", 6, now), now)


def opened(taken, now, **plan: Any):  # noqa: ANN401  (of several types)
    return begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(taken),), **plan), now=now)


def result(name="m", **more: Any):  # noqa: ANN401  (of several types)
    return RunResult(model_name=name, weights=b"weights", **more)


def edges_into(version):
    found = LineageEdge.objects.filter(dst__object_id=version.id)
    return set(found.values_list("src__object_id", "role", "influence"))


def test_a_run_leaves_a_version_with_edges_and_weights(taken, now):
    run = opened(taken, now, seed=7, recipe="digits", procedure="nightly", environment={"a": 1})
    version = finish_run(run=run, result=result(metrics={"accuracy": 0.9}), now=now)
    run.refresh_from_db()
    assert (run.state, run.capture_level, run.seconds) == ("COMPLETE", "SNAPSHOT", 0.0)
    assert (run.procedure.name, run.seed) == ("nightly", 7)
    assert (version.version, version.state, version.metrics) == (1, "ACTIVE", {"accuracy": 0.9})
    assert edges_into(version) == {(taken.id, "TRAINING", "DIRECT")}
    assert RunOutput.objects.get(run=run).node.object_id == version.id
    assert weights_of(version) == b"weights"
    assert finish_run(run=opened(taken, now), result=result(), now=now).version == 2


def test_what_the_sampler_drew_becomes_the_membership(taken, now):
    run = opened(taken, now, capture_level="SAMPLER")
    version = finish_run(run=run, result=result(used=BitMap([0, 2])), now=now)
    used = run.inputs.get().used_snapshot
    assert members(used) == BitMap([0, 2])
    assert (used.parent, run.inputs.get().node.object_id) == (taken, taken.id)
    assert edges_into(version) == {(used.id, "TRAINING", "DIRECT")}


def test_a_run_that_used_everything_needs_no_second_snapshot(taken, now):
    run = opened(taken, now)
    version = finish_run(run=run, result=result(used=BitMap(range(6))), now=now)
    assert run.inputs.get().used_snapshot == taken
    assert edges_into(version) == {(taken.id, "TRAINING", "DIRECT")}


def test_the_strongest_use_of_a_node_is_its_edge(taken, now):
    first = trained("m", now, data(taken))
    version = trained(
        "n",
        now,
        data(taken, Role.PREPROCESSING),
        data(taken),
        data(taken, Role.VALIDATION),
        base(first),
    )
    first_node = (first.id, "BASE_MODEL", "DIRECT")
    assert edges_into(version) == {(taken.id, "TRAINING", "DIRECT"), first_node}
    assert version.generated_by.inputs.count() == 4


def test_a_run_ends_once(taken, now):
    run = opened(taken, now)
    finish_run(run=run, result=result(), now=now)
    with pytest.raises(RunNotOpen, match="is complete"):
        finish_run(run=run, result=result(), now=now)
    assert fail_run(run=run, now=now).state == "COMPLETE"
    assert ModelVersion.objects.count() == 1


def test_a_failed_run_is_incomplete_and_stays_so(taken, now):
    run = opened(taken, now, sampler={"class": "RandomSampler"})
    failed = fail_run(run=run, now=now, reason="ValueError")
    assert (failed.state, failed.ended_at) == ("INCOMPLETE", now)
    assert failed.sampler == {"class": "RandomSampler", "failure": "ValueError"}
    with pytest.raises(RunNotOpen, match="is incomplete"):
        finish_run(run=run, result=result(), now=now)
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize("used", [BitMap([6]), BitMap([0])])
def test_a_run_that_cannot_be_closed_leaves_no_weights(taken, now, used):
    run = opened(taken, now) if 6 in used else begin_run(plan=RunPlan(activity="TRAIN"), now=now)
    with pytest.raises(OrdinalsUnknown if 6 in used else TrainingSnapshotUnclear):
        finish_run(run=run, result=result(used=used), now=now)
    run.refresh_from_db()
    assert run.state == "RUNNING"
    assert Artefact.objects.get().destroyed_at == now
    assert artifacts.listing("objects") == []


def test_weights_that_were_not_kept_leave_no_file(taken, now):
    run = opened(taken, now)
    version = finish_run(run=run, result=RunResult(model_name="s", weights=b""), now=now)
    assert not version.artefacts.exists()
    with pytest.raises(artifacts.ArtefactMissing, match="s v1 has no stored weights"):
        weights_of(version)


# --- born affected --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_record_stopped_while_a_run_is_open_makes_its_version_born_affected(
    taken, now, stop, state
):
    run = opened(taken, now)
    stop(case_id=CASE, space=taken.space, ordinals=BitMap([3, 5]), now=now)
    version = finish_run(run=run, result=result(), now=now)
    assert (version.state, version.invalidated_at) == (state, now)
    assert version.metrics["born_affected"] is True
    assert version.metrics["barred_records_used"] == 2


@pytest.mark.parametrize(("stop", "state"), [(restrict, "ACTIVE"), (erase_records, "QUARANTINED")])
def test_what_may_know_who_waits_is_tainted_by_the_erased_alone(taken, now, stop, state):
    run = opened(taken, now)
    stop(case_id=CASE, space=taken.space, ordinals=BitMap([3, 5]), now=now)
    version = finish_run(run=run, result=result(waiting=True), now=now)
    assert version.state == state
    if state == "ACTIVE":
        assert versions.release(version=version, waiting=True).state == "ACTIVE"
        with pytest.raises(VersionNotReleasable, match="trained on 2 records"):
            versions.release(version=version)


def test_what_was_not_used_does_not_taint(taken, now):
    run = opened(taken, now)
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=now)
    version = finish_run(run=run, result=result(used=BitMap([0, 1])), now=now)
    assert version.state == "ACTIVE"
    assert "born_affected" not in version.metrics


def test_a_base_withdrawn_while_a_run_is_open_makes_its_version_born_affected(taken, now):
    first = trained("m", now, data(taken))
    run = begin_run(plan=RunPlan(activity="FINE_TUNE", inputs=(base(first),)), now=now)
    versions.withdraw(version=first, by_case=CASE, now=now)
    version = finish_run(run=run, result=result("n"), now=now)
    assert version.state == "WITHDRAWN"
    assert version.metrics["sources_out_of_use"] == ["m v1"]


def test_unlearning_may_start_from_a_withdrawn_version(taken, now):
    first = trained("m", now, data(taken))
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=now)
    versions.withdraw(version=first, by_case=CASE, now=now)
    clean = trained("m", now, base(first), data(taken), activity="UNLEARN", used=BitMap([0]))
    assert clean.state == "ACTIVE"
    with pytest.raises(SourceNotUsable, match="m v1 is withdrawn; a FINE_TUNE run cannot start"):
        trained("n", now, base(first), activity="FINE_TUNE")
    versions.destroy_version(version=first, by_case=CASE, now=now)
    with pytest.raises(SourceNotUsable, match="m v1 is destroyed"):
        trained("n", now, base(first), activity="UNLEARN")


# --- release, withdraw, destroy -------------------------------------------------------------


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


# --- what a dead process leaves -------------------------------------------------------------


def test_weights_of_a_process_that_died_are_swept(taken, now, monkeypatch):
    def die(**_: object):
        raise KeyboardInterrupt

    run = opened(taken, now)
    monkeypatch.setattr("lineage.services.runs.close_with_version", die)
    monkeypatch.setattr("lineage.services.runs.destroy_artefact", lambda **_: None)
    with pytest.raises(KeyboardInterrupt):
        finish_run(run=run, result=result(), now=now)
    monkeypatch.undo()
    kept = trained("kept", now, data(taken))
    artifacts.stage(b"half an import")
    artifacts.put(b"nobody's")
    artifacts.write_record(taken.space_id, 99, b"no row")
    early = sweep_store(now=now.replace(year=2020))
    assert (early.staging, early.records, early.objects) == (0, 0, 0)
    swept = sweep_store(now=now.replace(year=2200))
    assert (swept.staging, swept.records, swept.objects) == (1, 1, 1)
    assert Artefact.objects.get(version=None).destroyed_at is not None
    assert weights_of(kept)
    assert len(artifacts.listing("records")) == 6
    assert len(artifacts.listing("objects")) == 1


def test_weights_of_a_try_that_died_do_not_outlive_the_version_that_the_next_one_made(taken, now):
    store_artefact(kind=Artefact.Kind.WEIGHTS, data=b"weights", now=now)
    version = finish_run(run=opened(taken, now), result=result(), now=now)
    artefact = Artefact.objects.get()
    assert artefact.version == version
    assert destroy_artefact(artefact=artefact, now=now).file_removed


def test_two_runs_that_make_the_same_weights_at_once_have_a_row_each(taken, now, monkeypatch):
    shared = store_artefact(kind=Artefact.Kind.WEIGHTS, data=b"weights", now=now)
    first = finish_run(run=opened(taken, now), result=result(), now=now)
    told = iter([shared])
    real = store_artefact
    monkeypatch.setattr(
        "lineage.services.runs.store_artefact", lambda **named: next(told, None) or real(**named)
    )
    second = finish_run(run=opened(taken, now), result=result(), now=now)
    assert {one.version for one in Artefact.objects.all()} == {first, second}
