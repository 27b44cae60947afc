"""Find what learned from the forget set, and draw the plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from pyroaring import BitMap

from audits.core.policy import EvidencePolicy
from audits.execution.asked import Accepted, Asked
from audits.execution.attacks_known import attack_named
from audits.execution.choosing import RETRAIN, chosen
from audits.execution.duplicates import search, unread
from audits.models import ErasureRequest
from audits.queries.batches import companions
from audits.queries.forget_sets import forget_set, listed
from audits.queries.policy_values import evidence_fields
from audits.queries.promises import earlier_promises
from audits.services import case_runs, planning, scheduling
from lineage.core import bitmaps
from lineage.models import ModelVersion
from lineage.queries.availability import barred_ordinals
from lineage.queries.closure import affected
from lineage.queries.contents import stored
from lineage.queries.membership import members
from lineage.queries.sources import base_of, parents_of, training_snapshots
from lineage.services import jobs
from unlearning.core.seeding import derive
from unlearning.execution.device import placed
from unlearning.services.runs import REPLAY

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from audits.execution.choosing import Choice
    from audits.queries.promises import Promise
    from lineage.models import Job, OrdinalSpace
    from lineage.queries.closure import AffectedVersion


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A version that learned from the forget set of one space."""

    space: OrdinalSpace
    found: AffectedVersion

    @property
    def version(self) -> ModelVersion:
        """The version."""
        return self.found.version


def draw_plan(job: Job) -> None:
    """Search duplicates; when none is left to decide, keep the plan of the case.

    Cases of the same batch are planned with it, and share its runs; one whose duplicates staff
    must decide about is planned later.
    """
    request = ErasureRequest.objects.get(pk=job.payload_id)
    now = timezone.now()
    if request.status != ErasureRequest.Status.RESTRICTED:
        return  # planned with another case of its batch meanwhile
    jobs.report_progress(job=job, phase="Drawing the plan", done=0, total=1)
    if not _searched(job, request.pk, now):
        return
    group = [request.pk]
    group += [one for one in companions(request) if _searched(job, one, now)]
    if not scheduling.may_go_on(group=group, now=now):
        return
    for case_id in group:
        planning.fix_policy(case_id=case_id, policy=policy().as_dict())
    placed()  # a plan weighs ways for the device of this installation, which must be here
    plan, planned = plan_of(*group)
    plans = {case_id: own_plan(plan, case_id, len(group)) for case_id in group}
    scheduling.keep_plans(plans=plans, runs=planned, now=now)


def _searched(job: Job, case_id: UUID, now: datetime) -> bool:
    """Search the duplicates of the records of a case; return whether none is left to decide."""
    forget = forget_set(case_id)
    found, digest = search(job, forget)
    return not planning.keep_findings(
        case_id=case_id, found=found, settings_digest=digest, unread=unread(forget), now=now
    )


def policy() -> EvidencePolicy:
    """Return the installation's policy of evidence as it stands now.

    Raises:
        PolicyRefused: the sentence names the field, the value and what is allowed.
    """
    found = EvidencePolicy.from_dict(evidence_fields())
    for name in found.attacks:
        attack_named(name)
    return found


def plan_of(*case_ids: UUID) -> tuple[dict[str, Any], list[case_runs.PlannedRun]]:
    """Return the plan of cases from lineage as it stands now, and their runs, base first."""
    rows: dict[str, list[Any]] = defaultdict(list)
    hits: list[Hit] = []
    held = forget_set(*case_ids)
    for space, forget in held.items():
        closure = affected(space, forget)
        hits += [Hit(space=space, found=one) for one in closure.versions]
        rows["unknown"] += [str(version.pk) for version in closure.unknown]
        rows["not_affected"] += [str(version.pk) for version in closure.not_affected]
    # Stable: a version comes after what it was made from, whichever space they were found in.
    hits.sort(key=lambda hit: hit.version.generated_at)
    earlier = earlier_promises(case_ids, {hit.version.pk for hit in hits})
    planned = _runs(case_ids, hits, earlier)
    methods = {one.version.pk: _method(one) for one in planned}
    seen = {str(pk) for pk in methods}
    plan = {
        "spaces": listed(held),
        "affected": [{**_row(hit.found), **methods[hit.version.pk]} for hit in hits],
        "unknown": sorted(set(rows["unknown"]) - seen),
        "not_affected": sorted(set(rows["not_affected"]) - seen),
        **_taken_before(earlier),
    }
    return plan, planned


def _taken_before(earlier: list[Promise]) -> dict[str, Any]:
    """Return what earlier cases took of what is accepted; nothing where they took none."""
    if not earlier:
        return {}
    return {
        "accepted_before": [
            {"version": str(one.version.pk), "epsilon": one.epsilon, "delta": one.delta}
            for one in earlier
        ]
    }


