"""Freeze what a search of hyperparameters found, and sign that with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.services import log
from unlearning.models import Tuning
from unlearning.services import tunings

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def freeze(*, tuning_id: UUID, recipe_digest: str, now: datetime) -> Tuning:
    """Freeze a search and log the digest of its study, once; the log's signature covers both."""
    tuning = tunings.freeze_tuning(tuning_id=tuning_id, recipe_digest=recipe_digest, now=now)
    if tuning.state == Tuning.State.FROZEN:
        log.append(
            type="tuning_frozen",
            case=None,
            now=now,
            data={
                "tuning": str(tuning.pk),
                "method": tuning.method,
                "study": tuning.study_digest,
                "recipe": tuning.recipe_digest,
            },
            once=f"tuning:{tuning.pk}",
        )
    return tuning
