"""An audit that relies on a certificate: does it cover these records, and how did this run do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone
from torch.utils.data import Subset

from audits.core.certificate import why_too_hard
from audits.core.certified import recomputes, with_instance
from audits.core.contrast import recompute_all
from audits.core.design import derived_seed
from audits.core.difficulty import decile, profile
from audits.core.kept import Kept
from audits.core.policy import MAIN_ATTACK, EvidencePolicy
from audits.core.scores import scores_of
from audits.core.shadows import RETAINED_SAMPLE
from audits.execution.figures import figures_of
from audits.execution.instance_models import never_saw
from audits.execution.look_payload import committed, owed, payload_of, retained_effect
from audits.models import AuditPlan, Evidence
from audits.queries.attempts import attempts_before
from audits.queries.certificates import failures
from audits.queries.designs import cohort_at, design_of
from audits.services import certificates
from audits.services.verdicts import Finding
from unlearning.core.examples import count
from unlearning.execution.loading import load_version
from unlearning.execution.planting import retained_canaries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.execution.audit_sets import AuditSets
    from audits.models import ProcedureCertificate
    from audits.queries.attempts import Attempt
    from unlearning.models import UnlearningRun


def goes_on(plan: AuditPlan, sets: AuditSets) -> bool:
    """Note how hard the records are; False where a certificate turns out not to cover them.

    The certificate is set aside then, before any model is trained, and the workflow goes on with
    the pool. Every chunk asks, and comes to the same answer.
    """
    if not plan.procedure_key:
        return True
    difficulty, quantiles = _difficulty(plan, sets)
    if plan.certificate is not None and (why := _why_not(plan.certificate, difficulty, quantiles)):
        certificates.set_aside(run_id=plan.pk, reason=why, now=timezone.now())
        return False
    certificates.note_difficulty(run_id=plan.pk, difficulty=difficulty, profile=quantiles)
    return True


def told(run: UnlearningRun, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of a pool with the reason why it was trained, where there is one."""
    plan = AuditPlan.objects.get(run=run)
    if not plan.procedure_key:
        return list(findings)
    said = {
        "relied_on": None,
        "reason": plan.no_certificate,
        "key": plan.procedure_key,
        **_hardness(plan),
    }
    return [replace(one, payload={**one.payload, "certificate": said}) for one in findings]


def judge_certified(run: UnlearningRun) -> list[Finding]:
    """Return the verdict of an audit that relies on a certificate; nothing for one that does not.

    The certificate's numbers are judged again, with the test of this run's model in them.
    """
    plan = AuditPlan.objects.select_related("run", "certificate").get(run=run)
    if plan.certificate is None:
        return []
    policy, stated = EvidencePolicy.from_dict(plan.policy), plan.certificate.stated()
    before = attempts_before(plan)
    attacks, paths = _measured(plan, before)
    models, kept = sum(paths.values()), attacks[MAIN_ATTACK]
    read = {name: Kept.from_dict(one.as_dict()) for name, one in attacks.items()}
    verdict = recompute_all(read, policy)
    reasons = (*verdict.reasons, _reason(plan.certificate, models, kept, policy))
    payload = {
        **payload_of(attacks, verdict, policy, before, {}),
        "retained": retained_effect(run, (models + 1) // 2, policy.alpha),
        "engine": {**plan.design.get("engine", {}), "models": paths},
        "figures": figures_of(kept, policy),
        **committed(plan, 0),
        "policy_digest": plan.policy_digest,
        "design_digest": design_of(plan).digest(),
        "certificate": {
            "relied_on": str(plan.certificate.pk),
            "digest": plan.certificate.digest,
            "key": plan.certificate.key,
            "issued_at": stated.issued_at.isoformat(),
            "expires_at": stated.expires_at.isoformat(),
            "attempt": plan.certificate.attempt,
            "certified_difficulty": stated.difficulty,
            **({"certified_profile": list(stated.profile)} if stated.profile else {}),
            **_hardness(plan),
            "models_of_this_run": models,
        },
    }
    return [
        Finding(
            kind=Evidence.Kind.U_LIRA,
            look=0,
            models_per_arm=kept.models_per_arm,
            payload=payload,
            outcome=verdict.outcome.value,
            reasons=reasons,
            final=True,
        )
    ]


def _hardness(plan: AuditPlan) -> dict[str, Any]:
    """Return how hard the records are, as evidence says it; earlier releases noted no profile."""
    told = {} if plan.profile is None else {"profile": plan.profile}
    return {"difficulty": plan.difficulty, **told}


def _why_not(
    certificate: ProcedureCertificate, difficulty: int, quantiles: tuple[int, ...]
) -> str:
    stated = certificate.stated()
    if not recomputes(stated):
        return f"The outcome of certificate {certificate} does not come out of its numbers."
    return why_too_hard(stated, difficulty, quantiles)


def _difficulty(plan: AuditPlan, sets: AuditSets) -> tuple[int, tuple[int, ...]]:
    """Return how hard the records that the models are asked about are for the audited version.

    As the decile of the median record, and those of nine quantiles.
    """
    retain = sets.data.retain
    # Canaries come last, and are harder than any record.
    records = count(retain) - count(retained_canaries(plan.run, sets.recipe))
    rng = np.random.default_rng(derived_seed(design_of(plan).seed, "difficulty"))
    sample = rng.permutation(records)[:RETAINED_SAMPLE].tolist()
    version = load_version(plan.run.target)
    asked, _ = scores_of(version, sets.data.forget)
    others = scores_of(version, Subset(retain, sample))[0]
    return decile(asked, others), profile(asked, others)


def _measured(
    plan: AuditPlan, before: Sequence[Attempt]
) -> tuple[dict[str, Kept], dict[str, int]]:
    """Return the certificate's numbers with the test of this run, and how many models it took.

    The models are counted by the way in which they were trained.
    """
    assert plan.certificate is not None  # noqa: S101  (asked before)
    seen = never_saw(plan, cohort_at(plan, 0))
    found, paths = seen.findings, dict(seen.paths)
    if len(paths) > 1:
        found = (*found, f"The models of this run were trained in different ways: {paths}.")
    if failures(plan.certificate.key, since=plan.certificate.issued_at):
        said = f"A run of the procedure failed after certificate {plan.certificate} was issued."
        found = (*found, said)
    attacks = with_instance(
        plan.certificate.stated(),
        seen.test(),
        found,
        attempt=len(before) + 1,
        debt=owed(before, EvidencePolicy.from_dict(plan.policy)),
    )
    return attacks, paths


def _reason(
    certificate: ProcedureCertificate,
    models: int,
    kept: Kept,
    policy: EvidencePolicy,
) -> str:
    p = kept.instance.p_value if kept.instance else 1.0
    stands = p < policy.alpha_instance
    return (
        f"The numbers on the procedure are those of certificate {certificate.pk} of "
        f"{certificate.issued_at:%Y-%m-%d}, valid until {certificate.expires_at:%Y-%m-%d}, digest "
        f"{certificate.digest}, made on other people's records. For this run {models} models that "
        f"never saw the records were trained; the deployed model "
        f"{'stands out' if stands else 'does not stand out'} from them "
        f"(p = {p:.4f})."
    )
