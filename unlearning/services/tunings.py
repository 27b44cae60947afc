"""Begin a search, keep its trials, and freeze what it found. States: ``unlearning/models.py``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785
from django.db import transaction
from django.db.models import Max

from unlearning.core.objectives import closest, named
from unlearning.models import Tuning, TuningTrial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from lineage.models import DatasetSnapshot

S = Tuning.State


def begin_tuning(  # noqa: PLR0913  (the fields of a search)
    *,
    method: str,
    recipe: str,
    recipe_parameters: Mapping[str, Any],
    snapshot: DatasetSnapshot,
    trials: int,
    proxies: int,
    seed: int,
    now: datetime,
) -> Tuning:
    """Record the intention to search; nothing is computed yet."""
    return Tuning.objects.create(
        method=method,
        recipe=recipe,
        recipe_parameters=dict(recipe_parameters),
        snapshot=snapshot,
        trials_wanted=trials,
        proxies=proxies,
        seed=seed,
        created_at=now,
    )


@transaction.atomic
def keep_trial(
    *,
    tuning_id: UUID,
    hyperparameters: Mapping[str, Any],
    values: Sequence[float],
    attributes: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Keep a trial that ended; return whether the search has enough by now.

    What ends after the search was frozen is not kept: the digest of the study is taken.
    """
    tuning = Tuning.objects.select_for_update().get(pk=tuning_id)
    if tuning.state != S.SEARCHING:
        return True
    TuningTrial.objects.create(
        tuning=tuning,
        number=tuning.trials.count(),
        hyperparameters=dict(hyperparameters),
        values=list(values),
        attributes=dict(attributes),
        ended_at=now,
    )
    return tuning.trials.exclude(values=[]).count() >= tuning.trials_wanted


@transaction.atomic
def freeze_tuning(*, tuning_id: UUID, recipe_digest: str, now: datetime) -> Tuning:
    """Take the best trial of a search for good; a search that is over stays as it is.

    The best is the one with the smallest Euclidean norm of its objectives. Without any, the
    search has failed.
    """
    tuning = Tuning.objects.select_for_update().get(pk=tuning_id)
    if tuning.state != S.SEARCHING:
        return tuning
    trials = list(tuning.trials.order_by("number"))
    ended = {trial.number: trial for trial in trials if trial.values}
    if not ended:
        tuning.state = S.FAILED
        tuning.save(update_fields=["state"])
        return tuning
    best = ended[closest({number: trial.values for number, trial in ended.items()})]
    tuning.state, tuning.frozen_at, tuning.recipe_digest = S.FROZEN, now, recipe_digest
    tuning.version = _next_version(tuning)
    tuning.hyperparameters = best.hyperparameters
    tuning.objectives = named(best.values)
    tuning.study_digest = study_digest(trials)
    tuning.save()
    return tuning


def _next_version(tuning: Tuning) -> int:
    same = Tuning.objects.filter(method=tuning.method, recipe_digest=tuning.recipe_digest)
    return int(same.aggregate(last=Max("version"))["last"] or 0) + 1


def study_digest(trials: Sequence[TuningTrial]) -> str:
    """Return the SHA-256 of the RFC 8785 JSON of all trials: [number, hyperparameters, values]."""
    rows = [[trial.number, trial.hyperparameters, trial.values] for trial in trials]
    return hashlib.sha256(rfc8785.dumps(rows)).hexdigest()
