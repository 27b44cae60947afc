"""Trainings in loops of other libraries are captured as in one of our own."""

from __future__ import annotations

import json
import os
import re
import tomllib
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, Dataset, IterableDataset

from expunge import capture
from expunge.capture import RecordsRestricted
from expunge.integrations import hooks, lightning, mlflow, transformers
from expunge.integrations.hooks import Hooks, NotPossibleHere, numbers
from expunge.integrations.sklearn import NotArrays, captured

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ORDINALS = [10, 11, 12, 13, 14, 15]
PLUGINS = "mlflow.run_context_provider"


class Records(Dataset[Any]):
    """Six rows of which the last is never drawn, with ``drop_last`` and batches of five."""

    ordinals = ORDINALS

    def __len__(self) -> int:
        return len(ORDINALS)

    def __getitem__(self, place) -> dict[str, torch.Tensor]:
        x = torch.tensor([float(place), 1.0])
        return {"x": x, "labels": x.sum()}


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        yield from ({"x": torch.ones(2), "labels": torch.ones(()), "id": one} for one in ORDINALS)


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(2, 1)

    def forward(self, x, labels=None):
        loss = (self.head(x).squeeze(-1) - labels).square().mean()
        return {"loss": loss, "logits": self.head(x)}


class Told:
    """A sink that remembers."""

    snapshot = "snapshot-7"

    def __init__(self, restricted=0) -> None:
        self.restricted, self.failed = restricted, ""
        self.finished: Any = None

    def begin(self, start):
        self.start = start
        return "run-1"

    def finish(self, run, finish):
        self.finished = finish
        return "version-1"

    def fail(self, run, reason):
        self.failed = reason

    def check(self, run):
        return self.restricted

    @property
    def used(self):
        return list(self.finished.used)

    @property
    def names(self):
        return set(load(self.finished.weights))


def needs(package):
    """Skip where a package is not installed, without importing it; fail in `make integrations`."""
    if find_spec(package) is None:
        missing(f"{package} is not installed here.")


def missing(reason):
    if "EXPUNGE_TEST_INTEGRATIONS" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


def loader(*, shuffle=False):
    return DataLoader(Records(), batch_size=4, drop_last=True, shuffle=shuffle)


# --- what all callbacks share ------------------------------------------------------------------


def test_what_a_foreign_loop_draws_is_captured_and_its_loader_given_back():
    sink, model, lent = Told(), Model(), loader()
    before = lent.batch_sampler
    hooked = Hooks(sink=sink, first_steps=True)
    hooked.begin(lent)
    for batch in lent:
        hooked.saw(batch)
    hooked.end(model, {"loss": torch.tensor(0.5), "name": "x", "ok": True})
    assert sink.used == [10, 11, 12, 13]
    assert list(sink.finished.first_steps) == [0, 0, 0, 0]
    assert sink.names == {"head.weight", "head.bias"}
    assert sink.finished.metrics == {"loss": 0.5}
    assert lent.batch_sampler is before


def test_batches_name_their_records_where_no_sampler_does():
    sink = Told()
    hooked = Hooks(sink=sink, batch_ids=lambda batch: batch["id"].tolist())
    data = DataLoader(Endless(), batch_size=4)
    hooked.begin(data)
    for batch in data:
        hooked.saw(batch)
        break
    hooked.end(Model(), {})
    assert sink.used == ORDINALS[:4]


def test_a_training_whose_records_are_restricted_is_stopped():
    sink = Told(restricted=2)
    hooked = Hooks(sink=sink)
    hooked.begin(loader())
    with pytest.raises(RecordsRestricted, match="2 records") as stopped:
        hooked.saw(None)
    hooked.fail(stopped.value)
    assert (sink.failed, sink.finished) == ("RecordsRestricted", None)


def test_one_callback_captures_one_training():
    hooked = Hooks(sink=Told())
    hooked.begin(loader())
    with pytest.raises(NotPossibleHere, match="make one per training"):
        hooked.begin(loader())


def test_workers_that_run_already_cannot_be_watched():
    data = loader()
    vars(data)["_iterator"] = object()
    with pytest.raises(NotPossibleHere, match="workers of the loader run already"):
        hooks.lend(data, data)


def test_tied_weights_are_both_written():
    model = Model()
    model.other = model.head
    assert set(load(hooks.state_of(model))) == {
        f"{part}.{name}" for part in ("head", "other") for name in ("weight", "bias")
    }


def test_only_numbers_are_metrics():
    told = {"a": 1, "b": torch.ones(1), "c": torch.ones(2), "d": True, "e": np.float32(2)}
    assert numbers(told) == {"a": 1.0, "b": 1.0, "e": 2.0}


# --- Lightning ---------------------------------------------------------------------------------


class Lightning:
    """As much of a trainer as is asked, in the order that Lightning documents for its hooks."""

    def __init__(self, events) -> None:
        self.training, self.strategy, self.events = True, self, events
        self.callback_metrics = {"loss": torch.tensor(0.1)}
        events.setup(self, None, "fit")

    def process_dataloader(self, loader):
        return loader

    def fit(self, model, *loaders: DataLoader[Any]):
        try:
            first, *_ = [iter(self.strategy.process_dataloader(one)) for one in loaders]
            self.events.on_train_start(self, model)
            for place, batch in enumerate(first):
                self.events.on_train_batch_start(self, model, batch, place)
            self.events.on_train_end(self, model)
        except BaseException as error:
            self.events.on_exception(self, model, error)
            raise
        finally:
            self.events.teardown(self, model, "fit")


