"""A real MLflow store comes in, once, and is honest about what it does not know."""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from pyroaring import BitMap

from lineage.models import Dataset, ModelVersion, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.mlflow_import import import_store, opened
from lineage.services.purge import erase_records
from tests.lineage.builders import filled, snapshot
from tests.lineage.mlflow_stores.tracking import log_training_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracked(store, tmp_path, empty):
    """Log a run with its data set and register its model; yields the client."""
    shutil.copy(empty, tmp_path / "mlflow.db")
    with opened(store) as client:
        experiment = client.create_experiment("faces", artifact_location=str(tmp_path / "art"))

        def log_data(run, name, context="training"):
            log_training_data(client, run, name, context)

        def log(name, *, context="training", tags=None, of_version=None):
            run = client.create_run(experiment, tags=tags or {}).info.run_id
            log_data(run, "faces", context)
            client.set_terminated(run)
            client.create_registered_model(name)
            return client.create_model_version(
                name, source=str(tmp_path), run_id=run, tags=of_version
            )

        client.log_all, client.log_data = log, log_data
        yield client


def test_a_version_from_mlflow_is_possibly_affected(now, store, tracked):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    tracked.log_all("m")
    report = import_store(uri=store, now=now)
    assert (report.runs, report.versions) == (1, 1)
    version = ModelVersion.objects.get()
    file = str(Path(store.removeprefix("sqlite:///")).resolve()).replace("/", "%2F")
    assert (str(version), version.external_id) == ("m v1", f"mlflow:sqlite:{file}/m#1")
    assert affected(dataset.space, BitMap([0])).unknown == (version,)
    assert affected(other.space, BitMap([0])).not_affected == (version,)
    run = Run.objects.get()
    assert (run.state, run.capture_level, str(run.procedure)) == (
        "COMPLETE",
        "NONE",
        "mlflow/faces",
    )


def test_a_run_that_names_a_snapshot_of_ours_is_known(now, store, tracked):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now, [1])
    tracked.log_all("m", tags={"expunge.snapshot": taken.digest})
    import_store(uri=store, now=now)
    (hit,) = affected(dataset.space, BitMap([1])).versions
    assert str(hit.version) == "m v1"
    closure = affected(dataset.space, BitMap([0]))
    assert (closure.versions, closure.unknown) == ((), ())


@pytest.mark.parametrize("of", ["run", "version"])
@pytest.mark.parametrize("key", ["digest", "id"])
def test_a_run_that_read_a_snapshot_before_a_hard_purge_read_what_was_erased(
    now, store, tracked, of, key
):
    taken = snapshot(filled("faces", 3, now), now, [0, 1])
    tags = {"expunge.snapshot": str(getattr(taken, key))}
    tracked.log_all("m", **{"tags" if of == "run" else "of_version": tags})
    later = datetime.now(UTC)
    erase_records(
        case_id=uuid.UUID(int=7), space=taken.space, ordinals=BitMap([0]), now=later, hard=True
    )
    for _ in range(2):
        import_store(uri=store, now=later)
        version = ModelVersion.objects.select_related("generated_by").get()
        assert version.generated_by.capture_level == "SNAPSHOT"
        assert version.state == "QUARANTINED"
        for ordinal in (0, 1):
            assert [hit.version for hit in affected(taken.space, BitMap([ordinal])).versions]
        answer = affected(taken.space, BitMap([2]))
        assert (answer.versions, answer.unknown) == ((), ())


def test_a_snapshot_that_a_model_version_names_is_that_of_its_run(now, store, tracked):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now, [1])
    tracked.log_all("m", of_version={"expunge.snapshot": str(taken.id)})
    import_store(uri=store, now=now)
    assert [str(hit.version) for hit in affected(dataset.space, BitMap([1])).versions] == ["m v1"]
    assert affected(dataset.space, BitMap([0])).unknown == ()


def test_a_snapshot_tag_speaks_for_a_version_without_a_run_whenever_it_is_set(
    now, store, tracked, tmp_path
):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now, [1])
    tracked.create_registered_model("m")
    tracked.create_model_version("m", source=str(tmp_path))
    import_store(uri=store, now=now)
    assert [str(v) for v in affected(dataset.space, BitMap([0])).unknown] == ["m v1"]
    tracked.set_model_version_tag("m", "1", "expunge.snapshot", taken.digest)
    import_store(uri=store, now=now)
    assert affected(dataset.space, BitMap([0])).unknown == ()
    assert [str(hit.version) for hit in affected(dataset.space, BitMap([1])).versions] == ["m v1"]


def test_one_snapshot_does_not_speak_for_another_data_set(now, store, tracked):
    dataset, other = filled("faces", 3, now), filled("voices", 3, now)
    taken, heard = snapshot(dataset, now, [1]), snapshot(other, now, [2])
    version = tracked.log_all("m", tags={"expunge.snapshot": taken.digest})
    tracked.log_data(version.run_id, "voices")
    import_store(uri=store, now=now)
    assert [str(v) for v in affected(other.space, BitMap([0])).unknown] == ["m v1"]
    tracked.set_tag(version.run_id, "expunge.snapshot", f"{taken.digest}, {heard.digest}")
    import_store(uri=store, now=now)
    assert Run.objects.get().capture_level == "SNAPSHOT"
    assert [str(hit.version) for hit in affected(other.space, BitMap([2])).versions] == ["m v1"]


def test_data_logged_after_the_first_import_comes_in_with_the_next(now, store, tracked):
    dataset, other = filled("faces", 3, now), filled("voices", 3, now)
    taken = snapshot(dataset, now, [1])
    version = tracked.log_all("m", tags={"expunge.snapshot": taken.digest})
    import_store(uri=store, now=now)
    assert [str(v) for v in affected(other.space, BitMap([0])).not_affected] == ["m v1"]
    tracked.log_data(version.run_id, "voices")
    report = import_store(uri=store, now=now)
    assert (report.runs, report.versions) == (0, 0)
    assert [str(v) for v in affected(other.space, BitMap([0])).unknown] == ["m v1"]


def test_a_name_in_two_namespaces_may_be_either(now, store, tracked):
    first = filled("faces", 3, now)
    space = filled("voices", 3, now).space
    Dataset.objects.create(namespace="lake", name="faces", space=space)
    tracked.log_all("m")
    import_store(uri=store, now=now)
    for one in (first.space, space):
        assert [str(v) for v in affected(one, BitMap([0])).unknown] == ["m v1"]


def test_validation_data_is_indirect(now, store, tracked):
    tracked.log_all("m", context="validation")
    import_store(uri=store, now=now)
    assert list(RunInput.objects.values_list("role", "influence")) == [("VALIDATION", "INDIRECT")]


def test_a_second_import_brings_only_what_changed(now, store, tracked, capsys):
    version = tracked.log_all("m")
    call_command("import_mlflow", store, "--json")
    assert json.loads(capsys.readouterr().out) == {"runs": 1, "versions": 1, "aliases": 0}
    call_command("import_mlflow", store, "--json")
    assert json.loads(capsys.readouterr().out) == {"runs": 0, "versions": 0, "aliases": 0}
    tracked.set_registered_model_alias("m", "champion", version.version)
    tracked.log_all("n")
    call_command("import_mlflow", store, "--json")
    assert json.loads(capsys.readouterr().out) == {"runs": 1, "versions": 1, "aliases": 1}
    assert ModelVersion.objects.get(model_name="m").aliases == ["champion"]
