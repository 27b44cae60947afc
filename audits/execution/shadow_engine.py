"""How the shadow models of an audit are trained: all at once or one after the other.

The first chunk tries both ways; what it finds is fixed beside the design, and every chunk of the
audit, in both arms, goes the same way. A seed gives the same model within one way only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits.core.shadow_pool import part_of, pooled
from audits.models import ShadowResult
from audits.services import evidence
from unlearning.core.engine import Engine, Path, choose_engine, trial_clock
from unlearning.core.stacked import train_stacked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from audits.core.design import TwinDesign
    from audits.core.shadows import ShadowData
    from audits.execution.procedure import Audited
    from audits.models import AuditPlan
    from audits.queries.designs import Cohort


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """What a chunk of shadow models is trained with."""

    plan: AuditPlan
    cohort: Cohort
    procedure: Audited
    data: ShadowData

    @property
    def design(self) -> TwinDesign:
        """Return who learns what."""
        return self.cohort.design

    def path(self, numbers: Sequence[int]) -> Path:
        """Return how the models of this audit are trained, trying it if nobody has yet."""
        fixed = self.plan.design.get("engine")
        if fixed is None:
            found = self._choose(numbers).as_dict()
            fixed = evidence.fix_engine(run_id=self.plan.pk, engine=found)
        return Path(fixed["path"])

    def train_together(
        self, numbers: Sequence[int], progress: Callable[[str, int, int], None]
    ) -> dict[int, nn.Module]:
        """Return these shadow models, trained in one stack.

        Raises:
            NotStackable: this machine has not the memory that another one had.
            LossNotFinite: of any of them.
            Cancelled: the job is to stop.
        """
        parts = [part_of(number, self.design, self.data) for number in numbers]
        session = self.procedure.session(self.design.seed, progress=progress)
        models = train_stacked(self.procedure.recipe, pooled(self.data), parts, session)
        return dict(zip(numbers, models, strict=True))

    def _choose(self, numbers: Sequence[int]) -> Engine:
        if reason := self.procedure.why_not_stacked():
            return Engine(path=Path.SEQUENTIAL, reason=f"cannot be stacked, because {reason}")
        if self.plan.policy.get("equivalence"):
            reason = "retrained models are compared with, which are trained so"
            return Engine(path=Path.SEQUENTIAL, reason=reason)
        if ShadowResult.objects.filter(run=self.plan.run).exists():
            return Engine(
                path=Path.SEQUENTIAL, reason="models of this audit were trained so before"
            )
        parts = [part_of(number, self.design, self.data) for number in numbers]
        session = self.procedure.session(self.design.seed)
        session = replace(session, clock=trial_clock(session.device))
        return choose_engine(self.procedure.recipe, pooled(self.data), parts, session)
