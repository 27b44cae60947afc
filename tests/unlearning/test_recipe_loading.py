"""A recipe is loaded by name from listed modules only, and a change to it is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import (
    NotARecipe,
    RecipeChanged,
    RecipeNotAllowed,
    check_unchanged,
    load_recipe,
)
from unlearning.recipes.digits import DigitsCNN, DigitsMLP

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.mark.parametrize(
    ("path", "parameters", "error", "sentence"),
    [
        (
            "os:system", {}, RecipeNotAllowed,
            r"^The recipe module 'os' may not be imported: EXPUNGE_RECIPE_MODULES allows "
            r"unlearning\.recipes, mine\.$",
        ),
        ("unlearning.recipesx:A", {}, RecipeNotAllowed, "may not be imported"),
        ("unlearning.recipes.none:A", {}, NotARecipe, "recipes.none' cannot be found"),
        ("unlearning.recipes.digits:Nope", {}, NotARecipe, "names no recipe; it must be 'package"),
        ("unlearning.recipes.digits:Digits", {}, NotARecipe, "names no recipe"),
        ("unlearning.recipes.digits:encode", {}, NotARecipe, "names no recipe"),
        ("unlearning.recipes.digits", {}, NotARecipe, "names no recipe"),
        (
            "unlearning.recipes.digits:DigitsMLP", {"epoch": 1}, NotARecipe,
            "DigitsMLP has no parameter epoch; it has batch_size, epochs, hidden",
        ),
        (
            "unlearning.recipes.images:ImageClassifier", {}, NotARecipe,
            "ImageClassifier cannot be made: missing a required argument: 'targets'",
        ),
        (
            "unlearning.recipes.digits:DigitsMLP", {"epochs": 0}, OutOfRange,
            r"DigitsMLP\.epochs is 0, outside \[1, 10000\]\.",
        ),
    ],
)  # fmt: skip
def test_a_path_that_is_no_recipe_is_refused(path, parameters, error, sentence):
    with pytest.raises(error, match=sentence):
        load_recipe(path, parameters, ["unlearning.recipes", "mine"])


def test_a_module_that_is_not_allowed_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RecipeNotAllowed, match=r"allows none\.$"):
        load_recipe("trap:A", {}, [])


OWN = """
from dataclasses import dataclass
from unlearning.recipes.digits import DigitsMLP

@dataclass(frozen=True, kw_only=True)
class Own(DigitsMLP):
    title = "{title}"
"""


def _own(folder: Path, title: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import importlib
    import linecache
    import sys

    (folder / f"own_{title}").mkdir()
    (folder / f"own_{title}" / "own_recipe.py").write_text(OWN.format(title=title))
    monkeypatch.syspath_prepend(folder / f"own_{title}")
    monkeypatch.delitem(sys.modules, "own_recipe", raising=False)
    linecache.clearcache()
    importlib.invalidate_caches()
    return importlib.import_module("own_recipe")


def test_changed_code_or_parameters_are_noticed(tmp_path, monkeypatch):
    captured = _own(tmp_path, "one", monkeypatch).Own().digest()
    changed = _own(tmp_path, "two", monkeypatch).Own()
    with pytest.raises(
        RecipeChanged, match=f"^The recipe own_recipe:Own has .* but {captured} was"
    ):
        check_unchanged(changed, captured)
    monkeypatch.delitem(__import__("sys").modules, "own_recipe")
    mlp = DigitsMLP()
    assert mlp.digest() == DigitsMLP(learning_rate=0.1).digest() != DigitsMLP(epochs=31).digest()
    assert mlp.digest() != DigitsCNN().digest()


def test_a_recipe_without_a_file_cannot_be_captured(monkeypatch):
    import sys
    from types import ModuleType

    module = ModuleType("typed_in")
    monkeypatch.setitem(sys.modules, "typed_in", module)
    exec(OWN.format(title="one"), vars(module))
    with pytest.raises(NotARecipe, match="The source of typed_in cannot be read, so its recipe"):
        module.Own().digest()
