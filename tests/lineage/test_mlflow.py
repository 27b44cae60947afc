"""A real MLflow store comes in, once, and is honest about what it does not know."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pyroaring import BitMap

from lineage.models import Dataset, ModelVersion, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.mlflow_import import import_store, opened
from lineage.services.mlflow_names import store_of
from lineage.services.purge import erase_records
from tests.lineage.builders import filled, snapshot

pytestmark = pytest.mark.django_db


def log_training_data(client, run, name, context="training"):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = Dataset(name=name, digest="abc12345", source_type="local", source="x")
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", context)])])


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The file of an empty store: MLflow takes seconds to make one."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    file.touch()
    with opened(f"sqlite:///{file}"):
        return file


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


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


# --- several stores ---------------------------------------------------------------------------


@pytest.fixture
def store_with(tmp_path, empty):
    """Makes a store with one model, and with the run of it unless no data set is named."""

    def make(store, dataset, model="clf"):
        folder = tmp_path / store
        folder.mkdir()
        shutil.copy(empty, folder / "mlflow.db")
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        with opened(uri) as client:
            run = None
            if dataset:
                experiment = client.create_experiment("e", artifact_location=str(folder))
                run = client.create_run(experiment).info.run_id
                log_training_data(client, run, dataset)
            client.create_registered_model(model)
            client.create_model_version(model, source=str(folder), run_id=run)
        return uri

    return make


def possibly(dataset):
    return sorted(str(version) for version in affected(dataset.space, BitMap([0])).unknown)


def test_one_name_in_two_stores_is_two_models_however_often_they_are_read(now, store_with):
    faces, voices = filled("faces", 2, now), filled("voices", 2, now)
    stores = store_with("a", "faces"), store_with("b", "voices")
    reports = [import_store(uri=uri, now=now) for uri in (*stores, *stores)]
    assert [report.versions for report in reports] == [1, 1, 0, 0]
    assert (possibly(faces), possibly(voices)) == (["clf v1"], ["clf v2"])


def test_long_names_that_begin_alike_are_two_models(now, store_with):
    faces, voices = filled("faces", 2, now), filled("voices", 2, now)
    for store, dataset in (("a", "faces"), ("b", "voices")):
        uri = store_with(store, dataset, "x" * 199 + store)
        reports = [import_store(uri=uri, store="one", now=now) for _ in range(2)]
        assert [report.versions for report in reports] == [1, 0]
    assert len(possibly(faces)) == len(possibly(voices)) == 1
    assert ModelVersion.objects.values("model_name").distinct().count() == 2
    assert {len(one.external_id) <= 200 for one in ModelVersion.objects.all()} == {True}


def test_what_was_known_without_its_store_is_found_again_and_taken_for_no_other(now, store_with):
    faces, voices = filled("faces", 2, now), filled("voices", 2, now)
    first, second = store_with("a", "faces"), store_with("b", "voices")
    import_store(uri=first, now=now)
    ModelVersion.objects.update(external_id="mlflow:clf/1")
    assert [import_store(uri=uri, now=now).versions for uri in (second, first)] == [1, 0]
    assert not ModelVersion.objects.filter(external_id="mlflow:clf/1").exists()
    assert (possibly(faces), possibly(voices)) == (["clf v1"], ["clf v2"])


def test_a_version_without_a_run_is_found_again_by_its_former_name(now, store_with):
    (first, second), voices = (
        (store_with("a", ""), store_with("b", "voices")),
        filled("voices", 2, now),
    )
    import_store(uri=first, now=now)
    ModelVersion.objects.update(external_id="mlflow:clf/1")
    assert [import_store(uri=uri, now=now).versions for uri in (second, first)] == [1, 0]
    assert possibly(voices) == ["clf v1", "clf v2"]


def test_a_store_that_moved_is_known_by_the_name_that_it_was_given(now, store_with, tmp_path):
    filled("faces", 2, now)
    uri = store_with("a", "faces")
    import_store(uri=uri, now=now)
    (tmp_path / "a").rename(tmp_path / "c")
    moved = uri.replace("/a/", "/c/")
    assert import_store(uri=moved, store=uri, now=now).versions == 0
    call_command("import_mlflow", moved, store="team")
    call_command("import_mlflow", moved, store="team")
    assert ModelVersion.objects.count() == 2


SAME = [
    ("https://Host.example/", "https://user:word@host.example:443"),
    ("postgresql+psycopg2://a:b@db/mlflow", "postgres://c@db:5432/mlflow?sslmode=require"),
    ("sqlite:///mlflow.db", "sqlite:///./x/../mlflow.db?timeout=5"),
    ("file:///srv/runs/", "file:///srv/runs"),
    ("databricks", "databricks"),
]
OTHER = [
    ("https://host.example", "https://host.example:8443"),
    ("https://host.example/a", "https://host.example/b"),
    (
        "postgresql://db/mlflow?options=-csearch_path=a",
        "postgresql://db/mlflow?options=-csearch_path=b",
    ),
    ("sqlite:///a.db", "sqlite:////a.db"),
    ("team", "databricks"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_store_is_one_however_its_address_is_written(one, other):
    assert store_of(one) == store_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_stores_that_differ_have_names_that_differ(one, other):
    assert store_of(one) != store_of(other)


def test_the_name_of_a_store_holds_no_credentials():
    uri = "postgresql://ada:s3cret@db/mlflow?password=s3cret&user=ada&options=x"
    assert store_of(uri) == "postgresql://db/mlflow?options=x"


@pytest.mark.parametrize("uri", ["sqlite:///no/such/file.db", "ftp://example.org/x"])
def test_what_is_no_store_ends_in_a_sentence(uri):
    with pytest.raises(CommandError, match=r"no MLflow store at|store cannot be read"):
        call_command("import_mlflow", uri)


def test_without_mlflow_the_command_says_what_to_install(monkeypatch, store, tmp_path):
    (tmp_path / "mlflow.db").touch()
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(CommandError, match="pip install"):
        call_command("import_mlflow", store)
