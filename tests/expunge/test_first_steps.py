"""The first step of each record equals what a loop over the batches finds."""

from __future__ import annotations

from typing import Any

import pytest
from torch.utils.data import DataLoader, Subset

from expunge import capture
from expunge.sampling import CaptureNotPossible
from tests.expunge.test_replay import SAMPLERS, SIZE, Keeps, Positions


class Twice(Positions):
    """Positions p and p + 12 hold the same record."""

    ordinals = [3 * (position % 12) for position in range(SIZE)]


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("data", [Positions, Twice])
def test_first_steps_equal_those_of_a_loop(name, data):
    sink, step = Keeps(), 0
    expected: dict[int, int] = {}
    loader: Any = DataLoader(data(), batch_size=4, **SAMPLERS[name]())
    with capture.training(loader, sink=sink, first_steps=True) as captured:
        for stop in (3, 99):  # the first pass ends early
            for number, batch in enumerate(captured.loader):
                for position in batch.tolist():
                    expected.setdefault(data.ordinals[position], step)
                step += 1
                if number == stop:
                    break
        captured.finish(weights=b"w")
    (finish,) = sink.finished
    assert dict(zip(finish.used, finish.first_steps.tolist(), strict=True)) == expected


def test_records_named_by_hand_count_from_the_first_step():
    sink = Keeps()
    loader: Any = DataLoader(Subset(Positions(), [4, 5, 6]), batch_size=1)
    with capture.training(loader, sink=sink, first_steps=True) as captured:
        list(captured.loader)
        captured.used([2, 6])
        captured.finish(weights=b"w")
    (finish,) = sink.finished
    assert list(zip(finish.used, finish.first_steps, strict=True)) == [
        (2, 0),
        (4, 0),
        (5, 1),
        (6, 0),
    ]


def test_nobody_asked_so_nothing_is_kept():
    sink = Keeps()
    with capture.training(DataLoader(Positions()), sink=sink) as captured:
        list(captured.loader)
        captured.finish(weights=b"w")
        with pytest.raises(CaptureNotPossible, match="first_steps=True"):
            captured._watched.steps()  # type: ignore[union-attr]
    assert sink.finished[0].first_steps is None
