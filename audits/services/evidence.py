"""Fix the audit of a run, keep what it measured, judge, escalate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.design import TwinDesign, canaries_for, derived_seed
from audits.core.instance import InstanceDesign
from audits.core.policy import EvidencePolicy
from audits.models import AuditPlan, ErasureRequest, ShadowResult
from audits.queries import cases
from audits.queries.designs import design_of, instances_fixed, instances_of
from audits.queries.evidence import looks_taken, verdict_of
from audits.queries.releases import gate_of
from audits.queries.sharing import told_apart
from audits.services import certificates, log
from audits.services.transitions import MoveNotAllowed, move
from audits.services.verdicts import CLEARING
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from lineage.models import ModelVersion

R = UnlearningRun.Status
CHUNK = 16
CERTIFIED = "certified:"


class AuditOver(Exception):
    """The run was judged, or its shadow models expired: what else is scored is not kept."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """The look that is due: its number and the shadow models that it needs, by chunk.

    ``jobs`` tells the jobs of a look that relies on a certificate from those of the pool.
    """

    number: int
    chunks: tuple[tuple[int, int], ...]
    jobs: str = ""


def set_phase(*, case_id: UUID, phase: str, now: datetime) -> bool:
    """Show whether the case unlearns or audits; False when it already does."""
    try:
        return move(case_id=case_id, to=phase, now=now)
    except MoveNotAllowed:
        return False


def needs_shadows(run: UnlearningRun) -> bool:
    """Return whether the outcome of a run has to be shown by attacks.

    Exact runs on exact bases close by construction; everything else is audited.
    """
    return run.guarantee == runs.APPROXIMATE


def policy_of(request: ErasureRequest) -> EvidencePolicy:
    """Return the policy that was fixed for a case."""
    return EvidencePolicy.from_dict(request.policy)


@transaction.atomic
def fix_audit(*, run_id: UUID, now: datetime) -> Look:
    """Fix policy and design of a run's audit, once, and return the look that is due."""
    run = UnlearningRun.objects.get(pk=run_id)
    plan = AuditPlan.objects.filter(run=run).first() or _fix(run, now)
    design = design_of(plan)
    if isinstance(design, InstanceDesign):
        return _look(plan, Look(number=0, chunks=_chunks(0, design.models), jobs=CERTIFIED), now)
    looks = plan.policy["looks"]
    number = min(looks_taken(run), len(looks) - 1)
    start = 2 * looks[number - 1] if number else 0
    chunks = _chunks(start, 2 * looks[number])
    if number == 0 and (beside := instances_of(plan)):  # later looks ask the same ones
        chunks += _chunks(beside.first, beside.first + beside.design.models)
    return _look(plan, Look(number=number, chunks=chunks), now)


def _chunks(start: int, stop: int) -> tuple[tuple[int, int], ...]:
    return tuple((at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK))


def _look(plan: AuditPlan, look: Look, now: datetime) -> Look:
    """Log that a look is taken, once, and return it."""
    design = design_of(plan)
    instances = isinstance(design, InstanceDesign)
    data = {
        "run": str(plan.pk),
        "models_per_arm": design.models if instances else plan.policy["looks"][look.number],
        "design": design.digest() if instances else plan.design_digest,
    }
    for request in cases.cases_of_run(plan.pk):
        once = f"look:{request.pk}:{plan.pk}:{look.jobs}{look.number}"
        log.append(type="look_taken", case=request.pk, now=now, data=data, once=once)
    return look


def _fix(run: UnlearningRun, now: datetime) -> AuditPlan:
    request = cases.cases_of_run(run.pk).order_by("received_at").first()
    if request is None:
        raise MoveNotAllowed(f"Run {run.pk} serves no case, so no policy applies to it.")
    policy = policy_of(request)
    shared, places = told_apart(run)
    beside = instances_fixed(policy)
    design = TwinDesign(
        seed=derived_seed(run.seed, "audit", str(run.pk)),
        looks=policy.looks,
        canaries=canaries_for(policy.looks, compared="instances" not in beside),
        subjects=len(shared),
    )
    plan = AuditPlan.objects.create(
        run=run,
        # As text: a 63-bit number is more than JSON readers keep.
        design={
            "seed": str(design.seed),
            "looks": list(design.looks),
            "canaries": design.canaries,
            **({"subjects": shared, "places": places} if design.subjects > 1 else {}),
            **beside,
        },
        design_digest=design.digest(),
        policy=policy.as_dict(),
        policy_digest=policy.digest(),
        fixed_at=now,
    )
    for case in cases.cases_of_run(run.pk):
        data = {"policy": plan.policy_digest}
        log.append(
            type="policy_fixed",
            case=case.pk,
            now=now,
            data=data,
            once=f"policy:{case.pk}:{run.pk}",
        )
    return certificates.rely_if_one_stands(plan=plan, now=now)


