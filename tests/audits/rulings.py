"""An audit without its arithmetic: verdicts that are said beforehand, scores that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.shadow_rows import ShadowRow
from audits.core.verdict import Outcome, Verdict
from audits.execution import judged_look, judging, shadows
from audits.execution.shadow_engine import Bench
from audits.models import Evidence
from audits.services import evidence
from audits.services.verdicts import Finding
from tests.audits.world import NOW
from unlearning.core.engine import Path
from unlearning.core.examples import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


def rule(monkeypatch: pytest.MonkeyPatch, outcomes: Sequence[Outcome]) -> None:
    """Give these verdicts in turn, on shadow models that nobody trained; no more than these."""
    waiting = list(outcomes)

    def train_chunk(job, plan) -> None:
        for index in range(job.parameters["start"], job.parameters["stop"]):
            evidence.keep_shadow(run_id=plan.pk, index=index, version=None, row={}, now=NOW)
        evidence.log_shadows(run_id=plan.pk, now=NOW)

    def judge_look(run, look) -> list[Finding]:
        outcome = waiting.pop(0)
        return [
            Finding(
                kind=Evidence.Kind.U_LIRA,
                look=look,
                models_per_arm=6,
                payload={
                    "not_computed": "Said beforehand.",
                    "policy_digest": run.audit_plan.policy_digest,
                },
                outcome=outcome.value,
                reasons=[f"Said beforehand: {outcome}."],
                final=True,
            )
        ]

    monkeypatch.setattr(shadows, "_train_chunk", train_chunk)
    monkeypatch.setattr(judging, "judge_look", judge_look)


def make_up(
    monkeypatch: pytest.MonkeyPatch, outcomes: Sequence[Outcome], *, nodes: bool = False
) -> None:
    """The same with all around the training and the bounds in earnest; ``nodes``: lineage too."""
    waiting = list(outcomes)

    def recompute(*_: object) -> Verdict:
        outcome = waiting.pop(0)
        return Verdict(outcome=outcome, reasons=(f"Said beforehand: {outcome}.",))

    if not nodes:
        monkeypatch.setattr(shadows, "register_shadow", lambda *_, **__: None)
    # A trial of both ways would measure this machine's load, and a stack would train in earnest.
    monkeypatch.setattr(Bench, "path", lambda *_: Path.SEQUENTIAL)
    monkeypatch.setattr(shadows, "train_shadow", made_up)
    monkeypatch.setattr(judged_look, "look_plot", lambda *_, **__: b"<svg/>")
    monkeypatch.setattr(judged_look, "recompute_all", recompute)


def made_up(model, design, _procedure, data) -> ShadowRow:
    """A row of the right shape that nobody trained."""
    rng = np.random.default_rng(model)
    records = count(data.forget)
    return ShadowRow(
        model=model,
        member=bool(design.member[model]),
        before=rng.normal(size=records),
        after=rng.normal(size=records),
        canary_scores=rng.normal(size=design.canaries),
        canary_member=design.canary_member[model],
        retained_before=0.9,
        retained_after=0.9,
        test_before=0.9,
        test_after=0.9,
    )
