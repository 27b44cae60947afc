"""The benchmark of unlearning prints what it promises, and one bad cell loses nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from benchmarks import unlearning
from benchmarks.unlearning_cells import CELLS, EIGHT, Cell, digits
from unlearning.core.catalogue import registry
from unlearning.recipes.digits import DigitsMLP

FEW = 240
REFERENCES = ["retrain", "retrain_other_seed", "original"]
NUMBERS = {
    "ret_dev",
    "indiscernibility",
    "rte",
    "retain_accuracy",
    "forget_accuracy",
    "test_accuracy",
    "parameters_touched",
}


def few(_root):
    """Return some digits, to train on in no time."""
    return tuple((images[:FEW], labels[:FEW]) for images, labels in digits(None))


TINY = Cell(name="tiny", recipe=DigitsMLP(epochs=2), initialisations=1, load=few)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command on some cells; return what it printed, what it wrote, and its complaint."""

    def start(*cells: Cell, methods: str = "finetune"):
        monkeypatch.setitem(CELLS, "tiny", cells)
        out = tmp_path / "found.json"
        told = ["--cache", str(tmp_path / "cache"), "--out", str(out), "--methods", methods]
        monkeypatch.setattr(sys, "argv", ["unlearning.py", "--preset", "tiny", "--json", *told])
        complaint = None
        try:
            unlearning.main()
        except SystemExit as ended:
            complaint = ended.code
        return json.loads(capsys.readouterr().out), json.loads(out.read_text()), complaint

    return start


def test_the_cells_name_methods_that_there_are():
    known = set(registry().names())
    assert len(set(EIGHT)) == 8
    for cells in CELLS.values():
        for cell in cells:
            assert set(cell.methods) <= known, cell.name


def test_every_cell_has_the_references_and_a_row_for_each_method(run, tmp_path):
    printed, written, complaint = run(TINY)
    assert complaint is None
    assert printed == written
    (cell,) = printed["cells"]
    assert cell["cell"] == "tiny"
    assert [row["method"] for row in cell["rows"]] == [*REFERENCES, "finetune"]
    assert all(set(row) >= NUMBERS for row in cell["rows"])
    assert cell["rows"][0]["ret_dev"] == 0
    assert cell["rows"][2]["parameters_touched"] == 0
    assert "| `finetune` |" in (tmp_path / "found.md").read_text()
    assert (tmp_path / "found.svg").exists()


def test_a_cell_that_fails_is_named_and_the_others_are_measured(run, tmp_path):
    def torn(_root):
        raise RuntimeError("The file of images is torn.")

    bad = replace(TINY, name="bad", load=torn)
    printed, written, complaint = run(bad, TINY)
    assert printed == written
    assert printed["failed"] == {"bad": "RuntimeError: The file of images is torn."}
    assert [cell["cell"] for cell in printed["cells"]] == ["tiny"]
    assert complaint == "1 cells failed: bad."
    assert "* `bad`: RuntimeError: The file of images" in (tmp_path / "found.md").read_text()


def test_what_is_measured_is_written_before_the_next_cell_begins(run, tmp_path):
    def killed(_root):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(TINY, replace(TINY, name="next", load=killed))
    written = json.loads((tmp_path / "found.json").read_text())
    assert [cell["cell"] for cell in written["cells"]] == ["tiny"]
