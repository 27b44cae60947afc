"""Freeze what a search of hyperparameters found, and sign that with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.queries.tunings import once
from audits.services import log
from unlearning.models import Tuning
from unlearning.services import tunings

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def freeze(*, tuning_id: UUID, now: datetime) -> Tuning:
    """Freeze a search that has enough trials and log the digest of it, once.

    The digest is of the numbers and of all that they hold for and came from, so the log's
    signature covers what is used.
    """
    tuning = tunings.freeze_tuning(tuning_id=tuning_id, now=now)
    if tuning.state == Tuning.State.FROZEN:
        log.append(
            type="tuning_frozen",
            case=None,
            now=now,
            data={
                "tuning": str(tuning.pk),
                "method": tuning.method,
                "dataset": str(tuning.snapshot.dataset_id),
                "recipe": tuning.recipe_digest,
                "study": tuning.study_digest,
                "artefact": tuning.digest,
            },
            once=once(tuning.pk),
        )
    return tuning
