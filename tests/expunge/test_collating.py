"""An iterable data set names its records in its samples; what the script takes is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from expunge import capture
from expunge.sampling import CaptureNotPossible
from tests.expunge.test_replay import Keeps

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream(IterableDataset[dict[str, Any]]):
    """Twelve samples, shared among the workers."""

    def __init__(self, size=12, field="ordinal", offset=100) -> None:
        self.size, self.field, self.offset = size, field, offset

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for at in range(first, self.size, step):
            yield {self.field: self.offset + at, "x": float(at)}


def named(sample) -> int:
    return int(sample["x"]) + 500


def run(dataset, record_ids, *, stop=None, **options: Any):  # noqa: ANN401
    sink, taken = Keeps(), []
    loader: Any = DataLoader(dataset, **{"batch_size": 3, **options})
    with capture.training(loader, sink=sink, record_ids=record_ids, first_steps=True) as captured:
        for number, batch in enumerate(captured.loader):
            taken.append(batch)
            if number == stop:
                break
        captured.finish(weights=b"w")
    return sink.finished[0], taken


@pytest.mark.parametrize("workers", [0, 2])
def test_ids_travel_with_the_batch_from_any_worker(workers):
    finish, taken = run(Stream(), "ordinal", num_workers=workers)
    plain = list(DataLoader(Stream(), batch_size=3, num_workers=workers))
    assert [batch["x"].tolist() for batch in taken] == [batch["x"].tolist() for batch in plain]
    assert set(finish.used) == set(range(100, 112))
    assert (finish.sampler["class"], finish.sampler["draws"]) == ("consumed", 4)
    first = {
        ordinal: step for step, batch in enumerate(taken) for ordinal in batch["ordinal"].tolist()
    }
    assert finish.first_steps.tolist() == [first[ordinal] for ordinal in sorted(first)]


def test_nothing_that_was_drawn_ahead_is_recorded():
    finish, taken = run(Stream(60), "ordinal", stop=1, num_workers=2, prefetch_factor=4)
    assert set(finish.used) == {o for batch in taken for o in batch["ordinal"].tolist()}
    assert len(finish.used) == 6


def test_a_function_a_place_and_whole_batches_name_records():
    assert set(run(Stream(), named)[0].used) == set(range(500, 512))
    pairs: Any = [(torch.tensor(7), 1.0), (torch.tensor(9), 2.0)]
    assert set(run(pairs, 0, batch_size=None)[0].used) == {7, 9}
    batches: Any = [{"ordinal": torch.tensor([4, 5])}, {"ordinal": torch.tensor([5, 6])}]
    assert set(run(batches, "ordinal", batch_size=None)[0].used) == {4, 5, 6}


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Stream(field="id"), "does not name its record: record_ids is 'ordinal'"),
        (Stream(offset=2**32 - 1), "allowed are 0 to 4294967295"),
        ([{"ordinal": "a"}], "Translate record keys"),
        ([{"ordinal": 1.5}], "is a whole number"),
    ],
)
def test_a_sample_without_an_ordinal_is_refused(dataset, message):
    with pytest.raises(CaptureNotPossible, match=message):
        run(dataset, "ordinal")
