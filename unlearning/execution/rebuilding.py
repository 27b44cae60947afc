"""Rebuild the shards of a version that held what must go; the others stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from lineage import keys
from lineage.core.bitmaps import union
from lineage.queries.contents import targets_of
from lineage.queries.membership import members
from lineage.queries.training_view import training_view
from unlearning.core.replay.claims import Strength
from unlearning.core.replay.review import check_log
from unlearning.core.session import Session
from unlearning.core.sharding.coverage import ClassesMissing
from unlearning.core.sharding.rebuilding import Rebuild, Shard, ShardRewind
from unlearning.core.stored import StoredExamples
from unlearning.execution.device import placed
from unlearning.execution.elsewhere import elsewhere, limit_of
from unlearning.execution.histories import (
    STEP_LOG_KEY,
    Borrowed,
    PlatformStore,
    recording_of,
)
from unlearning.execution.loading import recipe_of, retain_snapshot
from unlearning.execution.replaying import NoRecording, claimed, ended, from_scratch
from unlearning.execution.sharding import begun_part
from unlearning.queries import histories as kept
from unlearning.queries.histories import Part
from unlearning.recipes.sharded import Sharded
from unlearning.services import histories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyroaring import BitMap

    from lineage.models import Job, ModelVersion
    from lineage.queries.training_view import TrainingView
    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.claims import Execution
    from unlearning.core.replay.store import Store
    from unlearning.models import UnlearningRun


class RestrictedSince(RuntimeError):
    """An earlier try fixed which records are retained, and some of them are not served now."""


def shards_of(version: ModelVersion, recipe: Recipe | None) -> list[Shard]:
    """Return the shards of a version, by number; none where not all of them were kept."""
    if not isinstance(recipe, Sharded):
        return []
    found = []
    for part, account in kept.parts_of(version):
        if origin := recording_of(account):
            found.append(
                Shard(number=part.number, origin=origin, bounds=part.bounds, slices=part.slices)
            )
    return found if [each.number for each in found] == list(range(recipe.shards)) else []


def begin(job: Job, run: UnlearningRun, recipe: Sharded, served: TrainingView) -> Rebuild:
    """Return what a run rebuilds of what is ``served``; the states of each such shard are kept.

    Raises:
        RestrictedSince: a record of such a shard was restricted after an earlier try.
        NoRecording: a shard of the target was not kept.
        NumbersUnclear: it is not known which record was which.
        LogBroken: a step log is not the one that was written.
        ClassesMissing: a shard would have no record left of a class that it knew.
    """
    retained = retain_snapshot(run)
    still = members(retained)

    def store(shard: Shard) -> Store:
        part = Part(
            number=shard.number,
            slices=tuple(records & still for records in shard.slices),
            bounds=shard.bounds,
        )
        return PlatformStore(begun_part(job, name_of(run, shard.number), retained.space, part))

    touched = _touched(run, recipe, still)
    targets = targets_of(retained.space, union(part for each in touched for part in each.slices))
    if lacking := sum(bool(each.lost(still, targets)) for each in touched):
        raise ClassesMissing(
            f"{lacking} of {recipe.shards} shards would have no record left of a class that they "
            "knew; retrain it from scratch."
        )
    return Rebuild(
        part=recipe.part,
        rewinds={
            shard.number: _rewind(shard, served, still, store(shard), name_of(run, shard.number))
            for shard in touched
        },
    )


def name_of(run: UnlearningRun, shard: int) -> str:
    """Return the name of the rebuild of a shard."""
    return f"{run.pk}/{shard}"


def _touched(run: UnlearningRun, recipe: Sharded, still: BitMap) -> list[Shard]:
    shards = shards_of(run.target, recipe)
    if not shards:
        raise NoRecording(f"Not every shard of {run.target} was kept; retrain it from scratch.")
    return [shard for shard in shards if shard.touched(still) is not None]


def _rewind(
    shard: Shard, served: TrainingView, still: BitMap, store: Store, name: str
) -> ShardRewind:
    secret = keys.get(STEP_LOG_KEY)
    check_log(store, shard.origin, secret)
    records = shard.records(still)
    # In other shards there may be restricted records, which are not served.
    places = {ordinal: place for place, ordinal in enumerate(served.ordinals)}
    if late := sum(ordinal not in places for ordinal in records):
        raise RestrictedSince(
            f"{late} records of a shard were restricted since its rebuild began; retrain the "
            "version from scratch, which leaves them out."
        )
    return ShardRewind(
        origin=shard.origin,
        store=store,
        secret=secret,
        run=name,
        holes=shard.holes(still),
        every=settings.EXPUNGE_REPLAY_EVERY or None,
        bounds=shard.bounds,
        places=tuple(places[ordinal] for ordinal in records),
    )


def finish(run: UnlearningRun, version: ModelVersion) -> None:
    """Let the new version have the history of every shard, whether it was rebuilt or not."""
    rebuilt = []
    for part in kept.parts_named(str(run.pk)):
        name = name_of(run, part)
        recording = recording_of(kept.account_named(name))
        kinds = (recording.states, recording.chunks) if recording else ()
        rests_on = [each.key for kind in kinds for each in kind]
        histories.settle(name=name, version=version, rests_on=rests_on)
        rebuilt.append(part)
    histories.pass_on(but=rebuilt, of=run.target, to=version)


def said(run: UnlearningRun, rebuild: Rebuild, seconds: float) -> dict[str, Any]:
    """Return what is claimed of a rebuild that has just ended after ``seconds``, and what it took.

    No shard is named: its number would say something of who is in it. What is claimed of the
    whole is the least that is claimed of a shard; the others have the bits that they had.
    """
    recordings = [ended(run, name_of(run, number)) for number in rebuild.rewinds]
    found = elsewhere(run, limit_of(run, recordings, seconds))
    outcomes: Sequence[Execution | str] = (
        [found] * len(recordings) if isinstance(found, str) else found
    )
    each = [claimed(*pair) for pair in zip(recordings, outcomes, strict=True)]
    shards = kept.parts_of(run.target)
    others = [
        recording_of(account) for part, account in shards if part.number not in rebuild.rewinds
    ]
    weakest = min(each, key=lambda one: one["claim"] == Strength.BIT_EXACT.value)
    return {
        "claim": weakest["claim"],
        "reason": weakest["reason"],
        "shards": len(shards),
        "unchanged": len(others),
        "sample_visits": sum(one["sample_visits"] for one in each),
        "of_training": sum(one["of_training"] for one in each)
        + sum(one.visits for one in others if one),
        "rebuilt": each,
    }


def execute_again(run: UnlearningRun) -> list[Execution]:
    """Rebuild every shard of a run once more, from scratch, keeping nothing of it."""
    recipe = recipe_of(run.target)
    if not isinstance(recipe, Sharded):
        raise NoRecording(f"{run.target} was not trained in shards.")
    retained = retain_snapshot(run)
    still = members(retained)
    served = training_view(retained)
    retain = StoredExamples(recipe, served)
    rewinds = [
        from_scratch(_rewind(shard, served, still, Borrowed(), f"{run.pk}-again/{shard.number}"))
        for shard in _touched(run, recipe, still)
    ]
    session = Session(**placed())
    return [one.replay(retain, recipe.part, session).execution for one in rewinds]
