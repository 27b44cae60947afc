"""A training of Lightning is captured by its events."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from expunge.capture import RecordsRestricted
from expunge.integrations import lightning
from expunge.integrations.hooks import NotPossibleHere
from tests.expunge.integrations.loops import ORDINALS, Endless, Model, Told, loader, needs


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
