"""torchvision is usable whatever its wheel was linked against, and through one door."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import torch

from unlearning.core import vision
from unlearning.core.vision import torchvision
from unlearning.recipes.images import ImageClassifier, architectures

ROOT = Path(__file__).parents[2]


def test_its_models_run_forwards_and_backwards():
    model = ImageClassifier(targets=("a", "b", "c"), architecture="resnet18").build()
    outputs = model(torch.zeros(2, 3, 32, 32))
    assert outputs.shape == (2, 3)
    outputs.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_its_transforms_and_data_sets_are_there():
    assert torchvision.transforms.Resize(4)(torch.zeros(3, 8, 8)).shape == (3, 4, 4)
    assert issubclass(torchvision.datasets.MNIST, torch.utils.data.Dataset)
    assert "resnet18" in architectures()
    assert "fasterrcnn_resnet50_fpn" not in architectures()


def test_importing_it_again_gives_the_same_module():
    assert sys.modules["torchvision"] is torchvision
    assert vision._import() is torchvision


def test_an_import_that_fails_for_another_reason_stays_a_failure(monkeypatch):
    def fail(_name: str) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(vision, "import_module", fail)
    with pytest.raises(RuntimeError, match="out of luck"):
        vision._import()


def test_no_other_module_imports_it():
    packages = ("config", "lineage", "unlearning", "audits", "expunge")
    paths = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    offenders = [path for path in paths if "torchvision" in imported(path)]
    assert offenders == []


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names
