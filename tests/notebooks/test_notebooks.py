"""The notebooks run from top to bottom without Django, and say what they promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from audits.core.verdict import Outcome
from tests import clean_environment
from tests.clean_environment import ROOT, declared, needed
from tests.notebooks import pages
from tests.notebooks.running import code_cells, run, run_cell
from unlearning.recipes.image_sets import CIFAR10_CLASSES

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = ROOT / "tests" / "notebooks" / "running.py"
NAMES = [path.stem for path in pages.notebooks()]
# Processor seconds of one; on an idle core each takes less than six, imports included.
LONGEST = 20
JUDGED = rf"^({'|'.join(Outcome)}): (\w+), (\d+) shadow models$"
LEVEL = r"(\w+): advantage before \S+ \[(\S+), \S+\], after \S+ \[(\S+), (\S+)\], margin (\S+)$"


def cells(name: str) -> list[dict[str, Any]]:
    return list(json.loads((pages.NOTEBOOKS / f"{name}.ipynb").read_text())["cells"])


def share(printed: str, before: str) -> int:
    """Return the percentage that is printed after some words."""
    found = re.search(rf"{re.escape(before)}\D*(\d+)\s?%", printed)
    assert found, f"no share after {before!r} in:\n{printed}"
    return int(found[1])


def judged(printed: str) -> tuple[str, str, int]:
    """Return outcome, method and number of models of the one audit that was printed."""
    ((outcome, method, models),) = re.findall(JUDGED, printed, re.MULTILINE)
    assert re.search(r"^  - \S", printed, re.MULTILINE), "a verdict has reasons"
    return outcome, method, int(models)


def verdict(printed: str) -> None:
    assert judged(printed) == ("FAIL", "finetune", 32)
    levels = re.findall(LEVEL, printed, re.MULTILINE)
    assert [level for level, *_ in levels] == ["average", "subject"]
    seen, left, at_most, margin = map(float, levels[1][1:])
    assert seen > margin  # the attack saw the person before
    assert margin < left <= at_most <= 1  # and sees them after
    assert share(printed, "original:") >= share(printed, "retrained:") > 60
    assert "recorded: FAIL - drawn again: FAIL" in printed


def own_model(printed: str) -> None:
    assert judged(printed) == ("FAIL", "neggrad_plus", 32)
    assert share(printed, "original:") > share(printed, "retrained:")
    assert "Tower has none that is trainable; choose another method." in printed
    assert "write the recipe in a file of its own." in printed


def table(printed: str) -> None:
    assert "EXACT - every tensor equals that of retraining: True" in printed
    assert share(printed, "never learned:") > 90
    assert "the scaler was fitted anew: True" in printed
    assert judged(printed) == ("FAIL", "neggrad_plus", 32)


def cifar10(printed: str) -> None:
    assert "100 images, made up" in printed
    assert "\nResNet\n" in printed
    shares = [int(one) for one in re.findall(r"(\d+)% of the unseen", printed)]
    assert len(shares) == 3
    assert max(shares) > 20  # a guess is right in one of ten
    outcome, method, models = judged(printed)
    assert (method, models) == ("finetune", 12)
    assert outcome in {"INVALID", "INCONCLUSIVE"}  # as the notebook says


def shards(printed: str) -> None:
    assert share(printed, "records to rebuild it,") < 25
    assert share(printed, "the vote of four:") > 60
    assert share(printed, "meanwhile:") > 50
    for promise in ("it cost what was predicted", "equal to training from scratch"):
        assert f"{promise}: True" in printed
    assert "the other shards are untouched: True" in printed


def mlflow(printed: str) -> None:
    assert "the same run: True" in printed
    assert "reported back: True {'batch_size': '16'}" in printed
    assert "64 records, from 1000 to 1063" in printed
    assert {"expunge.run", "expunge.version"} <= set(re.findall(r"'(expunge\.\w+)':", printed))


def auditor(printed: str) -> None:
    assert printed.startswith("VERIFIED.\n")
    assert "outcome: ERASED" in printed
    assert "REJECTED. Step 2, the manifest" in printed
    ((recorded, again),) = re.findall(r"recorded: (\w+) - drawn again: (\w+)", printed)
    assert recorded == again == "FAIL"
    seen = re.search(r"^seen before: (\d\.\d+)$", printed, re.MULTILINE)
    assert seen
    assert float(seen[1]) > 0.3  # the margin of a subject
    assert "refused: digest does not match the payload" in printed


PROMISES = {
    check.__name__: check
    for check in (verdict, own_model, table, cifar10, shards, mlflow, auditor)
}


def extras() -> list[str]:
    """Return what the notebooks need, with MLflow where it is installed."""
    try:
        needed(declared("mlflow"))
    except PackageNotFoundError:
        return ["library"]
    return ["library", "mlflow"]


def test_every_notebook_says_what_it_promises_without_the_web_half(tmp_path):
    found = extras()
    python = clean_environment.make(tmp_path, needed(declared(*found)).values())
    names = [name for name in NAMES if name != "mlflow" or "mlflow" in found]
    done = subprocess.run(
        # Deprecations are those of MLflow's own dependencies.
        [
            *(str(python), "-W", "error", "-W", "ignore::DeprecationWarning", str(RUNNER)),
            *(str(pages.NOTEBOOKS / f"{name}.ipynb") for name in names),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "EXPUNGE_CIFAR10": "", "MPLCONFIGDIR": str(tmp_path)},
    )
    ran = {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert list(ran) == names, done.stderr
    for name, one in ran.items():
        assert not one["error"], one["error"]
        assert not one["django"], f"{name} brought Django in"
        assert one["seconds"] < LONGEST, f"{name} took {one['seconds']} s of a processor"
        PROMISES[name](one["printed"])


def folders_of_images(folder: Path) -> None:
    for number in range(20):
        place = folder / CIFAR10_CLASSES[number % 10]
        place.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (number, 0, 0)).save(place / f"{number}.png")


def binary_batch(folder: Path) -> None:
    place = folder / "cifar-10-batches-bin"
    place.mkdir()
    rows = np.zeros((4, 1 + 3 * 32 * 32), np.uint8)
    rows[:, 0] = [3, 9, 0, 3]
    for number in range(1, 6):
        (place / f"data_batch_{number}.bin").write_bytes(rows.tobytes() if number == 1 else b"")


@pytest.mark.parametrize(
    ("laid_out", "labels"),
    [
        (folders_of_images, sorted([*CIFAR10_CLASSES] * 2)),
        (binary_batch, ["airplane", "cat", "cat", "truck"]),
    ],
)
def test_real_images_are_read_from_either_layout_of_a_folder(
    laid_out, labels, tmp_path, monkeypatch, capsys
):
    laid_out(tmp_path)
    monkeypatch.setenv("EXPUNGE_CIFAR10", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])  # the cell adds to it
    space: dict[str, Any] = {}
    for source in code_cells(pages.NOTEBOOKS / "cifar10.ipynb")[:2]:
        run_cell(source, "<loading>", space)
    assert sorted(label for _, label in space["stored"]) == labels
    said = f"{len(labels)} images, real - {space['stored'][0][1]} first"
    assert said in capsys.readouterr().out
    recipe = space["SmallImages"](targets=CIFAR10_CLASSES)
    assert space["decoded"](recipe, space["stored"])[:][0].shape[1:] == (3, 32, 32)


@pytest.mark.parametrize(
    ("outcome", "claimed"),
    [("ERASED", "REFUSED"), ("REFUSED", "ERASED"), ("WITHDRAWN", "REFUSED")],
)
def test_the_forgery_of_a_case_changes_its_outcome_whatever_it_is(outcome, claimed, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # the cell adds to it
    (forge,) = [
        cell for cell in code_cells(pages.NOTEBOOKS / "auditor.ipynb") if "forged =" in cell
    ]
    files = {"record.json": json.dumps({"outcome": outcome}).encode()}
    seen: list[bytes] = []

    def verify(folder: Path) -> tuple[int, str]:
        seen.append((folder / "record.json").read_bytes())
        return 1, ""

    imports = code_cells(pages.NOTEBOOKS / "auditor.ipynb")[0]
    space: dict[str, Any] = {}
    run_cell(imports, "<imports>", space)
    space |= {"files": files, "seal": {"data": {"outcome": outcome}}, "verify": verify}
    run_cell(forge, "<forging>", space)
    assert [json.loads(one) for one in seen] == [{"outcome": claimed}]


def test_every_notebook_has_a_promise():
    assert set(PROMISES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_outputs(name):
    kept = json.loads((pages.NOTEBOOKS / f"{name}.ipynb").read_text())
    assert (kept["nbformat"], kept["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in kept["cells"]}) == len(kept["cells"])
    code = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "".join(kept["cells"][0]["source"]).startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_the_cookbook_shows_what_is_run(name):
    notebook = pages.NOTEBOOKS / f"{name}.ipynb"
    said = "run python -m tests.notebooks.pages"
    assert pages.page_of(name).read_text() == pages.page_text(notebook), said


def test_every_page_of_the_cookbook_is_of_a_notebook():
    assert sorted(path.stem for path in pages.PAGES.glob("*.md")) == NAMES


def test_a_cell_that_fails_is_named_and_values_are_printed_as_in_jupyter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = ["x = 6\n", "x * 7", "None", "raise ValueError('no ' + str(x))", "print('never')"]
    kept = [{"cell_type": "code", "source": [source]} for source in sources]
    (tmp_path / "one.ipynb").write_text(json.dumps({"cells": kept}))
    done = run(tmp_path / "one.ipynb")
    assert done["printed"] == "42\n"
    assert done["error"].splitlines()[-1] == "ValueError: no 6"
    assert '"<one.ipynb, cell 4>", line 1' in done["error"]
