"""What was found by searching, how far a search is, and what was frozen of it."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import TYPE_CHECKING

import rfc8785

from lineage.core import bitmaps
from lineage.queries.availability import barred_ordinals
from unlearning.models import Tuning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet
    from pyroaring import BitMap

    from lineage.models import Dataset
    from unlearning.models import TuningTrial


def frozen(
    *, method: str, recipe_digest: str, dataset: Dataset, before: datetime
) -> QuerySet[Tuning]:
    """Return what was frozen before a time for a method, a recipe and a data set, newest first."""
    found = Tuning.objects.filter(
        method=method,
        recipe_digest=recipe_digest,
        snapshot__dataset=dataset,
        state=Tuning.State.FROZEN,
        frozen_at__lt=before,
    )
    return found.select_related("snapshot").order_by("-version")


def forgotten_by(tuning: Tuning) -> BitMap:
    """Return the records that the proxies of a search forget, as ordinals of its space."""
    return bitmaps.decode(bytes(tuning.forget))


def lost(tuning: Tuning) -> BitMap:
    """Return the records of a search that are restricted or erased by now."""
    return bitmaps.decode(bytes(tuning.view)) & barred_ordinals(tuning.snapshot.space)


def searching(tuning_id: UUID) -> bool:
    """Return whether a search goes on, and all that it began with may still be used."""
    tuning = Tuning.objects.select_related("snapshot__space").get(pk=tuning_id)
    return tuning.state == Tuning.State.SEARCHING and not lost(tuning)


def completed(tuning_id: UUID) -> int:
    """Return how many trials of a search ended with a model."""
    return Tuning.objects.get(pk=tuning_id).trials.exclude(values=[]).count()


def all_tunings() -> QuerySet[Tuning]:
    """Return every search, the newest first."""
    return Tuning.objects.order_by("-created_at")


def study_digest(trials: Sequence[TuningTrial]) -> str:
    """Return the SHA-256 of the RFC 8785 JSON of all trials: [number, hyperparameters, values]."""
    return _digest([[trial.number, trial.hyperparameters, trial.values] for trial in trials])


def digest_of(tuning: Tuning) -> str:
    """Return the SHA-256 of all that is frozen, as it stands in the database now.

    The study and the sets of records are taken anew, so a change of any trial shows as well. The
    fields are named in ``docs/tuning.md``.
    """
    frozen_at = tuning.frozen_at.astimezone(UTC).isoformat() if tuning.frozen_at else ""
    return _digest(
        {
            "tuning": str(tuning.pk),
            "method": tuning.method,
            "version": tuning.version,
            "recipe": tuning.recipe,
            "recipe_parameters": tuning.recipe_parameters,
            "recipe_digest": tuning.recipe_digest,
            "dataset": str(tuning.snapshot.dataset_id),
            "snapshot": tuning.snapshot.digest,
            "view": hashlib.sha256(bytes(tuning.view)).hexdigest(),
            "forget": hashlib.sha256(bytes(tuning.forget)).hexdigest(),
            "seed": str(tuning.seed),
            "proxies": tuning.proxies,
            "trials": tuning.trials_wanted,
            "hyperparameters": tuning.hyperparameters,
            "objectives": tuning.objectives,
            "study": study_digest(list(tuning.trials.order_by("number"))),
            "frozen_at": frozen_at,
        }
    )


def _digest(value: object) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()  # type: ignore[arg-type]  # JSON
