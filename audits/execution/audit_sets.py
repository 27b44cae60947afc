"""Which records an audit reads: forget set, twins, canaries, test and retain set.

Twins, canaries and test records come from the pool of records that the audited version and its
ancestors never saw. Under the policy ``surrogate`` the shadow models never see the person's
records either: records of the retain set, alike in class and nearest in content, are forgotten
in their place, and the other records of whoever stands in are learned by none of these models.
Nobody whose records are asked about has a twin, a canary or a test record. The models of the
instance test, beside such a pool or beside a certificate, learn the whole retain set and twins of
the person's records; only they are asked about the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from django.utils import timezone
from pyroaring import BitMap
from torch.utils.data import Subset

from audits.core.canonical import sha256, write_json
from audits.core.design import derived_seed
from audits.core.mislabelled import Mislabelled
from audits.core.policy import USUAL_ATTACKS, AuditData
from audits.core.shadows import STRANGERS, ShadowData
from audits.core.twins import NoTwin
from audits.execution.copies import copied_records, copies_of
from audits.execution.numbered import Numbered, stand_ins_of, twins_of
from audits.queries.designs import design_of
from lineage.queries.availability import usable_ordinals
from lineage.queries.contents import batches, read_batch, stored
from lineage.queries.sources import learned_by, parents_of
from lineage.queries.subjects import owners_of
from lineage.queries.training_view import training_view
from lineage.services.views import open_erasure_view
from unlearning.core.examples import count
from unlearning.core.stored import StoredExamples
from unlearning.execution.loading import recipe_of, retain_snapshot
from unlearning.execution.planting import joined, retained_canaries
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audits.models import AuditPlan
    from lineage.models import ModelVersion, OrdinalSpace
    from lineage.queries.contents import Record
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.models import UnlearningRun

SMALLEST_TEST = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditSets:
    """The sets of one audit, decoded by the recipe of the audited version.

    Attributes:
        learned: the ordinals of twins and canaries, which the audited version never saw.
        asked: those of the test records.
        drawn: digest of which records stand for which; another one after some were restricted.
    """

    recipe: Recipe
    data: ShadowData
    own: Examples | None = None
    learned: BitMap = field(default_factory=BitMap, repr=False)
    asked: BitMap = field(default_factory=BitMap, repr=False)
    drawn: str = ""


def audit_sets(plan: AuditPlan, *, instances: bool = False) -> AuditSets:
    """Return the sets of an audit, or of its instance test.

    Equal plans give equal sets while nobody is restricted.

    Args:
        plan: which run is audited, how and from which seed.
        instances: asks for the sets of the models that a certificate or the instance test needs.

    Raises:
        NoTwin: the pool of records that were never trained on is too small.
    """
    run = plan.run
    recipe = recipe_of(run.target)
    forget = runs.forget_of(run)
    now = timezone.now()
    view = open_erasure_view(
        run_id=run.pk, purpose="AUDIT", space=run.space, ordinals=forget, now=now
    )
    own = StoredExamples(recipe, view)
    unseen, erased = list(_pool(run)), set(owners_of(run.space, forget).values())
    pool = Numbered.of(
        StoredExamples(recipe, unseen), [one.ordinal for one in unseen], run.space
    ).without(erased)
    stays = training_view(retain_snapshot(run))
    retained = Numbered.of(
        StoredExamples(recipe, stays), list(stays.ordinals), stays.snapshot.space
    )
    if instances or plan.certificate_id is not None:
        whole = joined(retained.examples, retained_canaries(run, recipe))
        return _never_saw(recipe, own, whole, pool, design_of(plan).seed)
    return _of_pool(plan, recipe, own, retained, pool)


def _of_pool(
    plan: AuditPlan, recipe: Recipe, own: Examples, retained: Numbered, pool: Numbered
) -> AuditSets:
    """Return the sets of a pool of shadow models."""
    design, questioned, retain = design_of(plan), own, retained.examples
    canaries = retained_canaries(plan.run, recipe)
    surrogate, chosen = plan.policy["audit_data"] == AuditData.SURROGATE, cast("list[int]", [])
    if surrogate:
        chosen, kept = stand_ins_of(
            own, retained, plan.design.get("places"), derived_seed(design.seed, "surrogate")
        )
        questioned, retain = Subset(retain, chosen), Subset(retain, kept)
        pool = pool.without({retained.owners[at] for at in chosen})
    twins, rest = twins_of(questioned, pool, design.seed)
    if len(rest) < design.canaries + SMALLEST_TEST:
        raise NoTwin(
            f"not computed: after {len(twins)} twins the pool of never-trained records has "
            f"{len(rest)} left; {design.canaries + SMALLEST_TEST} are needed as canaries and for "
            f"tests."
        )
    planted, test = rest[: design.canaries], rest[design.canaries :]
    mislabelled = Mislabelled(Subset(pool.examples, planted), len(recipe.targets))
    beside = pool.named(test[:STRANGERS]) if _asks_strangers(plan) else []
    copied = copied_records(plan, count(questioned))
    drawn = [retained.named(chosen), pool.named(twins), pool.named(planted), beside]
    drawn += [list(copied)] if copied else []  # or the digest would not be an earlier release's
    return AuditSets(
        recipe=recipe,
        data=ShadowData(
            retain=joined(retain, canaries),
            forget=questioned,
            twins=Subset(pool.examples, twins),
            canaries=mislabelled,
            test=Subset(pool.examples, test),
            copies=copies_of(plan, questioned, retain, copied),
            copied=copied,
            subjects=tuple(plan.design.get("places", ())),
        ),
        own=own if surrogate else None,
        learned=BitMap(pool.named([*twins, *planted])),
        asked=BitMap(pool.named(test)),
        drawn=sha256(write_json(drawn)),
    )


def _asks_strangers(plan: AuditPlan) -> bool:
    """Return whether an attack may compare single test records of one model with another's."""
    return not set(plan.policy.get("attacks", ())) <= set(USUAL_ATTACKS)


