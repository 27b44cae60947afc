"""The contract of how a method runs and reports, checked for every method file there is."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from tests.unlearning.toys import Plain, Toy, equal, original
from tests.unlearning.trying import METHODS, at_home, context, fitted_at_once, run, sets
from unlearning.core import entries
from unlearning.core.context import Cancelled
from unlearning.core.replay.engine import OtherTraining
from unlearning.core.training import LossNotFinite
from unlearning.methods.msg import MaskedSmallGradients
from unlearning.methods.replay import Replay

if TYPE_CHECKING:
    from torch import nn


RECONSTRUCTED = "reconstructed from the abstract"


def test_progress_is_told_at_every_step_and_never_goes_back_within_a_phase(method):
    told: list[tuple[str, int, int]] = []
    recipe = at_home(method, Toy)
    watching = context(recipe, progress=lambda *step: told.append(step))
    method.unlearn(original(recipe), *sets(method), watching)
    assert len(told) > 1
    for (name, done, total), (next_name, next_done, _) in pairwise(told):
        assert 0 <= done <= total
        assert next_done == (done + 1 if next_name == name else 0)


def test_it_stops_when_it_is_cancelled(method):
    recipe = at_home(method, Toy)
    asked: list[int] = []
    method.unlearn(
        original(recipe), *sets(method), context(recipe, cancelled=lambda: asked.append(0))
    )
    for patience in {0, 1, len(asked) - 1}:
        calls = iter(range(1000))
        impatient = context(recipe, cancelled=lambda it=calls, stop=patience: next(it) >= stop)
        with pytest.raises(Cancelled, match=r"^Cancelled during .*, after step \d+ of \d+\.$"):
            method.unlearn(original(recipe), *sets(method), impatient)
        assert next(calls) == patience + 1


def test_a_loss_that_runs_away_fails_the_run(method):
    class Broken(Plain):
        def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return super().loss(outputs, targets) * float("inf")

    if fitted_at_once(method):
        return
    recipe = at_home(method, Broken)
    model = original(at_home(method, Plain))
    with torch.no_grad():  # for methods with a loss of their own
        next(reversed(list(model.parameters()))).fill_(float("inf"))
    with pytest.raises(LossNotFinite, match=r"The loss of .* is (inf|-inf|nan) at step 0 of"):
        method.unlearn(model, *sets(method), context(recipe))


def moving(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters by name, or the buffers of a model without parameters."""
    return dict(model.named_parameters()) or dict(model.named_buffers())


def test_the_report_counts_what_changed(method, recipe):
    ticks = iter([10.0, 12.5])
    model = original(recipe)
    unlearned = method.apply(model, *sets(method), context(recipe, clock=lambda: next(ticks)))
    report, after = unlearned.report, unlearned.model
    mine, its = moving(model), moving(after)
    pairs = zip(mine.values(), its.values(), strict=True)
    assert report.trained == sum(int((old != new).sum()) for old, new in pairs) > 0
    assert report.edited is None or report.edited > 0
    assert report.parameters == sum(weight.numel() for weight in model.parameters())
    assert set(report.layers) <= mine.keys()
    assert report.method in METHODS
    assert report.seconds == 2.5
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()


def test_the_records_to_forget_are_never_augmented(method):
    seen: list[Tensor] = []

    class Noting(Plain):
        def augment(self, inputs: Tensor) -> Tensor:
            seen.append(inputs)
            return inputs

    inside = context(at_home(method, Noting))
    seen.clear()  # what is kept of a training was augmented in it
    method.unlearn(original(at_home(method, Plain)), *sets(method), inside)
    if seen:
        rows = torch.cat(seen)
        assert (rows[:, None] == sets(method)[0].tensors[0]).all(-1).any(1).all()


def test_it_documents_itself(method):
    cls = type(method)
    text = inspect.getdoc(cls) or ""
    assert list(entries.sections(text)) == list(entries.SECTIONS)
    assert len(re.findall(r"[.!?](?: |$)", entries.opening(text))) == 2
    assert cls.title
    assert cls.paper
    assert cls.basis in {"code", "design", RECONSTRUCTED}
    assert (cls.basis == RECONSTRUCTED) == (RECONSTRUCTED in text)
    assert dataclasses.astuple(cls.cost) > (0, 0, 0)


def test_its_repr_makes_it_again(method):
    cls = type(method)
    assert eval(repr(method), {cls.__name__: cls}) == method
    assert cls(**json.loads(json.dumps(dataclasses.asdict(method)))) == method


def test_mixed_precision_changes_nothing_on_the_processor(method):
    recipe = at_home(method, Plain)
    mixed = method.unlearn(original(recipe), *sets(method), context(recipe, amp=True))
    assert equal(run(method, Plain), mixed)


# A device sums in another order, so that of two weights with almost the same rank the other is
# chosen, and drawn anew.
SWAPPED = {MaskedSmallGradients: 2}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("amp", [False, True])
def test_a_gpu_agrees_with_the_processor(method, amp):
    recipe = at_home(method, Plain)
    on_gpu = context(recipe, device=torch.device("cuda"), amp=amp)
    if amp and isinstance(method, Replay):
        with pytest.raises(OtherTraining):  # what is replayed was trained in full precision
            method.unlearn(original(recipe), *sets(method), on_gpu)
        return
    there = method.unlearn(original(recipe), *sets(method), on_gpu).state_dict()
    close = 0.05 if amp and method.mixed_precision else 1e-4
    apart = 0
    for name, tensor in run(method, Plain).state_dict().items():
        apart += int((~torch.isclose(tensor, there[name].cpu(), atol=close)).sum())
    assert apart <= SWAPPED.get(type(method), 0)
