"""Trainings in loops of other libraries are captured as in one of our own."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from torch.utils.data import DataLoader

from expunge.capture import RecordsRestricted
from expunge.integrations import hooks
from expunge.integrations.hooks import Hooks, NotPossibleHere, numbers
from tests.expunge.integrations.loops import ORDINALS, ROOT, Endless, Model, Told, loader

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


# --- what the page says -----------------------------------------------------------------------


def test_what_the_page_adds_to_a_script_can_be_imported():
    page = (ROOT / "docs" / "capture.md").read_text()
    added = re.findall(r"^\+(from expunge\S* import .*)$", page, re.MULTILINE)
    assert len(added) == 5
    for line in added:
        exec(line, {})
