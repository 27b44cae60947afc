"""From the request to the sealed record: a pass that is strict by every attack of the policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.execution import shadows
from tests.audits.certificate_worlds import POLICY, prepared, pretend
from tests.audits.world import runs

pytestmark = pytest.mark.django_db


def compared(row, *_: object):
    """A retrained model that says exactly what an unlearned one does: exact unlearning."""
    return replace(row, retrained=row.after, neighbours_retrained=row.neighbours_after)


def far(row, *_: object):
    found = compared(row)
    away = np.full_like(found.retrained, 9.0)
    around = found.neighbours_retrained + 9.0
    return replace(found, retrained=found.retrained + away, neighbours_retrained=around)


@pytest.mark.parametrize(("retrained", "outcome"), [(compared, "PASS_STRICT"), (far, "PASS_LEAK")])
def test_with_both_attacks_a_pass_is_strict_where_models_are_like_retrained_ones(
    world, approximate, monkeypatch, settings, retrained, outcome
):
    settings.EXPUNGE_POLICY = {**POLICY, "equivalence": True}
    prepared(world)
    pretend(monkeypatch)
    monkeypatch.setattr(shadows, "with_retrained", retrained)
    case = world.erased()
    row = runs(case)[0].evidence.get(kind="U_LIRA")
    assert (row.verdict.outcome, case.status) == (outcome, "SEALED")
    for one in (row.payload, row.payload["attacks"]["neighbourhood"]):
        bound = one["contrasts"]["equivalence"]["subject"]["upper"]
        assert (bound <= 0.5) is (outcome == "PASS_STRICT")
