"""Who learns what in an audit: the design of its pool, and of the models for its instance test.

All shadow models of an audit are numbered together. Where the pool learns surrogates, the models
of the instance test come after all that the pool could have at its last look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.design import TwinDesign
from audits.core.instance import InstanceDesign, models_needed
from audits.core.policy import AuditData, EvidencePolicy

if TYPE_CHECKING:
    from audits.models import AuditPlan


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The shadow models of one design, as they are numbered within their audit.

    Attributes:
        design: who learns what; it counts its models from 0.
        first: the number of its first model in the audit.
        beside_pool: whether these are for the instance test of an audit that has a pool too.
        asked_of_person: whether they score the person's records though they learn others.
    """

    design: TwinDesign
    first: int = 0
    beside_pool: bool = False
    asked_of_person: bool = True

    def named(self, start: int, stop: int) -> str:
        """Return words for the models from ``start`` to before ``stop``, counted by the design."""
        what = "Models for the instance test," if self.beside_pool else "Shadow models"
        return f"{what} {start + 1} to {stop}"


def design_of(plan: AuditPlan) -> TwinDesign:
    """Return the design that was fixed: of the pool, or of the models beside a certificate."""
    values = plan.design
    if plan.certificate_id is not None:
        needed = models_needed(EvidencePolicy.from_dict(plan.policy))
        return InstanceDesign(seed=int(values["seed"]), instances=needed)
    return TwinDesign(
        seed=int(values["seed"]),
        looks=tuple(values["looks"]),
        canaries=values["canaries"],
        subjects=len(values.get("subjects", "1")),
    )


def instances_fixed(policy: EvidencePolicy) -> dict[str, int]:
    """Return what a plan fixes of the models for the instance test of a pool; empty without any.

    The digest of the design does not cover it: the number follows from the policy, which has a
    digest of its own, and the seeds from the seed of the design.
    """
    if policy.audit_data is not AuditData.SURROGATE:
        return {}
    return {"instances": models_needed(policy)}


def instances_of(plan: AuditPlan) -> Cohort | None:
    """Return the models that are trained beside a pool for its instance test.

    None where there are none: the pool learns the person's own records, a certificate stands for
    it, or the plan is of a release in which the models of the pool were compared with.
    """
    needed = plan.design.get("instances")
    if needed is None or plan.certificate_id is not None:
        return None
    pool = design_of(plan)
    design = InstanceDesign(seed=pool.seed, instances=needed)
    return Cohort(design=design, first=pool.models, beside_pool=True)


def cohort_at(plan: AuditPlan, number: int) -> Cohort:
    """Return the models among which an audit has the one of this number."""
    beside = instances_of(plan)
    if beside is not None and number >= beside.first:
        return beside
    return Cohort(design=design_of(plan), asked_of_person=beside is None)