@transaction.atomic
def fix_engine(*, run_id: UUID, engine: Mapping[str, Any]) -> dict[str, Any]:
    """Fix how all shadow models of an audit are trained, once; return what holds.

    It stands beside the design, which its digest does not cover: seeds and sets are the same.
    """
    plan = AuditPlan.objects.select_for_update().get(pk=run_id)
    if plan.design.get("engine") is None:
        plan.design = {**plan.design, "engine": dict(engine)}
        plan.save(update_fields=["design"])
    fixed: dict[str, Any] = plan.design["engine"]
    return fixed


@transaction.atomic
def keep_shadow(
    *,
    run_id: UUID,
    index: int,
    version: ModelVersion | None,
    row: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Keep the scores of one shadow model until the case closes; False if known.

    Raises:
        AuditOver: the audit has ended. The case may be closed, and nothing would purge the row.
    """
    run = UnlearningRun.objects.select_for_update().get(pk=run_id)
    if run.status != R.SUCCEEDED:
        raise AuditOver(
            f"The audit of run {run_id} is over ({run.status}); shadow model {index} is not kept."
        )
    _, created = ShadowResult.objects.get_or_create(
        run_id=run_id,
        index=index,
        defaults={"version": version, "row": dict(row), "created_at": now},
    )
    return created


@transaction.atomic
def log_shadows(*, run_id: UUID, now: datetime) -> None:
    """Log how many shadow models of a run exist now."""
    count = ShadowResult.objects.filter(run_id=run_id).count()
    for request in cases.cases_of_run(run_id):
        log.append(
            type="shadows_registered",
            case=request.pk,
            now=now,
            data={"run": str(run_id), "count": count},
            once=f"shadows:{request.pk}:{run_id}:{count}",
        )


@transaction.atomic
def fail_run(*, run_id: UUID, code: str, message: str, now: datetime) -> bool:
    """Record that a run failed, and why; False when it had ended before."""
    if not runs.fail_run(run_id=run_id, code=code, message=message, now=now):
        return False
    log_failure(run_id, code, now)
    return True


def log_failure(run_id: UUID, code: str, now: datetime) -> None:
    """Log, in every case that it serves, that a run failed."""
    for request in cases.cases_of_run(run_id):
        data = {"run": str(run_id), "code": log.code_of(code)}
        log.append(type="run_failed", case=request.pk, now=now, data=data)


@transaction.atomic
def escalate(*, run_id: UUID, now: datetime) -> UnlearningRun:
    """Replace a run that was not cleared, or that failed, by exact retraining."""
    run = UnlearningRun.objects.get(pk=run_id)
    # A replay has the seed of the training: with it, a shard that held nobody who is forgotten
    # would come out as it was, and retraining refuses to arrive at what it replaces.
    replay = run.method == runs.REPLAY
    other = derived_seed(run.seed, "escalated", str(run_id)) % 2**31  # which JSON readers keep
    seed = other if replay else run.seed
    following = runs.escalate_run(run_id=run_id, seed=seed, now=now)
    for request in cases.cases_of_run(run_id):
        request.runs.add(following)
        log.append(
            type="run_escalated",
            case=request.pk,
            now=now,
            data={
                "run": str(run_id),
                "to_run": str(following.pk),
                "verdict": _why_escalated(run),
            },
            once=f"escalate:{request.pk}:{run_id}",
        )
    return following


def _why_escalated(run: UnlearningRun) -> str:
    verdict = verdict_of(run)
    if verdict is None:
        return "NOT_AUDITED" if run.unlearned_id or run.status == R.REJECTED else "RUN_FAILED"
    if verdict.outcome in CLEARING and run.guarantee == runs.APPROXIMATE and gate_of(run).held:
        return "RELEASE_HELD"
    return "CHILD_NOT_CLEARED" if verdict.outcome in CLEARING else str(verdict.outcome)
