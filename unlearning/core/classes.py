"""Whether a forget set is a whole class of the training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.examples import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe


class NotAWholeClass(ValueError):
    """Some records of a class are to go and others to stay."""


def forgotten_classes(
    recipe: Recipe, retain: Examples, forget: Examples | None, named: Iterable[str] = ()
) -> tuple[int, ...]:
    """Return the positions, in ``recipe.targets``, of the classes that are to go.

    Those are the classes of the forget set; where it may not be read (None), those that the
    request named. That a class has no retained record does not mean that it is to go: the model
    may never have seen one.

    Raises:
        NotAWholeClass: the retain set still has records of them, or none is to go.
        UnknownTarget: a name is none of the recipe's targets.
    """
    if forget is None:
        gone = {int(recipe.label(name)) for name in named}
        source = "The request names"
    else:
        gone = set(labels_of(forget).tolist())
        source = "The forget set has records of"
    if not gone:
        raise NotAWholeClass(
            f"{source} no class, so no whole class is to go; name it in Context.classes, or "
            f"choose a method for single records."
        )
    if shared := sorted(gone & set(labels_of(retain).tolist())):
        names = ", ".join(recipe.targets[each] for each in shared)
        raise NotAWholeClass(
            f"{source} {names}, of which others are retained; choose a method for single records."
        )
    return tuple(sorted(gone))
