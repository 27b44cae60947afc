"""``python -m benchmarks.lineage_capture --json``: what capture costs while a model trains.

Measured side by side in one run, the two arms in turn, medians over the repeats:

* the wrapped batch sampler alone against the bare one, in batches of 256 (microseconds a batch);
* a training that does nothing but read its batches (the trivial step);
* the small CNN of the digits recipe, batches of 256, on one thread.

The overheads are of the CPU time of the main process. ``capture_overhead_percent`` is that of the
small CNN, measured as the cost of the capture itself divided by the time of the training: the
difference of two whole trainings, printed beside it, is smaller than its own noise.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from benchmarks.machine import machine
from expunge.sampling import Recording, watched
from unlearning.recipes.digits import DigitsCNN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BATCH = 256


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return microseconds a batch, nanoseconds a record and overheads in percent."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        size, repeats = (50_000, 3) if quick else (500_000, 9)
        alone = {
            name: _sampler_alone(size, repeats, first_steps=steps)
            for name, steps in (("plain", False), ("first_steps", True))
        }
        trivial = _trivial(size, repeats)
        cnn = _small_cnn(3 if quick else 24, repeats)
    finally:
        torch.set_num_threads(threads)
    per_batch = alone["plain"]["microseconds_per_batch"]
    cost = per_batch * cnn.pop("batches") / 1e6
    return {
        "capture_overhead_percent": round(100 * cost / cnn["plain_seconds"], 4),
        "microseconds_per_batch_of_256": round(per_batch, 2),
        "nanoseconds_per_record": round(1000 * per_batch / BATCH, 1),
        "with_first_steps": {
            name: round(value, 2) for name, value in alone["first_steps"].items()
        },
        "trivial_step": trivial,
        "small_cnn": cnn,
    }


def _sampler_alone(size: int, repeats: int, *, first_steps: bool) -> dict[str, float]:
    """Compare a pass of the sampler, which draws anew, with such a pass through the recorder."""
    order = BatchSampler(RandomSampler(range(size)), BATCH, drop_last=True)

    def plain() -> None:
        for _ in order:
            pass

    def recorded() -> None:
        # A bitmap of its own each time: the first pass, in which everything is new, costs most.
        recorder = Recording(order, below=order.sampler, size=size, first_steps=first_steps)
        for _ in recorder:
            pass

    bare, captured = _arms(plain, recorded, repeats)
    extra = median(a - b for a, b in zip(captured, bare, strict=True)) / len(order) * 1e6
    return {"microseconds_per_batch": extra, "nanoseconds_per_record": 1000 * extra / BATCH}


def _trivial(size: int, repeats: int) -> dict[str, float]:
    data = TensorDataset(torch.zeros(size, 16), torch.zeros(size, dtype=torch.long))

    def step(_: Any) -> None:  # noqa: ANN401  (a batch)
        """Do nothing."""

    return _compared(data, step, epochs=1, repeats=repeats)


def _small_cnn(epochs: int, repeats: int) -> dict[str, float]:
    recipe = DigitsCNN()
    data = TensorDataset(torch.rand(1_797, 1, 8, 8), torch.randint(0, 10, (1_797,)))
    model = recipe.build()
    optimizer = recipe.optimizer(model.parameters())

    def step(batch: Any) -> None:  # noqa: ANN401  (inputs and targets)
        optimizer.zero_grad()
        recipe.loss(model(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    found = _compared(data, step, epochs=epochs, repeats=repeats)
    return {**found, "batches": epochs * -(-len(data) // BATCH)}


def _compared(
    data: TensorDataset, step: Callable[[Any], None], *, epochs: int, repeats: int
) -> dict[str, float]:
    """Compare whole trainings; the overhead is the median of the paired ratios."""

    def loader() -> DataLoader[Any]:
        return DataLoader(data, batch_size=BATCH, shuffle=True)

    def train(batches: Iterable[Any]) -> None:
        for _ in range(epochs):
            for batch in batches:
                step(batch)

    def captured() -> None:
        train(watched(loader(), range(len(data))).loader)

    plain, with_capture = _arms(lambda: train(loader()), captured, repeats)
    ratios = [b / a for a, b in zip(plain, with_capture, strict=True)]
    return {
        "plain_seconds": round(median(plain), 4),
        "captured_seconds": round(median(with_capture), 4),
        "difference_percent": round(100 * (median(ratios) - 1), 2),
    }


def _arms(
    one: Callable[[], None], other: Callable[[], None], repeats: int
) -> tuple[list[float], list[float]]:
    """Return CPU seconds of both arms, run in turn, after one run of each to warm up."""
    one()
    other()
    first: list[float] = []
    second: list[float] = []
    for number in range(repeats):
        # In changing order: a full garbage collection falls on every other pass.
        for function, seconds in ((one, first), (other, second))[:: 1 if number % 2 else -1]:
            seconds.append(_cpu(function))
    return first, second


def _cpu(function: Callable[[], None]) -> float:
    gc.collect()
    started = time.process_time()
    function()
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lineage_capture")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    given = parser.parse_args()
    found = {"machine": machine(), **measure(quick=given.quick)}
    print(json.dumps(found, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
