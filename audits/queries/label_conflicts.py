"""Records that came in equal or close to one of another target, for the page about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import Dataset, LabelConflict

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

S = LabelConflict.State


def open_conflicts() -> QuerySet[LabelConflict]:
    """Return what staff should look at: what is held back first, then the newest."""
    found = LabelConflict.objects.filter(state__in=[S.HELD, S.KEPT]).select_related("space")
    return found.order_by("state", "-found_at", "space", "ordinal")


def held_count() -> int:
    """Return how many records are held back."""
    return LabelConflict.objects.filter(state=S.HELD).count()


def datasets_of(spaces: Collection[int]) -> dict[int, str]:
    """Return the names of the data sets in each of some spaces."""
    found: dict[int, list[str]] = {}
    for space, name in Dataset.objects.filter(space__in=spaces).values_list("space", "name"):
        found.setdefault(space, []).append(name)
    return {space: ", ".join(sorted(names)) for space, names in found.items()}
