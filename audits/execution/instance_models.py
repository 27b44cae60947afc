"""What models that never saw a person say of the person's records, beside the deployed model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from audits.core.certified import broken, finite, gaps
from audits.core.likelihood import instance_test
from audits.core.scores import scores_of
from audits.execution.audit_sets import audit_sets
from audits.execution.stored_rows import complete_rows
from unlearning.execution.loading import load_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from audits.core.estimates import InstanceTest
    from audits.models import AuditPlan
    from audits.queries.designs import Cohort

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class NeverSaw:
    """Scores of the person's k records under n models that never saw them, and the deployed one.

    Attributes:
        scores: of the n models once they have unlearned, shape [n, k].
        deployed: of the deployed model, shape [k].
        findings: a sentence for each reason why a test with them says nothing.
        paths: how many were trained for this alone, by the way in which they were.
    """

    scores: Floats
    deployed: Floats
    findings: tuple[str, ...] = ()
    paths: Mapping[str, int] = field(default_factory=dict)

    @property
    def models(self) -> int:
        """Return how many were trained for this alone."""
        return sum(self.paths.values())

    def test(self, columns: Integers | None = None) -> InstanceTest:
        """Test the deployed model, by some of the records where ``columns`` names them."""
        if columns is None:
            return instance_test(self.scores, self.deployed)
        return instance_test(self.scores[:, columns], self.deployed[columns])


def never_saw(plan: AuditPlan, cohort: Cohort) -> NeverSaw:
    """Return what the models of an instance test say, beside a pool or a certificate.

    Raises:
        ShadowsMissing: some of their rows are gone.
    """
    assert plan.run.unlearned is not None  # noqa: S101  (a run that succeeded has one)
    sets = audit_sets(plan, instances=True)
    rows = complete_rows(plan.run_id, cohort.design.models, first=cohort.first)
    deployed = load_version(plan.run.unlearned)
    scores = np.array([row["own"] for row in rows], np.float64)
    asked, _ = scores_of(deployed, sets.data.forget)
    found = broken(
        scores,
        asked,
        accuracies=np.array([row["test_after"] for row in rows], np.float64),
        deployed_accuracy=float(scores_of(deployed, sets.data.test)[1].mean()),
    )
    return NeverSaw(
        scores=finite(scores),
        deployed=finite(asked),
        findings=found,
        paths=dict(ways(rows)),
    )


def from_pool(rows: Sequence[Mapping[str, Any]], deployed: Floats) -> NeverSaw:
    """Return what the models of a pool say, where an earlier release compared with these."""
    scores = np.array([row["own"] for row in rows], np.float64)
    return NeverSaw(
        scores=finite(scores), deployed=finite(deployed), findings=gaps(scores, deployed)
    )


def ways(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Return how many models were trained in which way."""
    return Counter(row.get("engine", "sequential") for row in rows)
