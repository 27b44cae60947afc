"""SCRUB with rewind: which epoch it goes back to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from torch.utils.data import TensorDataset

from tests.unlearning.answering import CONTEXT, MODEL, SEED
from tests.unlearning.toys import (
    FORGET,
    HELD_OUT,
    RETAIN,
    Normed,
    Plain,
    equal,
    of_classes,
    original,
)
from unlearning.core.context import Context
from unlearning.core.method import EmptySet, NothingTouched
from unlearning.methods import scrub_rewind
from unlearning.methods.scrub import Scrub
from unlearning.methods.scrub_rewind import ScrubRewind

if TYPE_CHECKING:
    from torch import Tensor, nn


def error_of(model: nn.Module, data: TensorDataset) -> float:
    wrong: Tensor = model(data.tensors[0]).argmax(-1) != data.tensors[1]
    return wrong.float().mean().item()


STRONG: dict[str, Any] = {
    "learning_rate": 0.1,
    "temperature": 1.0,
    "alpha": 0.1,
    "epochs": 8,
    "msteps": 8,
    "forget_batch_size": 2,
}


def rewound(unseen: TensorDataset) -> Any:  # noqa: ANN401  (an Unlearned)
    return ScrubRewind(**STRONG).apply(MODEL, RETAIN, FORGET, replace(CONTEXT, validation=unseen))


def test_scrub_with_rewind_stays_at_the_last_epoch_when_that_errs_as_on_unseen_records():
    after = rewound(FORGET)
    assert equal(after.model, Scrub(**STRONG).unlearn(MODEL, RETAIN, FORGET, CONTEXT))
    assert after.report.stop_reason.startswith("went back to epoch 8 of 8")


def test_scrub_with_rewind_goes_back_to_the_epoch_that_forgot_just_enough():
    last = Scrub(**STRONG).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    answers = last(HELD_OUT.tensors[0]).argmax(-1)
    right = TensorDataset(HELD_OUT.tensors[0], answers)  # on these the last model never errs
    after = rewound(right)
    told = after.report.stop_reason
    error = float(told.split("forget set is ")[1].split(";")[0])
    assert error == pytest.approx(error_of(after.model, FORGET), abs=1e-3)
    assert error < error_of(last, FORGET)
    assert "epoch 8 of 8" not in told


def first_pass_is_flat(recipe: Plain, epochs: int, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401  (an Unlearned)
    """Run with errors that make the first epoch the closest, in which student is teacher."""
    errors = iter([0.0] + [1.0] * (epochs - 1) + [0.0])
    monkeypatch.setattr(scrub_rewind, "_error", lambda *_: next(errors))
    method = ScrubRewind(**{**STRONG, "epochs": epochs, "msteps": epochs, "forget_batch_size": 64})
    context = Context(recipe=recipe, seed=SEED, validation=HELD_OUT)
    return method.apply(original(recipe), RETAIN, FORGET, context)


def test_scrub_with_rewind_never_goes_back_to_an_epoch_of_mere_fine_tuning(monkeypatch):
    done = first_pass_is_flat(Plain(), 3, monkeypatch)
    assert done.report.stop_reason.startswith("went back to epoch 3 of 3")
    assert done.report.edited == done.report.parameters


def test_scrub_with_rewind_may_go_back_to_a_first_epoch_that_had_a_slope(monkeypatch):
    done = first_pass_is_flat(Normed(), 3, monkeypatch)
    assert done.report.stop_reason.startswith("went back to epoch 1 of 3")
    assert 0 < done.report.edited <= done.report.parameters


def test_scrub_with_rewind_of_fine_tuning_only_is_no_unlearning(monkeypatch):
    with pytest.raises(NothingTouched, match=r"SCRUB with rewind changed no .* own step"):
        first_pass_is_flat(Plain(), 1, monkeypatch)


def test_scrub_with_rewind_needs_unseen_records_of_the_classes_that_go():
    one = of_classes(FORGET, 0)
    with pytest.raises(EmptySet, match="validation records of its classes, and there is none"):
        ScrubRewind().unlearn(
            MODEL, RETAIN, one, replace(CONTEXT, validation=of_classes(HELD_OUT, 1, 2))
        )
