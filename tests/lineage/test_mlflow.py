"""A real MLflow store comes in, once, and is honest about what it does not know."""

from __future__ import annotations

import json
import sys

import pytest
from django.core.management import CommandError, call_command
from pyroaring import BitMap

from lineage.models import ModelVersion, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.mlflow_import import import_store, opened
from tests.lineage.builders import filled, snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def tracked(store, tmp_path):
    """Log a run with its data set and register its model; yields the client."""
    (tmp_path / "mlflow.db").touch()
    with opened(store) as client:
        experiment = client.create_experiment("faces", artifact_location=str(tmp_path / "art"))

        def log(name, *, context="training", tags=None):
            from mlflow.entities import Dataset, DatasetInput, InputTag

            run = client.create_run(experiment, tags=tags or {}).info.run_id
            data = Dataset(name="faces", digest="abc12345", source_type="local", source="x")
            told = [DatasetInput(data, [InputTag("mlflow.data.context", context)])]
            client.log_inputs(run, told)
            client.set_terminated(run)
            client.create_registered_model(name)
            return client.create_model_version(name, source=str(tmp_path), run_id=run)

        client.log_all = log
        yield client


def test_a_version_from_mlflow_is_possibly_affected(now, store, tracked):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    tracked.log_all("m")
    report = import_store(uri=store, now=now)
    assert (report.runs, report.versions) == (1, 1)
    version = ModelVersion.objects.get()
    assert (str(version), version.external_id) == ("m v1", "mlflow:m/1")
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


@pytest.mark.parametrize("uri", ["sqlite:///no/such/file.db", "ftp://example.org/x"])
def test_what_is_no_store_ends_in_a_sentence(uri):
    with pytest.raises(CommandError, match=r"no MLflow store at|store cannot be read"):
        call_command("import_mlflow", uri)


def test_without_mlflow_the_command_says_what_to_install(monkeypatch, store, tmp_path):
    (tmp_path / "mlflow.db").touch()
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(CommandError, match="pip install"):
        call_command("import_mlflow", store)
