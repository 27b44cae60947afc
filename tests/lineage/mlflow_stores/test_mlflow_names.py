"""Several MLflow stores: each known again, and no two taken for one."""

from __future__ import annotations

import shutil
import sys

import pytest
from django.core.management import CommandError, call_command
from pyroaring import BitMap

from lineage.models import ModelVersion
from lineage.queries.closure import affected
from lineage.services.mlflow_import import import_store, opened
from lineage.services.mlflow_names import store_of
from tests.lineage.builders import filled
from tests.lineage.mlflow_stores.tracking import log_training_data

pytestmark = pytest.mark.django_db


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
