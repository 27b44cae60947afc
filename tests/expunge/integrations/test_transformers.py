"""A training of transformers is captured by its events."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest

from expunge.integrations import transformers
from expunge.integrations.hooks import NotPossibleHere
from tests.expunge.integrations.loops import Model, Records, Told, loader, needs


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
