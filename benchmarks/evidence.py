"""``python benchmarks/evidence.py --json``: what evidence costs: shadow models and verdicts.

Everything on digits with the perceptron 64-128-10, in processes of one thread. What is compared
takes turns within one run; under ``processor`` are the same ratios in seconds of the processor,
which other load reaches less. ``--quick`` trains fewer models for fewer epochs.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch

from benchmarks import evidence_batch, evidence_shadows, evidence_verdicts
from benchmarks.command import run
from unlearning.recipes.digits import DigitsMLP

MODELS, RECORDS = 256, 1000
STACK = 128
TARGETS = {
    "verdict_256x1000_seconds": 2.0,
    "two_core_speedup": 1.8,
    "stacked_speedup_mlp128": 3.0,
    "trainings_to_fail": 16.0,
    "second_request_cost_fraction": 0.10,
}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured."""

    records: int = 1024  # retained, where training is timed
    sought: int = 1024  # retained where a leak is looked for; with few, eight models miss canaries
    epochs: int = 5  # where training is timed
    shared: int = 64  # models, in one process or two
    stacks: tuple[int, ...] = (16, 32, 64, STACK)
    sequential: int = 32  # models trained one after the other beside these
    repeats: int = 5
    seeds: int = 5
    shared_by_two: int = 960  # retained where two ask; unlearning takes four batches either way
    per_arm: int = 16  # models of each arm in a pool for two: the first look by default
    pairs: int = 5  # of a pool for one beside a pool for two

    @classmethod
    def quick(cls) -> Sizes:
        """Return what is done in less than a minute."""
        return cls(
            epochs=2, shared=32, stacks=(16, STACK), sequential=8, repeats=3, seeds=1, pairs=2
        )


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return everything that is measured; what is promised comes first."""
    torch.set_num_threads(1)
    return report(Sizes.quick() if quick else Sizes())


def report(sizes: Sizes) -> dict[str, Any]:
    """Measure verdicts, processes, stacks, the time to a FAIL and a second request."""
    recipe = DigitsMLP(epochs=sizes.epochs)
    _say("verdicts")
    verdict = evidence_verdicts.arithmetic(MODELS, RECORDS, sizes.repeats)
    _say("two processes beside one")
    cores = evidence_shadows.two_processes(recipe, sizes.records, sizes.shared, sizes.repeats)
    _say("stacks beside one after the other")
    stacks = evidence_shadows.stacked(
        recipe, sizes.records, sizes.stacks, sizes.sequential, sizes.repeats
    )
    _say("trainings to a FAIL")
    failing = evidence_verdicts.fail_on_nothing(DigitsMLP(), sizes.sought, sizes.seeds)
    _say("a second request beside the first")
    batch = evidence_batch.second_request(
        DigitsMLP(), sizes.shared_by_two, sizes.per_arm, sizes.pairs
    )
    return {
        "verdict_256x1000_seconds": verdict["seconds"],
        "two_core_speedup": cores["speedup"],
        "stacked_speedup_mlp128": stacks["speedup"][str(STACK)],
        "trainings_to_fail": failing["trainings"],
        "second_request_cost_fraction": batch["fraction"],
        "judging_and_scoring_share": batch["two"]["judging_and_scoring_share"],
        "processor": {
            "two_core_speedup": cores["speedup_processor"],
            "stacked_speedup_mlp128": stacks["speedup_processor"][str(STACK)],
            "trainings_to_fail": failing["trainings_processor"],
            "second_request_cost_fraction": batch["fraction_processor"],
        },
        "targets": TARGETS,
        "threads": torch.get_num_threads(),
        "verdict": verdict,
        "two_processes": cores,
        "stacked": stacks,
        "fail": failing,
        "batch": batch,
    }


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(measure, __doc__ or "")
