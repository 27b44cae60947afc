"""A run leaves a version with edges and weights, or nothing."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage import artifacts
from lineage.models import Artefact, LineageEdge, ModelVersion, Role, RunOutput
from lineage.queries.artefacts import weights_of
from lineage.queries.membership import members
from lineage.services.artefacts import destroy_artefact, store_artefact
from lineage.services.run_closing import RunNotOpen, TrainingSnapshotUnclear
from lineage.services.runs import RunPlan, RunResult, begin_run, fail_run, finish_run
from lineage.services.snapshots import OrdinalsUnknown
from lineage.services.sweeping import sweep_store
from tests.lineage.builders import base, data, trained
from tests.lineage.runs.opening import opened, result

pytestmark = pytest.mark.django_db


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
