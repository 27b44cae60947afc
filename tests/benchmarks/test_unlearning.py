"""The benchmark of unlearning prints what it promises, and one bad cell loses nothing."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import pytest
import torch

from benchmarks import unlearning
from benchmarks import unlearning_keys as keys
from benchmarks.unlearning_cells import CELLS, EIGHT, Cell, digits, split
from benchmarks.unlearning_models import OTHER_SEED, Models
from benchmarks.unlearning_rows import Bench
from unlearning.core.catalogue import registry
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
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


@pytest.fixture
def bench(tmp_path):
    """Return what measures the tiny cell, or that cell changed."""

    def of(cell: Cell = TINY) -> Bench:
        models = Models(
            cell=cell,
            split=split(*cell.load(None)),
            cache=tmp_path,
            device=torch.device("cpu"),
            said=lambda _said: None,
        )
        return Bench(models=models, initialisations=1, tick=lambda _name: None)

    return of


def test_unlearning_draws_with_another_seed_than_either_training(bench):
    problem, _ = bench().models.problem(3)
    assert problem.seed not in {3, 3 + OTHER_SEED}
    assert problem.seed == bench().models.problem(3)[0].seed
    with isolated(3, CPU):
        reference = TINY.recipe.build().state_dict()
    with isolated(problem.seed, CPU):
        drawn = TINY.recipe.build().state_dict()
    assert not any(torch.equal(reference[name], drawn[name]) for name in reference)


def test_a_kept_row_is_taken_only_for_the_same_data_threads_and_numbers(bench, monkeypatch):
    key = bench().key("ssd", {}, 0)
    assert bench().key("ssd", {}, 0) == key

    def other(_root):
        (images, labels), test = few(None)
        images = images.clone()
        images[0, 0, 0, 0] += 0.5
        return (images, labels), test

    assert bench(replace(TINY, load=other)).key("ssd", {}, 0) != key
    assert bench().key("ssd", {"dampening": 0.5}, 0) != key
    assert bench().key("ssd", {}, 1) != key
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    assert bench().key("ssd", {}, 0) != key


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("unlearning/core/training.py", True),
        ("unlearning/core/replay/engine.py", True),
        ("unlearning/recipes/tabular_layers.py", True),
        ("unlearning/methods/ssd.py", True),
        ("unlearning/methods/scrub.py", False),
        ("benchmarks/unlearning_models.py", True),
    ],
)
def test_a_kept_row_is_stale_when_code_it_rests_on_changes(changed, stale, tmp_path):
    for folder in ("unlearning/core", "unlearning/recipes", "unlearning/methods", "benchmarks"):
        shutil.copytree(keys.ROOT / folder, tmp_path / folder)
    before = keys.sources("ssd", tmp_path)
    assert before == keys.sources("ssd")
    path = tmp_path / changed
    path.write_text(path.read_text() + "# changed\n")
    assert (keys.sources("ssd", tmp_path) != before) is stale
