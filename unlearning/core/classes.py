"""Whether a forget set is a whole class of the training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.examples import labels_of

if TYPE_CHECKING:
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe


class NotAWholeClass(ValueError):
    """Some records of a class are to go and others to stay."""


def forgotten_classes(
    recipe: Recipe, retain: Examples, forget: Examples | None
) -> tuple[int, ...]:
    """Return the positions, in ``recipe.targets``, of the classes that are to go.

    Those are the classes of the forget set; where it may not be read (None), those of which the
    retain set has no record.

    Raises:
        NotAWholeClass: the retain set still has records of them, or none is to go.
    """
    kept = set(labels_of(retain).tolist())
    gone = set(range(len(recipe.targets))) - kept
    if forget is not None:
        gone = set(labels_of(forget).tolist())
        if shared := sorted(gone & kept):
            names = ", ".join(recipe.targets[each] for each in shared)
            raise NotAWholeClass(
                f"The forget set has records of {names}, of which others are retained; choose a "
                f"method for single records."
            )
    if not gone:
        raise NotAWholeClass(
            "Every class still has retained records, so no whole class is to go; choose a method "
            "for single records."
        )
    return tuple(sorted(gone))
