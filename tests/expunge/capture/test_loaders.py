"""What a loader draws is recorded, and drawn as without capture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    Subset,
    WeightedRandomSampler,
)

from expunge import capture
from tests.expunge.capture.drawn import Numbers, loader, seeded


def seen(batches):
    return [batch.tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
def test_it_draws_as_without_capture_and_records_what_was_drawn(sink, workers):
    plain = loader(num_workers=workers)
    expected = [seen(plain), seen(plain)]
    with capture.training(loader(num_workers=workers), sink=sink) as captured:
        assert [seen(captured.loader), seen(captured.loader)] == expected
        assert captured.finish(weights=b"w", metrics={"a": 1}) == "version of run 1"
    (finish,) = sink.finished
    assert set(finish.used) == set(Numbers().ordinals)
    assert (finish.weights, finish.metrics) == (b"w", {"a": 1})
    assert (finish.sampler["epochs"], finish.sampler["draws"]) == (2, 8)
    assert captured.version == "version of run 1"
    assert sink.failed == []


@pytest.mark.parametrize("workers", [0, 2])
def test_what_drop_last_leaves_out_is_not_used(sink, workers):
    with capture.training(loader(drop_last=True, num_workers=workers), sink=sink) as captured:
        drawn = {ordinal for batch in seen(captured.loader) for ordinal in batch}
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == drawn
    assert len(drawn) == 18


def test_an_early_stop_uses_what_was_drawn_until_then(sink):
    with capture.training(loader(), sink=sink) as captured:
        first = next(iter(captured.loader)).tolist()
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == set(first)
    assert sink.started[0].sampler["may_exceed_consumed"] is False


def test_with_workers_an_early_stop_never_records_too_little(sink):
    with capture.training(loader(60, num_workers=2, prefetch_factor=2), sink=sink) as captured:
        batches = iter(captured.loader)
        first = next(batches).tolist()
        captured.finish(weights=b"w")
        del batches
    assert set(first) < set(sink.finished[0].used) < set(Numbers(60).ordinals)
    assert sink.started[0].sampler["may_exceed_consumed"] is True


def test_the_sampler_can_be_replayed_from_what_is_stored(sink):
    with capture.training(loader(), sink=sink) as captured:
        order = [ordinal for batch in seen(captured.loader) for ordinal in batch]
        captured.finish(weights=b"w")
    stored = sink.finished[0].sampler
    assert (stored["class"], stored["batch_size"], stored["drop_last"]) == (
        "RandomSampler",
        6,
        False,
    )
    assert (stored["seed"], stored["dataset_size"]) == (1, 20)
    again = loader(batch_size=stored["batch_size"], generator=seeded(stored["seed"]))
    assert [ordinal for batch in seen(again) for ordinal in batch] == order
    assert stored["generator"] == "loader"
    assert json.loads(json.dumps(stored)) == stored


def test_without_a_generator_the_global_state_is_noted(sink):
    for _ in range(2):
        with capture.training(loader(generator=None), sink=sink) as captured:
            captured.used([1])
            captured.finish(weights=b"w")
    one, two = (start.sampler for start in sink.started)
    assert (one["seed"], one["generator"]) == (None, "global")
    assert one["generator_state"] == two["generator_state"]
    assert len(one["generator_state"]) == 64


@pytest.mark.parametrize(
    "options",
    [
        {"batch_sampler": BatchSampler([3, 3, 5, -1], 2, False)},
        {"batch_sampler": [[3, 5], (3, -1)]},
        {"batch_sampler": [torch.tensor([3, 5]), np.array([19, 3])]},
        {"batch_sampler": [[np.int64(3), torch.tensor(5)], [19]]},
        {"sampler": [3, 5, -1], "batch_size": 2},
        {"sampler": [3, 5, 19], "batch_size": None},
    ],
)
def test_any_sampler_of_positions_is_understood(sink, options):
    with capture.training(DataLoader(Numbers(), **options), sink=sink) as captured:
        assert len(list(captured.loader)) >= 2
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1009, 1015, 1057}


def test_weighted_and_distributed_samplers_are_described(sink):
    weighted = WeightedRandomSampler([0.0] * 19 + [1.0], 10, generator=seeded(4))
    distributed: Any = DistributedSampler(Numbers(), num_replicas=2, rank=1, shuffle=False)
    for sampler in (weighted, distributed):
        with capture.training(loader(sampler=sampler, shuffle=None), sink=sink) as captured:
            list(captured.loader)
            captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1057}
    assert sink.finished[0].sampler["seed"] == 4
    assert sink.finished[0].sampler["generator"] == "sampler"
    assert set(sink.finished[1].used) == {1003 + 6 * at for at in range(10)}
    assert sink.finished[1].sampler["distributed"]["rank"] == 1


def test_a_subset_of_a_subset_leads_to_the_right_records(sink):
    nested = Subset(Subset(Numbers(), [10, 11, 12, 13]), [3, 0])
    with capture.training(DataLoader(nested), sink=sink) as captured:
        assert seen(captured.loader) == [[1039], [1030]]
        captured.finish(weights=b"w")
    assert set(sink.finished[0].used) == {1039, 1030}


def test_persistent_workers_and_the_length_are_kept(sink):
    original = loader(num_workers=1, persistent_workers=True)
    assert len(seen(original)) == 4  # its workers run from now on and must not be taken over
    with capture.training(original, sink=sink) as captured:
        assert len(captured.loader) == len(original) == 4
        assert seen(captured.loader) != seen(captured.loader)
        assert captured.loader.batch_sampler.batch_size == 6
        captured.finish(weights=b"w")
        del captured.loader
    assert sink.finished[0].sampler["epochs"] == 2
    assert type(original.batch_sampler) is BatchSampler
