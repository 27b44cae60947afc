"""``python benchmarks/unlearning.py --preset cpu --json``: every method beside retraining.

The protocol of *Deep Unlearn* (Cadet et al., EuroS&P 2025): one random tenth of the training
data is forgotten; a method is measured against the model that was retrained without it from the
same initial weights. ``--tune N`` searches the hyperparameters of each method first, on proxy
forget sets. What was trained or measured is kept in ``--cache``, so a run that was stopped goes
on where it was. ``--quick`` runs digits-mlp with two initialisations.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file

import torch
from tqdm import tqdm

from benchmarks.machine import machine
from benchmarks.unlearning_cells import CELLS, NoImages, split
from benchmarks.unlearning_models import Models
from benchmarks.unlearning_rows import Bench, study_file
from benchmarks.unlearning_table import figure, markdown

if TYPE_CHECKING:
    from benchmarks.unlearning_cells import Cell

TUNED = Path(__file__).parent / "results" / "unlearning-tuned.json"
CACHE = Path.home() / ".cache" / "expunge" / "benchmarks"
QUICK = 2


def main() -> None:
    """Measure and print; what is done is written after every cell.

    Raises:
        SystemExit: a cell failed; the others were measured.
    """
    chosen = _arguments()
    torch.set_num_threads(chosen.threads)
    command = "python benchmarks/unlearning.py " + " ".join(sys.argv[1:])
    found = new_result(chosen.preset)
    for cell in CELLS[chosen.preset]:
        if chosen.cell in (None, cell.name) and not (chosen.quick and cell.name != "digits-mlp"):
            take_in(found, cell, chosen)
            if chosen.out:
                write(found, command, chosen.out)
    print(json.dumps(found) if chosen.json else markdown(found, command))
    if found["failed"]:
        sys.exit(f"{len(found['failed'])} cells failed: {', '.join(found['failed'])}.")


def new_result(preset: str) -> dict[str, Any]:
    """Return a result without cells; ``left_out`` and ``failed`` give a reason by cell."""
    empty: dict[str, Any] = {"cells": [], "left_out": {}, "failed": {}}
    return {"machine": machine(), "preset": preset, **empty}


def take_in(found: dict[str, Any], cell: Cell, chosen: argparse.Namespace) -> None:
    """Measure a cell into a result; one that fails is named with its reason, and others go on."""
    try:
        found["cells"].append(_measured(cell, chosen))
    except NoImages as reason:
        found["left_out"][cell.name] = str(reason)
        print(f"{cell.name} is left out: {reason}", file=sys.stderr)
    except Exception as reason:  # noqa: BLE001  (hours of other cells must not be lost to it)
        found["failed"][cell.name] = f"{type(reason).__name__}: {reason}"
        traceback.print_exc()


def write(found: dict[str, Any], command: str, out: Path) -> None:
    """Write the JSON, and a table and a figure beside it."""
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(markdown(found, command), encoding="utf-8")
    if found["cells"]:
        figure(found, out.with_suffix(".svg"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=sorted(CELLS), default="cpu")
    parser.add_argument("--cell", help="only this cell of the preset")
    parser.add_argument("--methods", help="only these, with commas between them")
    parser.add_argument("--data-root", type=Path, help="train/<class>/* and test/<class>/*")
    parser.add_argument("--tune", type=int, default=0, metavar="N", help="trials per method")
    parser.add_argument("--defaults", action="store_true", help="leave tuned settings aside")
    parser.add_argument("--cache", type=Path, default=CACHE, help="what is kept between runs")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--quick", action="store_true", help="digits-mlp, two initialisations")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, help="write JSON, Markdown and figure beside it")
    return parser.parse_args()


def _measured(cell: Cell, chosen: argparse.Namespace) -> dict[str, Any]:
    parts = split(*cell.load(chosen.data_root))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    count = QUICK if chosen.quick else cell.initialisations
    methods = tuple(chosen.methods.split(",")) if chosen.methods else cell.methods
    with tqdm(desc=cell.name, unit=" models", file=sys.stderr) as bar:

        def tick(name: str) -> None:
            bar.set_postfix_str(name, refresh=False)
            bar.update()

        models = Models(
            cell=cell, split=parts, cache=chosen.cache, device=device, said=bar.set_description
        )
        if chosen.tune:
            _need_optuna()
            storage = study_file(chosen.cache, cell.name)
            found = Bench(models=models, initialisations=count, tick=tick).tune(
                methods, chosen.tune, storage
            )
            _keep_tuned(cell, found)
        tuned = {} if chosen.defaults else tuned_settings(cell)
        bench = Bench(models=models, initialisations=count, tuned=tuned, tick=tick)
        rows, refused = bench.rows(methods)
    sizes = {name: len(each) for name, each in vars(parts.sets).items()}
    return {"cell": cell.name, "sizes": sizes, "rows": rows, "refused": refused}


def _need_optuna() -> None:
    if find_spec("optuna") is None:
        sys.exit("--tune needs Optuna: pip install '.[tuning]', or leave --tune out.")


def tuned_settings(cell: Cell) -> dict[str, Any]:
    """Return the kept hyperparameters of a cell by method; of another recipe, none."""
    kept = json.loads(TUNED.read_text()) if TUNED.exists() else {}
    mine = kept.get(cell.name, {})
    if mine.get("recipe") != _described(cell):
        return {}
    return {name: found["hyperparameters"] for name, found in mine["methods"].items()}


def _described(cell: Cell) -> dict[str, Any]:
    """Return the recipe of a cell as it comes back from JSON."""
    described: dict[str, Any] = json.loads(json.dumps(cell.recipe.describe()))
    return described


def _keep_tuned(cell: Cell, found: dict[str, Any]) -> None:
    kept = json.loads(TUNED.read_text()) if TUNED.exists() else {}
    before = kept.get(cell.name, {})
    methods = before.get("methods", {}) if before.get("recipe") == _described(cell) else {}
    kept[cell.name] = {
        "recipe": _described(cell),
        "machine": machine(),
        "methods": {**methods, **found},
    }
    TUNED.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
