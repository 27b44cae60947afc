"""Is a replay the training from scratch with the same holes, to the bit, in another process too?

As a program (``python -m benchmarks.exact_matrix STORE SIZE THREADS``) it is that other process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Subset, TensorDataset

from benchmarks.exact_pairs import PAIRS, trainer
from benchmarks.unlearning_cells import digits
from unlearning.core.replay.claims import Execution, Strength, claim
from unlearning.core.replay.ledger import ACCOUNT
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.recording import Recording
from unlearning.core.replay.states import model_digest
from unlearning.core.replay.store import DirectoryStore

if TYPE_CHECKING:
    from benchmarks.exact_pairs import Pair

ROOT = Path(__file__).parents[1]
HOLES = 5


def rows(size: int) -> list[dict[str, Any]]:
    """Return a row for each pair on so many digits; ``bit_exact`` where all three agree.

    The three are the replay, its second execution in another process from what lies on disk, and
    the recipe's own training with the same places empty, of which nothing was kept.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, recipe in enumerate(PAIRS):
            trainer(recipe, DirectoryStore(Path(folder))).record(f"origin-{number}", _data(size))
        seconds = _elsewhere(folder, size)
        return [
            _row(recipe, number, Path(folder), size, seconds[number])
            for number, recipe in enumerate(PAIRS)
        ]


def _row(recipe: Pair, number: int, folder: Path, size: int, second: Execution) -> dict[str, Any]:
    first = _replayed(recipe, number, f"first-{number}", folder, size)
    bench = trainer(recipe, DirectoryStore(folder))
    holes = _holes(recipe, size)
    scratch = model_digest(recipe.train(_data(size, holes), bench.session))
    found = claim(first.recording.fingerprints, first.execution, second)
    exact = found.strength is Strength.BIT_EXACT and scratch == first.recording.digest
    return {
        "network": recipe.network,
        "optimiser": recipe.trained_by,
        "bit_exact": exact,
        "like_scratch": scratch == first.recording.digest,
        "claim": found.strength.value,
        "reason": found.reason,
        "fraction": round(first.fraction, 4),
    }


def _replayed(recipe: Pair, number: int, run: str, folder: Path, size: int) -> Any:  # noqa: ANN401
    bench = trainer(recipe, DirectoryStore(folder))
    origin = Recording.from_json(bench.store.get(f"origin-{number}/{ACCOUNT}"))
    return bench.replay(run, origin, _data(size, _holes(recipe, size)))


def _holes(recipe: Pair, size: int) -> frozenset[int]:
    """Return records that are first used late in the first epoch, so that states serve."""
    order = [each for batch in recipe.plan(size, 11).epoch(0) for each in batch]
    return frozenset(order[-2 * HOLES : -HOLES])


def _data(size: int, holes: frozenset[int] = frozenset()) -> Pinned:
    (images, labels), _ = digits(None)
    kept = [number for number in range(size) if number not in holes]
    return Pinned(Subset(TensorDataset(images, labels), kept), size=size, holes=holes)


def _elsewhere(folder: str, size: int) -> list[Execution]:
    told = [folder, str(size), str(torch.get_num_threads())]
    done = subprocess.run(  # noqa: S603  (this very module)
        [sys.executable, "-m", "benchmarks.exact_matrix", *told],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Execution.from_dict(each) for each in json.loads(done.stdout)]


def main() -> None:
    """Replay every pair once more, and print what came out."""
    folder, size, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    found = [
        _replayed(recipe, number, f"second-{number}", folder, size).execution.as_dict()
        for number, recipe in enumerate(PAIRS)
    ]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
