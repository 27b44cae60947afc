"""Parsers of recipes, methods, rows of training data and recorded trainings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from lineage.core.pictures import FORMATS
from lineage.core.registry import UnknownName
from tests.fuzzing.of_lineage import picture
from tests.fuzzing.parser import Parser
from unlearning.core.ranges import OutOfRange
from unlearning.core.recipe import NotARecipe, RecipeNotAllowed, UnreadableRecord, load_recipe
from unlearning.core.replay.log import Chain, LogBroken, genesis, verified
from unlearning.core.replay.states import State as TrainingState
from unlearning.core.replay.states import StateUnreadable
from unlearning.core.statistics.ridge import Ridge
from unlearning.core.statistics.state import NotStatistics, State
from unlearning.library import UnknownSetting, method_named
from unlearning.recipes import digits, images, tabular_rows

MODULES = ("unlearning.recipes", "tests.unlearning.toys")
FIRST = genesis("a training")


def _recipe(told: Any) -> object:  # noqa: ANN401  (any JSON)
    given = told.get("parameters") if isinstance(told, dict) else None
    path = told.get("recipe") if isinstance(told, dict) else None
    if not isinstance(given, dict) or not isinstance(path, str):
        raise NotARecipe("The API refuses what is no path and no object of parameters.")
    return load_recipe(path, given, MODULES)


def _method(told: Any) -> object:  # noqa: ANN401  (any JSON)
    if not isinstance(told, dict):
        raise UnknownSetting("Settings are an object.")
    numbers = dict(told)
    return method_named(str(numbers.pop("method", "finetune")), **numbers)


def _log() -> tuple[bytes, str]:
    chain = Chain(FIRST)
    chain.open(0, phase="train", steps=2, plan="p", start="s")
    return chain.taken(), chain.head


def _row(content: bytes) -> object:
    row = tabular_rows.parsed(content, ("age", "city"))
    return tabular_rows.finite_number("age", row["age"])


def _state() -> bytes:
    parts: dict[str, Any] = {
        "model": {"w": torch.ones(2)},
        "optimizer": {"state": {0: {"step": 1}}},
    }
    state = TrainingState(
        phase=0, step=3, companions={}, random={"torch": torch.zeros(4)}, **parts
    )
    return state.to_bytes()


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    log, head = _log()
    levels = np.arange(64).reshape(8, 8) % 17
    told = {"hidden": 16, "epochs": 2, "learning_rate": 0.1, "batch_size": 8}
    mlp = {"recipe": "unlearning.recipes.digits:DigitsMLP", "parameters": told}
    model = Ridge(columns=2, outputs=2)
    ridge = State(model=model, counters=model.empty(), operations={})
    return (
        Parser(
            name="recipe and parameters",
            reads="unlearning/core/recipe.py",
            call=_recipe,
            refuses=(NotARecipe, RecipeNotAllowed, OutOfRange),
            seeds=(mlp,),
        ),
        Parser(
            name="method and settings",
            reads="unlearning/library.py, core/ranges.py",
            call=_method,
            refuses=(UnknownName, UnknownSetting, OutOfRange),
            seeds=({"method": "finetune", "epochs": 2}, {"method": "ssd"}, {"method": "scrub"}),
        ),
        Parser(
            name="digit",
            reads="unlearning/recipes/digits.py",
            call=digits.decode_levels,
            refuses=(UnreadableRecord,),
            seeds=(digits.encode(levels.tolist()),),
        ),
        Parser(
            name="image",
            reads="unlearning/recipes/images.py",
            call=images._opened,
            refuses=(UnreadableRecord,),
            seeds=tuple(map(picture, FORMATS)),
        ),
        Parser(
            name="row of a table",
            reads="unlearning/recipes/tabular_rows.py",
            call=_row,
            refuses=(UnreadableRecord,),
            seeds=(
                b'{"age":3,"city":"Ulm"}',
                b'3.5,"Ulm"',
                json.dumps({"age": "7", "city": ""}).encode(),
            ),
        ),
        Parser(
            name="state of a training",
            reads="unlearning/core/replay/states.py",
            call=TrainingState.from_bytes,
            refuses=(StateUnreadable,),
            seeds=(_state(),),
        ),
        Parser(
            name="log of a training",
            reads="unlearning/core/replay/log.py",
            call=lambda data: list(verified(data, first=FIRST, head=head, rows=1)),
            refuses=(LogBroken,),
            seeds=(log,),
        ),
        Parser(
            name="statistics of a model",
            reads="unlearning/core/statistics/state.py",
            call=State.from_bytes,
            refuses=(NotStatistics,),
            seeds=(ridge.to_bytes(),),
        ),
    )
