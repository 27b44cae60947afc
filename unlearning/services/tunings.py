"""Begin a search, keep its trials, and freeze what it found. States: ``unlearning/models.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from pyroaring import BitMap

from lineage.core import bitmaps
from lineage.queries.subjects import owners_of
from lineage.queries.training_view import training_view
from unlearning.core.objectives import FAILURES_PER_TRIAL, closest, named
from unlearning.core.proxy_people import forgotten
from unlearning.models import Tuning, TuningTrial
from unlearning.queries.tunings import digest_of, lost, study_digest

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
    """Fix the records that a search is made on, and those that its proxies forget.

    Nothing is computed yet.

    Raises:
        TooFewToTune: the snapshot has too few usable records, or people.
    """
    view = training_view(snapshot).ordinals
    forget = forgotten(owners_of(snapshot.space, view), seed=seed)
    return Tuning.objects.create(
        method=method,
        recipe=recipe,
        recipe_parameters=dict(recipe_parameters),
        snapshot=snapshot,
        trials_wanted=trials,
        proxies=proxies,
        seed=seed,
        view=bitmaps.encode(view),
        forget=bitmaps.encode(BitMap(forget)),
        created_at=now,
    )


@transaction.atomic
def open_search(*, tuning_id: UUID, recipe_digest: str) -> bool:
    """Return whether a search may go on, with the recipe that it was begun with.

    It fails here if a record of it is restricted or erased by now, or the recipe is another:
    trials before and after would be of two problems.
    """
    tuning = _locked(tuning_id)
    if not _goes_on(tuning):
        return False
    if tuning.recipe_digest not in ("", recipe_digest):
        _fail(tuning, "The recipe was changed after the search began; begin a new search.")
        return False
    Tuning.objects.filter(pk=tuning.pk).update(recipe_digest=recipe_digest)
    return True


@transaction.atomic
def fail_search(*, tuning_id: UUID, sentence: str) -> None:
    """Give a search up that goes on; the sentence says why."""
    tuning = _locked(tuning_id)
    if _goes_on(tuning):
        _fail(tuning, sentence)


@transaction.atomic
def keep_trial(
    *,
    tuning_id: UUID,
    hyperparameters: Mapping[str, Any],
    values: Sequence[float],
    attributes: Mapping[str, Any],
    now: datetime,
    share: int = 0,
) -> bool:
    """Keep a trial that ended; return whether the search is over by now, or has enough.

    What ends after the search was frozen is not kept: the digest of the study is taken. Nor is
    what ends after a record of the search was restricted.
    """
    tuning = _locked(tuning_id)
    if not _goes_on(tuning):
        return True
    TuningTrial.objects.create(
        tuning=tuning,
        number=tuning.trials.count(),
        hyperparameters=dict(hyperparameters),
        values=list(values),
        attributes=dict(attributes),
        share=share,
        ended_at=now,
    )
    return _enough(tuning) or _hopeless(tuning)


@transaction.atomic
def freeze_tuning(*, tuning_id: UUID, now: datetime) -> Tuning:
    """Take the best trial of a search for good, once there are as many as were wanted.

    The best is the one with the smallest Euclidean norm of its objectives. A search that is over
    stays as it is, and so does one of which other jobs still try settings.
    """
    tuning = _locked(tuning_id)
    if not _goes_on(tuning):
        return tuning
    if _enough(tuning):
        _freeze(tuning, now)
    elif _hopeless(tuning):
        _fail(
            tuning,
            f"{tuning.trials.filter(values=[]).count()} settings failed, and "
            f"{tuning.trials.exclude(values=[]).count()} of {tuning.trials_wanted} ended with a "
            "model; begin a new search, with fewer trials or another recipe.",
        )
    return tuning


def _freeze(tuning: Tuning, now: datetime) -> None:
    trials = list(tuning.trials.order_by("number"))
    ended = {trial.number: trial for trial in trials if trial.values}
    best = ended[closest({number: trial.values for number, trial in ended.items()})]
    tuning.state, tuning.frozen_at = S.FROZEN, now
    tuning.version = _next_version(tuning)
    tuning.hyperparameters = best.hyperparameters
    tuning.objectives = named(best.values)
    tuning.study_digest = study_digest(trials)
    tuning.digest = digest_of(tuning)
    tuning.save()


def _locked(tuning_id: UUID) -> Tuning:
    locked = Tuning.objects.select_for_update(of=("self",)).select_related("snapshot__space")
    return locked.get(pk=tuning_id)


def _goes_on(tuning: Tuning) -> bool:
    """Return whether a search may go on; it fails here if a record of it may not be used now."""
    if tuning.state != S.SEARCHING:
        return False
    if gone := len(lost(tuning)):
        _fail(
            tuning,
            f"{gone} of its records were restricted or erased after the search began; begin a "
            "new search, which will do without them.",
        )
    return not gone


def _fail(tuning: Tuning, sentence: str) -> None:
    tuning.state, tuning.failure = S.FAILED, sentence
    tuning.save(update_fields=["state", "failure"])


def _enough(tuning: Tuning) -> bool:
    return tuning.trials.exclude(values=[]).count() >= tuning.trials_wanted


def _hopeless(tuning: Tuning) -> bool:
    failed = tuning.trials.filter(values=[]).count()
    return failed >= FAILURES_PER_TRIAL * tuning.trials_wanted


def _next_version(tuning: Tuning) -> int:
    same = Tuning.objects.filter(method=tuning.method, recipe_digest=tuning.recipe_digest)
    return int(same.aggregate(last=Max("version"))["last"] or 0) + 1
