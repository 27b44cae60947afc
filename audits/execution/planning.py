"""Find what learned from the forget set, and draw the plan."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings
from django.utils import timezone

from audits.core.policy import EvidencePolicy
from audits.execution.duplicates import search
from audits.models import ErasureRequest
from audits.services import planning
from lineage.core import bitmaps
from lineage.models import Role
from lineage.queries.closure import affected
from unlearning.core.seeding import derive
from unlearning.services import runs

if TYPE_CHECKING:
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import Job, ModelVersion, OrdinalSpace
    from lineage.queries.closure import AffectedVersion, Closure


class AffectedInTwoSpaces(Exception):
    """One version learned from the person through two ordinal spaces."""


def draw_plan(job: Job) -> None:
    """Search duplicates; when none is left to decide, keep the plan of the case."""
    request = ErasureRequest.objects.get(pk=job.payload_id)
    now = timezone.now()
    found, digest = search(job, planning.forget_set(request.pk))
    if planning.keep_findings(case_id=request.pk, found=found, settings_digest=digest, now=now):
        return
    planning.fix_policy(case_id=request.pk, policy=policy().as_dict())
    plan, planned = plan_of(request.pk)
    planning.keep_plan(case_id=request.pk, plan=plan, runs=planned, now=now)


def policy() -> EvidencePolicy:
    """Return the installation's policy of evidence as it stands now."""
    return EvidencePolicy.from_dict(settings.EXPUNGE_POLICY)


def plan_of(case_id: UUID) -> tuple[dict[str, Any], list[planning.PlannedRun]]:
    """Return the plan of a case from lineage as it stands now, and its runs, base first.

    Raises:
        AffectedInTwoSpaces: a run could name only one of the two forget sets.
    """
    planned: list[planning.PlannedRun] = []
    rows: dict[str, list[Any]] = defaultdict(list)
    for space, forget in planning.forget_set(case_id).items():
        closure = affected(space, forget)
        planned += _runs(case_id, space, closure, planned)
        rows["spaces"].append(
            {"space": str(space.pk), "records": len(forget), "digest": bitmaps.digest(forget)}
        )
        rows["affected"] += [_row(one) for one in closure.versions]
        rows["unknown"] += [str(version.pk) for version in closure.unknown]
        rows["not_affected"] += [str(version.pk) for version in closure.not_affected]
    methods = {str(one.version.pk): one for one in planned}
    for row in rows["affected"]:
        row["method"] = methods[row["version"]].method
    seen = {row["version"] for row in rows["affected"]}
    plan = {
        "spaces": rows["spaces"],
        "affected": rows["affected"],
        "unknown": sorted(set(rows["unknown"]) - seen),
        "not_affected": sorted(set(rows["not_affected"]) - seen),
    }
    return plan, planned


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
    case_id: UUID, space: OrdinalSpace, closure: Closure, before: list[planning.PlannedRun]
) -> list[planning.PlannedRun]:
    other = {one.version.pk for one in before}
    waiting: set[UUID] = set()
    hit = {one.version.pk for one in closure.versions}
    result = []
    for one in closure.versions:
        if one.version.pk in other:
            raise AffectedInTwoSpaces(
                f"{one.version} learned from this person through two ordinal spaces; one run can "
                "forget records of one space only. Destroy the version or retrain it outside."
            )
        parents = parents_of(one.version)
        stuck = not one.version.generated_by.recipe or bool(parents & waiting)
        if stuck:
            waiting.add(one.version.pk)
        result.append(_run(case_id, space, one.version, one.forget, stuck, bool(parents & hit)))
    return result


def _run(
    case_id: UUID,
    space: OrdinalSpace,
    version: ModelVersion,
    forget: BitMap,
    stuck: bool,  # noqa: FBT001  (named at its one call)
    child: bool,  # noqa: FBT001  (as above)
) -> planning.PlannedRun:
    # A child is trained again on the unlearned base: what it took from its base goes with that.
    method = runs.RETRAIN if child or stuck else settings.EXPUNGE_METHOD
    return planning.PlannedRun(
        version=version,
        space=space,
        forget=forget,
        method=method,
        hyperparameters={} if method == runs.RETRAIN else settings.EXPUNGE_METHOD_SETTINGS,
        seed=derive(0, str(case_id), str(version.pk)) % 2**31,
        waiting=stuck,
    )


def parents_of(version: ModelVersion) -> set[UUID]:
    """Return the versions that a version was trained from."""
    inputs = version.generated_by.inputs.filter(role__in=[Role.BASE_MODEL, Role.TEACHER])
    return set(inputs.values_list("node__object_id", flat=True))


def digest_of(plan: dict[str, Any]) -> str:
    """Return the digest under which a plan is logged."""
    return hashlib.sha256(rfc8785.dumps(plan)).hexdigest()
