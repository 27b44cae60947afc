"""Mixed precision, forced on the processor, where it is otherwise never used."""

from __future__ import annotations

import pytest
import torch

from tests.unlearning.toys import Normed, Plain, original
from tests.unlearning.trying import METHODS, at_home, context, run, sets, tried
from unlearning.core.session import Session

MIXED = [name for name in METHODS if METHODS.get(name).mixed_precision]


@pytest.mark.parametrize("kind", [Plain, Normed], ids=["plain", "batch norm"])
@pytest.mark.parametrize("name", MIXED)
def test_steps_in_bfloat16_lead_close_to_where_full_steps_lead(name, kind, monkeypatch):
    method, full = tried(name), run(tried(name), kind)
    monkeypatch.setattr(Session, "mixed", property(lambda session: session.amp))
    recipe = at_home(method, kind)
    half = method.unlearn(original(recipe), *sets(method), context(recipe, amp=True))
    pairs = zip(full.parameters(), half.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=0.05) for one, other in pairs)
    assert all(weight.dtype is torch.float32 for weight in half.parameters())


def test_most_methods_allow_it_and_those_that_invert_matrices_do_not():
    assert len(MIXED) > 20
    assert {"newton_influence", "influence_woodfisher", "svd_projection"}.isdisjoint(MIXED)
