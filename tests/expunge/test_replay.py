"""What is stored of a sampler draws the same order again; the order itself is not stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from expunge import capture, replay
from expunge.replay import ReplayNotPossible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE = 23
WEIGHTS = [1.0 + position % 5 for position in range(SIZE)]
INDICES = [20, 3, 4, 11, 17]


@dataclass
class Keeps:
    """A sink that keeps the last end."""

    finished: list[Any] = field(default_factory=list)

    def begin(self, start) -> str:
        return "run"

    def finish(self, run, finish) -> str:
        self.finished.append(finish)
        return "version"

    def fail(self, run, reason) -> None:
        """Never called here."""

    def check(self, run) -> int:
        return 0


def generator(*, used: bool = False) -> torch.Generator:
    made = torch.Generator()
    made.manual_seed(11)
    if used:
        torch.rand(7, generator=made)
    return made


class Positions(Dataset[int]):
    """A data set that yields the position itself."""

    ordinals: Sequence[int] = range(SIZE)

    def __len__(self) -> int:
        return SIZE

    def __getitem__(self, position) -> int:
        return int(position)


SAMPLERS: dict[str, Callable[[], dict[str, Any]]] = {
    "sequential": dict,
    "shuffled by the global generator": lambda: {"shuffle": True},
    "shuffled by the loader's": lambda: {"shuffle": True, "generator": generator()},
    "by one used before": lambda: {"shuffle": True, "generator": generator(used=True)},
    "by the sampler's": lambda: {"sampler": RandomSampler(range(SIZE), generator=generator())},
    "with replacement": lambda: {"sampler": RandomSampler(range(SIZE), True, 40)},
    "weighted": lambda: {"sampler": WeightedRandomSampler(WEIGHTS, 30)},
    "weighted, seeded": lambda: {
        "sampler": WeightedRandomSampler(WEIGHTS, 9, False, generator(used=True))
    },
    "a subset": lambda: {"sampler": SubsetRandomSampler(INDICES)},
    "one of three ranks": lambda: {
        "sampler": DistributedSampler(Positions(), num_replicas=3, rank=1, seed=4)
    },
}


# The sampler runs in the main process, so that one case with workers is enough.
CASES = [*((name, drop_last, 0) for name in SAMPLERS for drop_last in (False, True))]


@pytest.mark.parametrize(("name", "drop_last", "workers"), [*CASES, ("a subset", False, 2)])
def test_every_pass_is_drawn_again_from_what_is_stored(name, drop_last, workers):
    options = SAMPLERS[name]()
    loader: Any = DataLoader(
        Positions(), batch_size=4, drop_last=drop_last, num_workers=workers, **options
    )
    sink, drawn = Keeps(), []
    with capture.training(loader, sink=sink) as captured:
        for epoch in range(3):
            if hasattr(loader.sampler, "set_epoch"):
                loader.sampler.set_epoch(epoch + 5)
            drawn.append([position for batch in captured.loader for position in batch.tolist()])
            torch.rand(3)  # a dropout: the global generator goes on between the passes
        captured.finish(weights=b"w")
    stored = json.loads(json.dumps(sink.finished[0].sampler))
    given: dict[str, Any] = {"weights": WEIGHTS, "indices": INDICES}
    assert list(replay.passes(stored, **given)) == drawn
    assert set(sink.finished[0].used) == {position for each in drawn for position in each}
    assert str(drawn[0]).strip("[]") not in json.dumps(stored)


def test_looking_ahead_draws_nothing():
    torch.default_generator.manual_seed(3)
    plain = [batch.tolist() for batch in DataLoader(Positions(), shuffle=True)]
    torch.default_generator.manual_seed(3)
    with capture.training(DataLoader(Positions(), shuffle=True), sink=Keeps()) as captured:
        assert [batch.tolist() for batch in captured.loader] == plain
        captured.finish(weights=b"w")


def test_wrong_weights_and_unknown_samplers_are_refused():
    loader: Any = DataLoader(Positions(), sampler=WeightedRandomSampler(WEIGHTS, 5))
    sink = Keeps()
    with capture.training(loader, sink=sink) as captured:
        list(captured.loader)
        captured.finish(weights=b"w")
    stored = sink.finished[0].sampler
    for weights in (None, [1.0] * SIZE):
        with pytest.raises(ReplayNotPossible, match="weights given are not those"):
            list(replay.passes(stored, weights=weights))
    with pytest.raises(ReplayNotPossible, match="The sampler was Mine"):
        list(replay.passes({**stored, "class": "Mine"}, weights=WEIGHTS))
