"""What was found by searching, and how far a search is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.models import Tuning

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet


def tuned(*, method: str, recipe_digest: str) -> Tuning | None:
    """Return the newest frozen tuning of a method for a recipe of this digest."""
    found = Tuning.objects.filter(
        method=method, recipe_digest=recipe_digest, state=Tuning.State.FROZEN
    )
    return found.order_by("-version").first() if recipe_digest else None


def completed(tuning_id: UUID) -> int:
    """Return how many trials of a search ended with a model."""
    return Tuning.objects.get(pk=tuning_id).trials.exclude(values=[]).count()


def all_tunings() -> QuerySet[Tuning]:
    """Return every search, the newest first."""
    return Tuning.objects.order_by("-created_at")
