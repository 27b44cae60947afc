"""One person's records judged by the attacks that an audit makes by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.attacks.neighbourhood import Neighbourhood
from audits.core.attacked import judged_by
from audits.core.contrast import keep, recompute_all
from audits.core.harness import Deployment
from audits.core.kept import Kept
from audits.core.policy import MAIN_ATTACK, AuditData, EvidencePolicy
from audits.core.shadow_material import material
from audits.core.shadow_rows import stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.core.design import TwinDesign
    from audits.core.shadow_rows import ShadowRow
    from audits.core.shadow_scores import ShadowScores
    from audits.core.shadows import ShadowData
    from audits.core.verdict import Outcome, Verdict

ATTACKS = (MAIN_ATTACK, "neighbourhood")  # what an audit makes by default


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the models say of one person's records."""

    scores: ShadowScores
    kept: Kept
    policy: EvidencePolicy
    verdict: Verdict

    @property
    def outcome(self) -> Outcome:
        """Return the outcome of the verdict."""
        return self.verdict.outcome


def judge(rows: Sequence[ShadowRow], design: TwinDesign, sets: ShadowData, person: int) -> Judged:
    """Judge one person's records by the attacks that an audit makes by default.

    ``rows`` are those of all models of the design, or of those up to one of its looks.
    """
    columns = np.flatnonzero(np.array(sets.subjects) == person)
    member = design.learns[: len(rows), person]
    scores = stack(rows).of_records(columns, member)
    index = np.random.default_rng([design.seed, person]).permutation(len(columns))
    kept = keep(scores, seed=design.seed, index=index, deployment=Deployment())
    beside = judged_by(kept, Neighbourhood(), material(rows, columns, member), index=index)
    everything = dict(zip(ATTACKS, (kept, beside), strict=True))
    read = {name: Kept.from_dict(one.as_dict()) for name, one in everything.items()}
    policy = EvidencePolicy(
        looks=design.looks,
        max_trainings=design.models,
        audit_data=AuditData.OWN_RECORDS,
        attacks=ATTACKS,
    )
    verdict = recompute_all(read, policy)
    return Judged(scores=scores, kept=kept, policy=policy, verdict=verdict)