def test_the_events_of_lightning_capture_a_training():
    sink = Told()
    Lightning(lightning._Events(sink=sink)).fit(Model(), loader())
    assert sink.used == [10, 11, 12, 13]
    assert sink.finished.metrics == {"loss": pytest.approx(0.1)}


def test_the_loader_of_a_validation_is_not_captured():
    sink = Told()
    trainer = Lightning(lightning._Events(sink=sink))
    trainer.training = False
    list(trainer.strategy.process_dataloader(loader()))
    trainer.training = True
    trainer.fit(Model(), loader())
    assert sink.used == [10, 11, 12, 13]


def test_lightning_names_the_records_of_batches_where_no_sampler_does():
    sink = Told()
    events = lightning._Events(sink=sink, batch_ids=lambda batch: batch["id"].tolist())
    Lightning(events).fit(Model(), DataLoader(Endless(), batch_size=4))
    assert sink.used == ORDINALS


def test_lightning_says_when_a_training_raised():
    sink = Told(restricted=1)
    with pytest.raises(RecordsRestricted):
        Lightning(lightning._Events(sink=sink)).fit(Model(), loader())
    assert (sink.failed, sink.finished) == ("RecordsRestricted", None)


def test_a_fit_that_trains_nothing_leaves_no_open_run():
    sink = Told()
    events = lightning._Events(sink=sink)
    trainer = Lightning(events)
    trainer.strategy.process_dataloader(loader())
    events.teardown(trainer, None, "fit")
    assert sink.failed == "NOT_FINISHED"


def test_several_loaders_of_lightning_are_refused():
    sink = Told()
    with pytest.raises(NotPossibleHere, match="draws from several loaders"):
        Lightning(lightning._Events(sink=sink)).fit(Model(), loader(), loader())
    assert sink.failed == "NotPossibleHere"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("raises", [False, True])
def test_the_real_lightning_is_captured(tmp_path, raises):
    needs("lightning")
    from unlearning.core.vision import torchvision  # noqa: F401  (before Lightning looks for it)

    pl = import_module("lightning.pytorch")

    class Module(pl.LightningModule):  # type: ignore[misc, name-defined]  # may not be here
        def __init__(self) -> None:
            super().__init__()
            self.net = Model()

        def training_step(self, batch):
            if raises:
                raise ZeroDivisionError
            loss = self.net(**batch)["loss"]
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    sink = Told()
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[lightning.capture_callback(sink=sink)],
    )
    if raises:
        with pytest.raises(ZeroDivisionError):
            trainer.fit(Module(), loader(shuffle=True))
        assert sink.failed == "ZeroDivisionError"
        return
    drawn = loader(shuffle=True)
    trainer.fit(Module(), drawn)
    assert 4 <= len(sink.used) <= 6
    assert sink.finished.sampler["epochs"] == 2
    assert sink.names == {"net.head.weight", "net.head.bias"}
    assert set(sink.finished.metrics) == {"loss"}


# --- transformers ------------------------------------------------------------------------------


def test_the_events_of_a_trainer_capture_a_training():
    """A small loop in the order that transformers documents for its callbacks."""
    sink, model, data = Told(), Model(), loader()
    events = transformers._Events(sink=sink)
    adapter = SimpleNamespace(base_dataloader=data)
    state = SimpleNamespace(log_history=[{"loss": 0.3}, {"loss": 0.2, "epoch": 1}])
    events.on_train_begin(None, state, None, train_dataloader=adapter, model=model)
    for _ in data:
        events.on_step_end(None, state, None, train_dataloader=adapter, model=model)
    events.on_train_end(None, state, None, model=model)
    assert sink.used == [10, 11, 12, 13]
    assert sink.finished.metrics == {"loss": 0.2, "epoch": 1.0}


def test_a_trainer_that_raises_is_told_at_once_in_a_with_block():
    sink = Told()
    events = transformers._Events(sink=sink)
    with pytest.raises(ZeroDivisionError), events:
        train_with_a_trainer_that_raises(events)
    assert sink.failed == "ZeroDivisionError"


def train_with_a_trainer_that_raises(events):
    events.on_train_begin(None, None, None, train_dataloader=loader(), model=None)
    raise ZeroDivisionError


def test_a_trainer_shows_no_batches():
    with pytest.raises(NotPossibleHere, match="shows its callbacks no batch"):
        transformers.capture_callback(sink=Told(), batch_ids=list)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_real_trainer_is_captured(tmp_path):
    needs("accelerate")
    from unlearning.core.vision import torchvision  # noqa: F401  (before it is looked for)

    library = import_module("transformers")
    sink = Told()
    arguments = library.TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        dataloader_drop_last=True,
        num_train_epochs=2,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        logging_steps=1,
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    library.Trainer(
        model=Model(),
        args=arguments,
        train_dataset=Records(),
        callbacks=[transformers.capture_callback(sink=sink)],
    ).train()
    assert 4 <= len(sink.used) <= 6
    assert sink.finished.sampler["epochs"] == 2
    assert sink.names == {"head.weight", "head.bias"}
    assert "loss" in sink.finished.metrics


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


# --- what the page says -----------------------------------------------------------------------


def test_what_the_page_adds_to_a_script_can_be_imported():
    page = (ROOT / "docs" / "capture.md").read_text()
    added = re.findall(r"^\+(from expunge\S* import .*)$", page, re.MULTILINE)
    assert len(added) == 5
    for line in added:
        exec(line, {})
