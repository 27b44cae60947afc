"""An audit without its arithmetic: scores made up, the verdict said beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.shadows import ShadowRow
from audits.core.verdict import Outcome, Verdict
from audits.execution import judging, shadows
from unlearning.core.examples import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


def rule(monkeypatch: pytest.MonkeyPatch, outcomes: Sequence[Outcome]) -> None:
    """Give these verdicts in turn; an audit more than that is an error."""
    waiting = list(outcomes)

    def recompute(*_: object) -> Verdict:
        outcome = waiting.pop(0)
        return Verdict(outcome=outcome, reasons=(f"Said beforehand: {outcome}.",))

    monkeypatch.setattr(shadows, "train_shadow", made_up)
    monkeypatch.setattr(judging, "look_plot", lambda *_, **__: b"<svg/>")
    monkeypatch.setattr(judging, "recompute", recompute)


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
