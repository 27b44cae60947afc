"""What the runs of a sealed case found, by made-up numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.contrast import recompute
from audits.core.estimates import Utility
from audits.core.kept import Kept, KeptContrast
from audits.core.policy import AuditData, EvidencePolicy
from audits.services import verdicts

if TYPE_CHECKING:
    from lineage.models import Artefact

POLICY = EvidencePolicy(
    looks=(128,), max_trainings=256, margin_subject=0.35, audit_data=AuditData.OWN_RECORDS
)
MADE_EXACTLY = (
    "The manifest digest matches, no ancestor's inputs hold a record of the forget set, every "
    "ancestor was made exactly, and the code and environment are recorded."
)


def kept(*, seed: int, leak: float = 0.5) -> Kept:
    """A kept set in which the attack was right so often after unlearning."""
    rng = np.random.default_rng(seed)

    def contrast(right: float) -> KeptContrast:
        shift = 8 * (right - 0.5)
        return KeptContrast(
            averages_in=tuple(rng.normal(right, 0.03, 123).clip(0, 1).tolist()),
            averages_out=tuple(rng.normal(right, 0.03, 123).clip(0, 1).tolist()),
            subject_in=tuple(rng.normal(shift, 1, 123).tolist()),
            subject_out=tuple(rng.normal(-shift, 1, 123).tolist()),
            right_in=tuple(rng.binomial(123, right, 32).tolist()),
            right_out=tuple(rng.binomial(123, right, 32).tolist()),
        )

    utility = Utility(
        reference_retained=0.996,
        unlearned_retained=0.991,
        reference_test=0.962,
        unlearned_test=0.958,
    )
    return Kept(models_per_arm=128, before=contrast(0.93), leak=contrast(leak), utility=utility)


def u_lira(kept_set: Kept, *, plot: Artefact | None = None) -> verdicts.Finding:
    verdict = recompute(kept_set, POLICY)
    return verdicts.Finding(
        kind="U_LIRA",
        look=0,
        models_per_arm=128,
        payload={"kept": kept_set.as_dict(), "policy_digest": POLICY.digest()},
        plot=plot,
        outcome=verdict.outcome.value,
        reasons=verdict.reasons,
        final=True,
    )


def population() -> verdicts.Finding:
    interval = {"estimate": 0.5123, "low": 0.43, "high": 0.59}
    numbers = {"auc": interval, "advantage": interval, "records": 32}
    payload = {"original": {**numbers}, "unlearned": {**numbers}, "not_computed": ""}
    return verdicts.Finding(kind="POPULATION", look=0, models_per_arm=0, payload=payload)


def construction() -> verdicts.Finding:
    checks = {
        "manifest_matches": True,
        "overlapping": [],
        "inexact": [],
        "code_digest": "ab" * 32,
        "environment_digest": "cd" * 32,
        "smoke": None,
    }
    return verdicts.Finding(
        kind="CONSTRUCTION",
        look=0,
        models_per_arm=0,
        payload={"checks": checks, "ancestors": ["ranker v2"], "reasons": []},
        outcome="ERASED_BY_CONSTRUCTION",
        reasons=[MADE_EXACTLY],
        final=True,
    )
