"""Every method there is, with settings and sets on which it can be tried in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unlearning.toys import (
    FORGET,
    HELD_OUT,
    RETAIN,
    WHOLE_CLASS,
    Budgeted,
    Counting,
    Toy,
    history,
    original,
    rewind,
)
from unlearning.core.catalogue import registry
from unlearning.core.claims import Granularity, Layers
from unlearning.core.context import Context

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.data import TensorDataset

    from unlearning.core.method import Method

METHODS = registry()

# Settings for data as small as these; all other numbers are the defaults.
SMALL: dict[str, dict[str, float]] = {
    "ssd": {"alpha": 1.5},
    "lfssd": {"alpha": 1.2},
    "amun": {"attack_steps": 10},
    "aru": {"noise_steps": 20, "noise_rate": 0.01},
    "remi": {"attack_epochs": 5},
    "unsir": {"noise_records": 8, "noise_steps": 5, "copies": 2},
}


# What keeps sums or a budget is fitted at once: its methods draw nothing and have no loss.
OWN: dict[Layers, type[Toy]] = {Layers.STATISTICS: Counting, Layers.BUDGETED: Budgeted}


def fitted_at_once(method: Method) -> bool:
    return method.layers in OWN


def tried(name: str, **settings: float) -> Method:
    """Return a method with settings that suit the toys."""
    cls: Any = METHODS.get(name)
    made: Method = cls(**{**SMALL.get(name, {}), **settings})
    return made


def at_home(method: Method, kind: type[Toy]) -> Toy:
    """Return a recipe whose model has the layers that the method edits.

    A model with a state of its own comes from a recipe of its own, whatever kind was asked for.
    """
    return OWN.get(method.layers, kind)(edits=method.layers.name)


def sets(method: Method) -> tuple[TensorDataset, TensorDataset]:
    """Return a retain set and a forget set that the method accepts."""
    return WHOLE_CLASS if method.granularity is Granularity.CLASS else (RETAIN, FORGET)


def context(recipe: Toy, seed: int = 7, **more: Any) -> Context:  # noqa: ANN401  (what a session takes)
    mine = {"validation": HELD_OUT, "classes": ("c",), "history": history(recipe), **more}
    if not isinstance(recipe, Counting | Budgeted):
        mine.setdefault("rewind", rewind(recipe, seed))
    return Context(recipe=recipe, seed=seed, **mine)


def run(method: Method, kind: type[Toy] = Toy, seed: int = 7) -> nn.Module:
    recipe = at_home(method, kind)
    return method.unlearn(original(recipe), *sets(method), context(recipe, seed))
