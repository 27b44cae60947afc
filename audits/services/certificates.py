"""Issue a certificate from an audit that passed, rely on one, or set it aside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.certificate import CERTIFYING, Certificate, Procedure
from audits.core.policy import EvidencePolicy
from audits.models import AuditPlan, Evidence, ProcedureCertificate
from audits.queries import cases
from audits.queries.certificates import (
    certifiable,
    failures,
    pools,
    procedure_of,
    standing,
    turned_off,
)
from audits.queries.policy_values import in_force
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID


def rely_if_one_stands(*, plan: AuditPlan, now: datetime) -> AuditPlan:
    """Note, when an audit is fixed, the certificate that it relies on or why it relies on none.

    Called in the transaction that fixes the plan.
    """
    policy = EvidencePolicy.from_dict(plan.policy)
    if not certifiable(plan.run, policy):
        return plan
    procedure = procedure_of(plan.run, policy)
    plan.procedure, plan.procedure_key = procedure.as_dict(), procedure.key()
    if in_force("CERTIFICATE_DAYS"):
        found = standing(procedure, now=now)
        plan.certificate, plan.no_certificate = found.certificate, found.reason
    else:
        plan.no_certificate = turned_off()
    plan.save()
    if plan.certificate is not None:
        _log(
            plan,
            "certificate_relied_on",
            now,
            certificate=str(plan.certificate.pk),
            digest=plan.certificate.digest,
        )
    return plan


@transaction.atomic
def note_difficulty(*, run_id: UUID, difficulty: int, profile: Sequence[int]) -> None:
    """Keep how hard the records are that an audit asks about: the median, and nine quantiles."""
    plans = AuditPlan.objects.filter(pk=run_id)
    plans.update(difficulty=difficulty, profile=list(profile))


@transaction.atomic
def set_aside(*, run_id: UUID, reason: str, now: datetime) -> bool:
    """Take back that an audit relies on a certificate, before any model of it was trained.

    The pool is trained instead, as it was fixed in the same plan; False when that is so already.
    """
    plan = AuditPlan.objects.select_for_update().get(pk=run_id)
    if plan.certificate_id is None:
        return False
    certificate = str(plan.certificate_id)
    plan.certificate, plan.no_certificate = None, reason
    plan.difficulty = plan.profile = None
    plan.save()
    _log(plan, "certificate_set_aside", now, certificate=certificate)
    return True


@transaction.atomic
def issue(*, evidence: Evidence, outcome: str, now: datetime) -> ProcedureCertificate | None:
    """Issue a certificate from the evidence of a pool that passed; None where it does not certify.

    It does not where the reuse is turned off, where the pool did not learn surrogates, and where
    another pool of the same procedure failed within the time that a certificate stands: a pass
    after a fail may be luck.
    """
    days = in_force("CERTIFICATE_DAYS")
    plan = AuditPlan.objects.filter(run=evidence.run_id).first()
    if plan is None or not days or outcome not in CERTIFYING or not _from_pool(plan, evidence):
        return None
    if failures(plan.procedure_key, since=now - timedelta(days=days), pools_only=True):
        return None
    stated = Certificate(
        name="",
        procedure=Procedure.from_dict(plan.procedure),
        outcome=outcome,
        difficulty=plan.difficulty or 0,
        profile=None if plan.profile is None else tuple(plan.profile),
        kept={
            "kept": evidence.payload["kept"],
            "attacks": evidence.payload.get("attacks", {}),
        },
        policy=plan.policy,
        evidence=evidence.digest,
        issued_at=now,
        expires_at=now + timedelta(days=days),
    )
    issued, created = ProcedureCertificate.objects.get_or_create(
        evidence=evidence,
        defaults={
            "key": plan.procedure_key,
            "fields": plan.procedure,
            "difficulty": stated.difficulty,
            "profile": plan.profile,
            "outcome": outcome,
            "kept": stated.kept,
            "policy": plan.policy,
            "evidence_digest": evidence.digest,
            "attempt": max(1, pools(plan.procedure_key)),
            "digest": stated.digest(),
            "issued_at": now,
            "expires_at": stated.expires_at,
        },
    )
    if created:
        _log(
            plan,
            "certificate_issued",
            now,
            certificate=str(issued.pk),
            key=issued.key,
            digest=issued.digest,
        )
    return issued


def _from_pool(plan: AuditPlan, evidence: Evidence) -> bool:
    """Return whether a pool on surrogates was judged whose difficulty is known."""
    pool = plan.certificate_id is None and plan.difficulty is not None
    return bool(plan.procedure_key) and pool and "kept" in evidence.payload


def _log(plan: AuditPlan, kind: str, now: datetime, **data: str) -> None:
    run = str(plan.run_id)
    for case in cases.cases_of_run(plan.run_id):
        log.append(
            type=kind,
            case=case.pk,
            now=now,
            data={"run": run, **data},
            once=f"{kind}:{case.pk}:{run}:{data['certificate']}",
        )
