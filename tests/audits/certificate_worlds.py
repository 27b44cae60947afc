"""A pool that passes and models for an instance test, without training: for certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyroaring import BitMap

from audits.core.shadow_rows import ShadowRow
from audits.execution import figures, judged_look, judging, shadows
from audits.execution.shadow_engine import Bench
from tests.audits.world import ADA, BERT, CLEO, DORA, digits, imported
from unlearning.core.engine import Path
from unlearning.core.examples import count

if TYPE_CHECKING:
    import pytest

    from tests.audits.world import World

PER_ARM, COPIES = 24, 3
POLICY = {
    "looks": [PER_ARM],
    "max_trainings": 2 * PER_ARM,
    "margin_record": 0.5,
    "margin_subject": 0.5,
    "margin_utility": 0.99,
}


def passing(model, design, _procedure, data) -> ShadowRow:
    """A row of a pool that passes for certain: the arms are alike after, and far apart before."""
    member = bool(design.member[model])
    rank = int((design.member[:model] == member).sum())
    rng = np.random.default_rng(rank)
    records, toss = count(data.forget), float(rank % 2)
    before, after = rng.normal(size=records) + 9 * member, rng.normal(size=records)
    around = rng.normal(0.0, 0.1, (records, COPIES))
    return ShadowRow(
        model=model,
        member=member,
        before=before,
        after=after,
        neighbours_before=before[:, None] + around,
        neighbours_after=after[:, None] + around,
        canary_scores=rng.normal(size=design.canaries),
        canary_member=design.canary_member[model],
        retained_before=toss,
        retained_after=toss,
        test_before=toss,
        test_after=toss,
    )


def pretend(monkeypatch: pytest.MonkeyPatch, *, stands_out: bool = False) -> None:
    """Train nothing; the deployed model looks like the models that never saw, or unlike them."""
    centre, rng = -1000.0 if stands_out else 1000.0, np.random.default_rng(0)

    def own(_procedure, sets) -> list[float]:
        if sets.own is None:
            return []
        drawn: list[float] = rng.normal(centre, size=count(sets.own)).tolist()
        return drawn

    monkeypatch.setattr("audits.services.evidence.CHUNK", 2 * PER_ARM)
    monkeypatch.setattr(Bench, "path", lambda *_: Path.SEQUENTIAL)
    monkeypatch.setattr(shadows, "train_shadow", passing)
    monkeypatch.setattr(shadows, "register_shadow", lambda *_, **__: None)
    monkeypatch.setattr(shadows, "_own_scores", own)
    drawings = (judged_look, "look_plot"), (figures, "histogram_svg"), (figures, "power_svg")
    for module, drawing in drawings:
        monkeypatch.setattr(module, drawing, lambda *_, **__: b"<svg/>")
    monkeypatch.setattr(judging, "_population", lambda _: [])
    monkeypatch.setattr("audits.core.contrast.findings", lambda *_, **__: ())


def prepared(world: World) -> World:
    """A version that many people's records trained: some must stay when others stand in."""
    many = [(f"eve{at}@example.org", one) for at, one in enumerate(digits()[60:96])]
    imported("digits", many)
    learned = world.owned(ADA, BERT, CLEO, DORA) | BitMap(range(60, 96))
    world.train("base", world.take(learned))
    return world
