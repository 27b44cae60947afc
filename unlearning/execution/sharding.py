"""Train shards by a recipe, each recorded, with everybody's records in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from pyroaring import BitMap

from lineage import keys
from lineage.core import bitmaps
from lineage.queries.subjects import owners_of
from unlearning.core.replay.engine import Trainer
from unlearning.core.replay.pinned import Pinned
from unlearning.core.sharding.coverage import check_classes
from unlearning.core.sharding.placement import Subjects, place
from unlearning.core.sharding.trainer import ShardedTrainer
from unlearning.core.sharding.vote import SoftVote
from unlearning.core.stored import StoredExamples
from unlearning.execution.histories import STEP_LOG_KEY, PlatformStore, tried
from unlearning.queries.histories import Part
from unlearning.services import histories

if TYPE_CHECKING:
    from torch import nn

    from lineage.models import Job, OrdinalSpace
    from lineage.queries.training_view import TrainingView
    from unlearning.core.session import Session
    from unlearning.core.sharding.placement import Placement
    from unlearning.models import TrainingHistory
    from unlearning.recipes.sharded import Sharded

PLACEMENT_KEY = "shard-placement"


def recorded_in_shards(
    job: Job, recipe: Sharded, session: Session, view: TrainingView
) -> SoftVote:
    """Train every shard, keeping what its rebuild needs; a try that died is taken up.

    Raises:
        TooEntangled, EmptyShard: the people in the view cannot be spread over so many shards.
        ClassesMissing: a shard would never learn a class.
        TooManySlices: the recipe has too few epochs for the slices.
    """
    examples = StoredExamples(recipe.part, view)
    placement = placed_by_person(view, recipe)
    check_classes(placement, examples.targets)
    source = Pinned(examples, size=len(examples))
    space = view.snapshot.space
    content = f"{space.public_id}:{bitmaps.digest(view.ordinals)}"

    def shard(part: Part) -> nn.Module:
        def begun() -> TrainingHistory:
            return begun_part(job, f"{job.pk}/{part.number}", space, part)

        def once(history: TrainingHistory) -> nn.Module:
            trainer = Trainer(
                recipe=recipe.part,
                session=session,
                store=PlatformStore(history),
                secret=keys.get_or_create(STEP_LOG_KEY),
                content=content,
                every=settings.EXPUNGE_REPLAY_EVERY or None,
            )
            bench = ShardedTrainer(trainer=trainer, placement=placement)
            return bench.shard(str(job.pk), part.number, source).model

        return tried(begun, once)

    return SoftVote(map(shard, parts_of_view(placement, view))).eval()


def begun_part(job: Job, name: str, space: OrdinalSpace, part: Part) -> TrainingHistory:
    """Return the history of a shard, made if this is the first try."""
    return histories.begin(
        name=name,
        job=job,
        space=space,
        ordinals=bitmaps.union(part.slices),
        now=timezone.now(),
        part=part,
    )


def placed_by_person(view: TrainingView, recipe: Sharded) -> Placement:
    """Return who is where: by a keyed hash of the person, and who came last in the last slice.

    People are numbered as they are registered, so that number tells who came when.

    Raises:
        TooEntangled, EmptyShard: see ``place``.
    """
    owners = owners_of(view.snapshot.space, view.ordinals)
    people = [owners[ordinal] for ordinal in view.ordinals]
    subjects = Subjects(
        of=[() if person is None else (str(person),) for person in people],
        since={str(person): float(person) for person in people if person is not None},
    )
    return place(
        subjects,
        shards=recipe.shards,
        slices=recipe.slices,
        secret=placement_key(),
    )


def placement_key() -> bytes:
    """Return the key of the hash that places people: without it nobody can be sought out."""
    return keys.get_or_create(PLACEMENT_KEY)


def parts_of_view(placement: Placement, view: TrainingView) -> list[Part]:
    """Return the shards of a placement, by ordinals in place of numbers."""
    ordinals = list(view.ordinals)
    return [
        Part(
            number=number,
            slices=tuple(BitMap(ordinals[at] for at in records) for records in shard),
            bounds=placement.bounds(number),
        )
        for number, shard in enumerate(placement.shards)
    ]