def own_plan(plan: dict[str, Any], case_id: UUID, cases: int) -> dict[str, Any]:
    """Return of a plan of several cases what is of one of them; that of one case as it is.

    That is the versions that learned from its records, and what those were made from; ``own``
    tells them apart. Counts and paths are of its own records.
    """
    if cases == 1:
        return plan
    forget = forget_set(case_id)
    closures = [affected(space, ordinals) for space, ordinals in forget.items()]
    own: dict[str, AffectedVersion] = {}
    for hit in (hit for one in closures for hit in one.versions):
        own.setdefault(str(hit.version.pk), hit)
    needed = own.keys() | _ancestors([hit.version for hit in own.values()])
    return {
        "spaces": listed(forget),
        "affected": [
            _own_row(row, own.get(row["version"]))
            for row in plan["affected"]
            if row["version"] in needed
        ],
        "unknown": sorted({str(one.pk) for each in closures for one in each.unknown} - needed),
        "not_affected": sorted(
            {str(one.pk) for each in closures for one in each.not_affected} - needed
        ),
        "cases": cases,
        **{key: plan[key] for key in ("accepted_before",) if key in plan},
    }


def _own_row(row: dict[str, Any], hit: AffectedVersion | None) -> dict[str, Any]:
    """Return a row with the counts and the path of one case, and nothing of the others."""
    if hit is not None:
        return {**row, **_row(hit), "own": True}
    nothing = {"forget_count": 0, "forget_digest": bitmaps.digest(BitMap()), "path": []}
    return {**row, **nothing, "direct": False, "own": False}


def _ancestors(versions: list[ModelVersion]) -> set[str]:
    """Return what versions were made from, directly or through others."""
    found: set[str] = set()
    asked = list(versions)
    while asked:
        parents = [one for one in parents_of(asked.pop()) if str(one.pk) not in found]
        found |= {str(one.pk) for one in parents}
        asked += parents
    return found


def _method(one: case_runs.PlannedRun) -> dict[str, str]:
    refused = {"method_refused": one.refused} if one.refused else {}
    untuned = {"untuned": one.untuned} if one.untuned else {}
    return {"method": one.method, **refused, **untuned}


def _row(one: AffectedVersion) -> dict[str, Any]:
    return {
        "version": str(one.version.pk),
        "name": str(one.version),
        "direct": one.direct,
        "influence": one.influence,
        "depth": one.depth,
        "forget_count": len(one.forget),
        "forget_digest": bitmaps.digest(one.forget),
        "path": [
            {"source": step.source, "role": step.role, "influence": step.influence}
            for step in one.path
        ],
    }


def _runs(
    case_ids: tuple[UUID, ...], hits: list[Hit], earlier: list[Promise]
) -> list[case_runs.PlannedRun]:
    found: dict[UUID, list[Hit]] = defaultdict(list)
    for hit in hits:
        found[hit.version.pk].append(hit)
    waiting: set[UUID] = set()
    above = {parent.pk for ways in found.values() for parent in parents_of(ways[0].version)}
    result, accepted = [], Accepted.of_policy()
    for one in earlier:
        accepted = accepted.less(one.epsilon, one.delta)
    for pk, ways in found.items():
        own = own_hit(ways)
        parents = {parent.pk for parent in parents_of(own.version)}
        stuck = bool(parents & waiting) or cannot_train(own.version)
        if stuck:
            waiting.add(pk)
        # A child is trained again on the unlearned base: what it took from its base goes with
        # that, and so does what came from another space.
        # Where the contents are gone no method could read them.
        gone = stored(own.space, own.found.forget) != own.found.forget
        again = stuck or gone or len(ways) > 1 or bool(parents & found.keys())
        asked = Asked(shared=len(case_ids) > 1, made_from=pk in above, accepted=accepted)
        choice = RETRAIN if again else _chosen(case_ids, own, asked)
        accepted = accepted.less(*choice.bound)
        result.append(_run(case_ids[0], own, choice, waiting=stuck))
    return result


def own_hit(ways: list[Hit]) -> Hit:
    """Return the hit in the space of the version's own data, whose records its run removes."""
    spaces = {snapshot.space_id for snapshot in training_snapshots(ways[0].version)}
    return next((hit for hit in ways if hit.space.pk in spaces), ways[0])


def cannot_train(version: ModelVersion) -> bool:
    """Return whether a version cannot be trained again, so that staff must decide about it.

    It has no recipe, or not one training snapshot, or nobody's records are left in that; or its
    base cannot be loaded.
    """
    snapshots = training_snapshots(version)
    if not version.generated_by.recipe or len(snapshots) != 1:
        return True
    base = base_of(version)
    if base and (not base.generated_by.recipe or base.state == ModelVersion.State.DESTROYED):
        return True
    return not members(snapshots[0]) - barred_ordinals(snapshots[0].space)


def _seed(case_id: UUID, version: ModelVersion, method: str) -> int:
    if method == REPLAY and version.generated_by.seed is not None:
        return version.generated_by.seed  # the same plan, with holes
    return derive(0, str(case_id), str(version.pk)) % 2**31


def _chosen(case_ids: tuple[UUID, ...], own: Hit, asked: Asked) -> Choice:
    case_id, *others = case_ids
    return chosen(own.version, own.found.forget, case_id=case_id, together=others, asked=asked)


def _run(case_id: UUID, own: Hit, choice: Choice, *, waiting: bool) -> case_runs.PlannedRun:
    return case_runs.PlannedRun(
        version=own.version,
        space=own.space,
        forget=own.found.forget,
        method=choice.method,
        hyperparameters=choice.hyperparameters,
        tuning=choice.tuning,
        refused=choice.refused,
        untuned=choice.untuned,
        weighed=choice.weighed,
        seed=_seed(case_id, own.version, choice.method),
        waiting=waiting,
    )
