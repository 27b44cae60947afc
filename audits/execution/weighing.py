"""Which way a version is unlearned: what is known of it, weighed, with the reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.execution.asked import Asked
from audits.queries.policy_values import in_force
from lineage.core.bitmaps import union
from lineage.queries.availability import (
    barred_ordinals,
    purged_ordinals,
    restricted_ordinals,
)
from lineage.queries.contents import targets_of
from lineage.queries.membership import members
from lineage.queries.sources import base_of, learned_by, training_snapshot
from unlearning.core.claims import Guarantee
from unlearning.core.planning.choice import Decision, plan
from unlearning.core.planning.facts import (
    BudgetFacts,
    ForgetFacts,
    MeasuredCosts,
    MethodFacts,
    PrivacyFacts,
    ReplayFacts,
    SavedState,
    VersionFacts,
)
from unlearning.core.planning.policy import Case, PlanningPolicy
from unlearning.core.planning.ways import Strength, Way
from unlearning.core.replay.fingerprint import differences, fingerprint
from unlearning.core.replay.rewind import NumbersUnclear, holes_in
from unlearning.core.scheduling.policies import RENEWING
from unlearning.core.sharding.facts import Told, told
from unlearning.core.sharding.touching import left_out
from unlearning.execution import privacy
from unlearning.execution.certificates import budget_of
from unlearning.execution.device import NoDevice, arithmetic_of, placed
from unlearning.execution.histories import recording_of
from unlearning.execution.loading import makes_sums, reader_of
from unlearning.execution.rebuilding import shards_of
from unlearning.queries.catalogue import declared_methods
from unlearning.queries.histories import account_of, seconds_of_training
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyroaring import BitMap

    from lineage.models import ModelVersion, OrdinalSpace
    from unlearning.core.replay.fingerprint import Fingerprint
    from unlearning.core.replay.recording import Recording
    from unlearning.core.sharding.rebuilding import Shard

ALONE = frozenset({Way.SHARD_REBUILD})
SHARED = ALONE | {Way.REWIND}
_SECONDS = 1.0  # of a training of which nobody knows how long it took


def weighed(
    version: ModelVersion,
    forget: BitMap,
    *,
    approximate: Mapping[str, Any] | None = None,
    asked: Asked | None = None,
) -> Decision:
    """Weigh every way to unlearn a version that learned from these records of its own data.

    Args:
        version: to be unlearned.
        forget: the records, of the space that the version was trained on.
        approximate: the numbers of the installation's approximate method, None where it has none.
        asked: for whom; by default one person, of whom no other version learned.
    """
    asked = asked or Asked()
    given = _approximate(approximate) if approximate is not None else ()
    facts, forgotten = _facts(version, forget)
    facts = replace(
        facts,
        **_privacy(version, forget, made_from=asked.made_from),
        **_budget(version, forget, made_from=asked.made_from),
    )
    seconds = seconds_of_training(version) or _SECONDS
    return plan(
        facts,
        forgotten,
        policy=PlanningPolicy(
            minimum=_minimum(given, shards=facts.shards is not None),
            bridge=False,
            accept_privacy=accepts_privacy(),
            max_epsilon=asked.accepted.epsilon,
            max_delta=asked.accepted.delta,
            verified=settings.EXPUNGE_REPLAY_TWICE,
            retrain_above=RENEWING.retrain_above or 1.0,
            renewed=SHARED if asked.shared else ALONE,
        ),
        measured=MeasuredCosts(per_visit=seconds / max(1, facts.visits)),
        methods=given,
        case=Case(intake=asked.intake),
    )


def exact_only() -> bool:
    """Return whether the installation accepts no approximate method."""
    return bool(in_force("MINIMUM")) and Strength[in_force("MINIMUM")].exact


def accepts_privacy() -> bool:
    """Return whether the installation accepts an (epsilon, delta) of training as enough."""
    return bool(in_force("ACCEPT_EPSILON"))


def _minimum(given: tuple[MethodFacts, ...], *, shards: bool) -> Strength:
    if in_force("MINIMUM"):
        return Strength[in_force("MINIMUM")]
    if given:
        return Strength.APPROXIMATE
    # A rollback of shards promises more than a bound, and yet serves until a rebuild only.
    return Strength.CERTIFIED if accepts_privacy() and not shards else Strength.SAME_RECIPE


def _privacy(version: ModelVersion, forget: BitMap, *, made_from: bool) -> dict[str, Any]:
    """Return what training promised, or why it does not do."""
    if made_from:
        return {"no_privacy": "Another version was made from it, which would stand on it."}
    found = privacy.bound(version, training_snapshot(version).space, forget)
    if isinstance(found, str):
        return {"no_privacy": found}
    return {"privacy": PrivacyFacts(epsilon=found.epsilon, delta=found.delta)}


def _budget(version: ModelVersion, forget: BitMap, *, made_from: bool) -> dict[str, Any]:
    """Return what is left for certified removals, or why there can be none."""
    found = budget_of(version)
    if isinstance(found, str):
        return {"no_budget": found}
    if made_from:
        return {"no_budget": "Another version was made from it, which would stand on it."}
    space = training_snapshot(version).space
    learned = learned_by(version, space)
    if learned & barred_ordinals(space) - forget:
        return {"no_budget": "It learned from others who may not be used, and they would stay."}
    left = found.limit - found.spent
    return {"budget": BudgetFacts(epsilon=found.epsilon, delta=found.delta, left=left, spends=0.0)}


def method_of(decision: Decision) -> str:
    """Return the name of the method that carries out what was decided."""
    won = decision.winner
    if won is None:
        return runs.RETRAIN
    return won.method or runs.CARRIED_OUT_BY.get(won.way, runs.RETRAIN)


def _approximate(numbers: Mapping[str, Any]) -> tuple[MethodFacts, ...]:
    declared = declared_methods().get(settings.EXPUNGE_METHOD)
    if declared is None or declared["guarantee"] != Guarantee.APPROXIMATE.name:
        return ()
    return (MethodFacts.from_declaration(declared, numbers),)


def _facts(version: ModelVersion, forget: BitMap) -> tuple[VersionFacts, ForgetFacts]:
    drawn = training_snapshot(version)
    learned = members(drawn)
    recipe, recording = reader_of(version), recording_of(account_of(version))
    epochs = int(getattr(recipe, "epochs", 1))
    shards = shards_of(version, recipe)
    # A replay leaves out everybody who may not be served, whoever asked; a rebuild, in its shards.
    gone = learned & left_out(
        [union(shard.slices) for shard in shards],
        forgotten=forget | purged_ordinals(drawn.space),
        barred=restricted_ordinals(drawn.space),
    )
    known = [shard.origin for shard in shards] or ([recording] if recording else [])
    environments = [each for one in known for each in one.fingerprints]
    if not known and (trained := arithmetic_of(version.generated_by)):
        environments = [trained]
    parts = _parts(shards, drawn.space, learned, gone)
    replay, visits, passed = _replay(recording, learned, gone)
    if parts:
        visits, passed = parts.visits, parts.gone
    whole = visits or epochs * len(learned)
    return (
        VersionFacts(
            records=max(1, len(learned)),
            visits=max(1, whole),
            same_environment=bool(environments) and not _elsewhere(environments),
            replay=None if base_of(version) else replay,
            shards=parts.facts if parts else None,
            # Subtraction takes out these records only; what others may not serve would stay.
            statistics=recipe is not None and makes_sums(recipe) and gone == learned & forget,
        ),
        ForgetFacts(records=max(1, len(gone)), visits=passed or epochs * len(gone)),
    )


def _replay(
    recording: Recording | None, learned: BitMap, gone: BitMap
) -> tuple[ReplayFacts | None, int, int]:
    """Return what a replay could begin with, and the visits of the training and of those gone."""
    if recording is None:
        return None, 0, 0
    try:
        holes = holes_in(recording, list(learned), learned - gone)
    except NumbersUnclear:
        return None, 0, 0
    fresh = holes - set(recording.holes)
    phase, step = recording.clean_until(fresh)
    states = tuple(
        SavedState(step=recording.steps_before(each.phase) + each.step, visits_before=each.visits)
        for each in recording.states
    )
    facts = ReplayFacts(first_step=recording.steps_before(phase) + step, states=states)
    return facts, recording.visits, recording.visits - recording.predicted(fresh).scratch


def _parts(
    shards: Sequence[Shard], space: OrdinalSpace, learned: BitMap, gone: BitMap
) -> Told | None:
    """Return what the rebuild of shards costs; None where they are not all that was learned."""
    if not shards or union(part for shard in shards for part in shard.slices) != learned:
        return None
    try:
        return told(shards, learned - gone, targets_of(space, learned))
    except NumbersUnclear:
        return None


def _elsewhere(environments: Iterable[Fingerprint]) -> bool:
    """Return whether a training was not in this environment all the way, as far as is known."""
    try:
        now = fingerprint(placed()["device"])
    except NoDevice:  # an erasure that looks again: nothing is computed, and no bits are claimed
        return True
    return any(differences(each, now) for each in environments)
