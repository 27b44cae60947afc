"""Mixed precision, forced on the processor, where it is otherwise never used."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.unlearning.toys import Normed, Plain, equal, original, rewind, whole
from tests.unlearning.trying import METHODS, at_home, context, run, sets, tried
from unlearning.core.context import Context
from unlearning.core.replay.engine import OtherTraining, Trainer
from unlearning.core.replay.pinned import Pinned
from unlearning.core.replay.store import MemoryStore
from unlearning.core.session import Session

MIXED = [name for name in METHODS if METHODS.get(name).mixed_precision]


@pytest.mark.parametrize("kind", [Plain, Normed], ids=["plain", "batch norm"])
@pytest.mark.parametrize("name", [name for name in MIXED if name != "replay"])
def test_steps_in_bfloat16_lead_close_to_where_full_steps_lead(name, kind, monkeypatch):
    method, full = tried(name), run(tried(name), kind)
    monkeypatch.setattr(Session, "mixed", property(lambda session: session.amp))
    recipe = at_home(method, kind)
    half = method.unlearn(original(recipe), *sets(method), context(recipe, amp=True))
    pairs = zip(full.parameters(), half.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=0.05) for one, other in pairs)
    assert all(weight.dtype is torch.float32 for weight in half.parameters())


def test_a_training_is_replayed_in_the_precision_that_it_was_recorded_in(monkeypatch):
    monkeypatch.setattr(Session, "mixed", property(lambda session: session.amp))
    recipe, method = Plain(), METHODS.get("replay")()
    kept = rewind(recipe, 7)
    half = Context(recipe=recipe, seed=7, amp=True)
    training = Trainer(
        recipe=recipe, session=half, store=MemoryStore(), secret=kept.secret, content="toys"
    )
    data = whole()
    origin = training.record("first", Pinned(data, size=len(data))).recording
    again = replace(kept, origin=origin, store=training.store)
    replayed = method.unlearn(original(recipe), *sets(method), replace(half, rewind=again))
    from_scratch = recipe.train(Pinned(sets(method)[0], size=len(data), holes=again.holes), half)
    assert equal(replayed, from_scratch)
    with pytest.raises(OtherTraining, match=r"its binding is"):
        method.unlearn(original(recipe), *sets(method), replace(half, rewind=kept))


def test_most_methods_allow_it_and_those_that_invert_matrices_do_not():
    assert len(MIXED) > 20
    assert {"newton_influence", "influence_woodfisher", "svd_projection"}.isdisjoint(MIXED)
