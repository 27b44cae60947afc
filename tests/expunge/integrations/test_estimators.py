"""An estimator of scikit-learn, and a run that MLflow tracks, are captured."""

from __future__ import annotations

import json
import tomllib
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from expunge import capture
from expunge.integrations import mlflow
from expunge.integrations.sklearn import NotArrays, captured
from tests.expunge.integrations.loops import ROOT, Told, missing, needs

PLUGINS = "mlflow.run_context_provider"

# --- scikit-learn ------------------------------------------------------------------------------


X = np.array([[0.0], [1.0], [2.0], [3.0]])


def test_an_estimator_is_captured_with_all_that_it_learned():
    sink = Told()
    model = captured(LogisticRegression(), sink=sink)
    model.fit(X, ["a", "a", "b", "b"], ordinals=[4, 5, 6, 9])
    assert model.version == "version-1"
    assert sink.used == [4, 5, 6, 9]
    assert {"coef_", "intercept_"} <= sink.names
    header = json.loads(
        sink.finished.weights[8 : 8 + int.from_bytes(sink.finished.weights[:8], "little")]
    )
    assert json.loads(header["__metadata__"]["classes_"]) == ["a", "b"]
    assert model.predict(X).tolist() == ["a", "a", "b", "b"]


def test_what_is_more_than_arrays_needs_weights():
    sink = Told()
    with pytest.raises(NotArrays, match=r"RandomForestClassifier\.\w+ is a .* Give weights="):
        captured(RandomForestClassifier(2), sink=sink).fit(X, [0, 0, 1, 1], ordinals=range(4))
    assert sink.failed == "NotArrays"


# --- MLflow ------------------------------------------------------------------------------------


@pytest.fixture
def autologged():
    mlflow.autolog()
    mlflow.autolog()  # again, it changes nothing
    yield
    mlflow.autolog(disable=True)
    assert capture.around_sinks == []


class Tracker:
    """As much of MLflow as is asked."""

    def __init__(self) -> None:
        self.active: Any = None
        self.tagged: dict[str, str] = {}
        self.params = {"lr": "0.1"}

    def active_run(self):
        return self.active

    def MlflowClient(self):
        return self

    def set_tag(self, run, tag, value):
        self.tagged[tag] = value

    def get_run(self, run):
        return SimpleNamespace(data=SimpleNamespace(params=self.params))

    def start(self):
        self.active = SimpleNamespace(info=SimpleNamespace(run_id="m1"))


@pytest.fixture
def tracker(monkeypatch):
    made = Tracker()
    monkeypatch.setattr(mlflow, "import_module", {"mlflow": made}.__getitem__)
    return made


def train(sink, inside=lambda: None):
    with capture.training(sink=sink) as training:
        inside()
        training.used([1, 2])
        training.finish(weights=b"", metrics={"loss": 1})


@pytest.mark.usefixtures("autologged")
@pytest.mark.parametrize("first", ["mlflow", "capture"])
def test_a_run_of_mlflow_and_a_captured_training_name_one_another(tracker, first):
    sink = Told()
    if first == "mlflow":
        tracker.start()
    train(sink, inside=tracker.start)
    assert tracker.tagged["expunge.run"] == "run-1"
    assert tracker.tagged["expunge.version"] == "version-1"
    assert ("expunge.snapshot" in tracker.tagged) == (first == "mlflow")
    about = {"run": "m1", "parameters": {"lr": "0.1"}}
    assert sink.finished.metrics == {"loss": 1, "mlflow": about}


@pytest.mark.usefixtures("autologged")
def test_a_tracker_that_fails_costs_no_training(monkeypatch, caplog):
    def broken(name):
        raise RuntimeError("secret of the store")

    monkeypatch.setattr(mlflow, "import_module", broken)
    sink = Told()
    train(sink)
    assert sink.finished.metrics == {"loss": 1}
    assert "MLflow was not told expunge.run: RuntimeError." in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.usefixtures("autologged", "tracker")
def test_runs_that_are_begun_inside_a_training_are_tagged_by_the_plugin():
    (plugin,) = entry_points_of_this_checkout()
    context = plugin.load()()
    seen = []
    train(Told(), inside=lambda: seen.append((context.in_context(), context.tags())))
    assert seen == [(True, {"expunge.run": "run-1"})]
    assert not context.in_context()


@pytest.mark.slow
@pytest.mark.usefixtures("autologged")
def test_the_real_mlflow_finds_the_plugin():
    needs("mlflow")
    if not entry_points(group=PLUGINS, name="expunge"):
        missing("This checkout is not installed here.")
    tags = import_module("mlflow.tracking.context.registry").resolve_tags
    seen = []
    train(Told(), inside=lambda: seen.append(tags()))
    assert seen[0]["expunge.run"] == "run-1"
    assert "expunge.run" not in tags()


def entry_points_of_this_checkout():
    """What pyproject.toml declares, also where this checkout is not installed."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [
        EntryPoint(name, value, PLUGINS)
        for name, value in told["project"]["entry-points"][PLUGINS].items()
    ]