def _never_saw(
    recipe: Recipe, own: Examples, retain: Examples, pool: Numbered, seed: int
) -> AuditSets:
    """Return the sets of models that learn twins in place of the person's records."""
    twins, rest = twins_of(own, pool, seed)
    if len(rest) < SMALLEST_TEST:
        raise NoTwin(
            f"not computed: after {len(twins)} twins the pool of never-trained records has "
            f"{len(rest)} left; {SMALLEST_TEST} are needed for tests."
        )
    data = ShadowData(
        retain=retain,
        forget=own,
        twins=Subset(pool.examples, twins),
        canaries=Subset(pool.examples, []),
        test=Subset(pool.examples, rest),
    )
    return AuditSets(
        recipe=recipe,
        data=data,
        own=own,
        learned=BitMap(pool.named(twins)),
        asked=BitMap(pool.named(rest)),
    )


def never_trained_on(run: UnlearningRun) -> StoredExamples:
    """Return the usable records that the target of a run never learned from."""
    return StoredExamples(recipe_of(run.target), _pool(run))


def _pool(run: UnlearningRun) -> Iterator[Record]:
    seen = seen_by(run.target, run.space)
    for batch in batches(usable_ordinals(run.space) - seen):
        yield from read_batch(run.space, batch)


def seen_by(target: ModelVersion, space: OrdinalSpace) -> BitMap:
    """Return the records of a space that a version and all that it was trained from learned."""
    seen = learned_by(target, space)
    for parent in parents_of(target):
        seen |= seen_by(parent, space)
    return seen


def population_sets(run: UnlearningRun) -> tuple[Examples, Examples]:
    """Return the forget set of a run and the records that its version never saw.

    Raises:
        NoTwin: there are none, or the forget set cannot be read any more.
    """
    recipe = recipe_of(run.target)
    forget, now = runs.forget_of(run), timezone.now()
    if stored(run.space, forget) != forget:
        raise NoTwin("not computed: the records were erased before this run, so none can be read.")
    view = open_erasure_view(
        run_id=run.pk, purpose="AUDIT", space=run.space, ordinals=forget, now=now
    )
    strangers = never_trained_on(run)
    if not len(strangers):
        raise NoTwin("not computed: there are no records that the version never saw.")
    return StoredExamples(recipe, view), strangers
