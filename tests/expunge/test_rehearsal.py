"""A rehearsed training keeps what would be reported, and sends nothing."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from expunge import training
from expunge.rehearsal import Rehearsal


def loader() -> DataLoader[tuple[torch.Tensor, ...]]:
    return DataLoader(TensorDataset(torch.arange(6)), batch_size=2)


def test_what_a_training_used_and_wrote_is_kept():
    sink = Rehearsal()
    with training(loader(), sink=sink, ordinals=range(10, 16)) as captured:
        for _ in captured.loader:
            captured.check()
        version = captured.finish(weights=b"w", metrics={"loss": 0.5})
    assert captured.run == sink.run
    assert version == captured.version != sink.run
    assert sink.started
    assert sink.finished
    assert list(sink.finished.used) == [10, 11, 12, 13, 14, 15]
    assert (sink.finished.weights, sink.finished.metrics) == (b"w", {"loss": 0.5})
    assert sink.started.environment
    assert sink.failed == ""


def test_one_that_breaks_is_told_by_its_reason_and_the_next_begins_anew():
    sink = Rehearsal()
    with pytest.raises(ZeroDivisionError), training(loader(), sink=sink, ordinals=range(6)):
        raise ZeroDivisionError
    assert (sink.failed, sink.finished) == ("ZeroDivisionError", None)
    first = sink.run
    with training(sink=sink) as captured:
        captured.used([3])
        captured.finish(weights=b"")
    assert sink.failed == ""
    assert first != sink.run
