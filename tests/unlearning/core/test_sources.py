"""A recipe's source is its modules and the helpers beside them, and nothing from elsewhere."""

from __future__ import annotations

import importlib
import sys
from itertools import count

import pytest

from unlearning.core.sources import NoSource, source, with_helpers
from unlearning.recipes.tabular import TabularMLP

NAMES = (f"shop{number}" for number in count())
RECIPE = """
from dataclasses import dataclass
import json
from unlearning.core.training import descend
from unlearning.recipes.digits import DigitsMLP
from {package}.layers import WIDTH
from {package} import rows
from . import empty

@dataclass(frozen=True, kw_only=True)
class Own(DigitsMLP):
    title = "Own"

    def build(self):
        from .late import thing
        return super().build()
"""
HELPERS = {
    "__init__": "",
    "empty": "",
    "layers": "from .deep.below import DEPTH\nWIDTH = 3\n",
    "rows": "from . import recipe\n",
    "late": "thing = 1\n",
    "unused": "other = 1\n",
    "deep/__init__": "",
    "deep/below": "DEPTH = 1\n",
}
MODULES = ["recipe", "layers", "deep.below", "deep", "rows", "empty", "late"]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Write a package with a recipe and its helpers; return its name and its recipe."""
    package = next(NAMES)
    (tmp_path / package / "deep").mkdir(parents=True)
    for name, text in (HELPERS | {"recipe": RECIPE.format(package=package)}).items():
        (tmp_path / package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield package, importlib.import_module(f"{package}.recipe").Own()
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        del sys.modules[name]


def test_helpers_are_followed_and_other_packages_are_not(shop):
    package, _ = shop
    found = with_helpers([f"{package}.recipe"])
    assert set(found) == {f"{package}.{name}" for name in MODULES}
    assert found[0] == f"{package}.recipe"


@pytest.mark.parametrize(
    ("helper", "noticed"),
    [("layers", True), ("deep/below", True), ("late", True), ("empty", True), ("unused", False)],
)
def test_the_digest_changes_with_a_helper(shop, tmp_path, helper, noticed):
    package, recipe = shop
    before = recipe.digest()
    assert before == recipe.digest()
    with (tmp_path / package / f"{helper}.py").open("a") as file:
        file.write("# changed\n")
    assert (recipe.digest() != before) is noticed


def test_whether_a_helper_was_imported_makes_no_difference(shop):
    package, recipe = shop
    before = recipe.digest()
    assert f"{package}.late" not in sys.modules
    importlib.import_module(f"{package}.late")
    assert recipe.digest() == before


def test_the_recipes_of_the_platform_name_their_helpers():
    found = with_helpers([TabularMLP.__module__])
    names = ("tabular", "fitted_at_once", "tabular_layers", "tabular_rows")
    assert found == [f"unlearning.recipes.{name}" for name in names]


def test_a_module_without_a_file_is_named():
    with pytest.raises(NoSource, match=r"^builtins$"):
        source("builtins")
