"""The loop and the sets it reads, beside slower ways to the same result."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import chain

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from tests.unlearning.toys import FORGET, RETAIN, Normed, Plain, Toy, equal, examples, original
from unlearning.core.context import Context
from unlearning.core.examples import Held, Sealed, SetNotDeclared, windows
from unlearning.core.inputs import limits
from unlearning.core.order import Plan
from unlearning.core.session import Cancelled, Session
from unlearning.core.training import (
    LossNotFinite,
    Phase,
    cosine,
    descend,
    endless,
    mean_loss,
    unchanged,
)
from unlearning.core.union import Union
from unlearning.core.weights import sgd


def phase(model: nn.Module, plan: Plan) -> Phase:
    return Phase(
        name="test",
        plan=plan,
        objective=lambda inputs, targets: nn.functional.cross_entropy(model(inputs), targets),
        optimizer=sgd(model, learning_rate=0.1, momentum=0.9, weight_decay=0.0),
        rate=cosine,
    )


PLAN = Plan(size=21, batch_size=4, epochs=2, seed=6)


def trained(data, plan: Plan = PLAN, augment=unchanged) -> nn.Module:
    model = original(Toy())
    descend(model, data, replace(phase(model, plan), augment=augment), Session())
    return model


def test_a_set_too_large_for_memory_trains_the_same_model():
    large = Held(RETAIN, limit=10)
    assert equal(trained(large), trained(RETAIN))
    assert large.read


def test_decoding_in_other_processes_trains_the_same_model():
    model = original(Toy())
    large = Held(RETAIN, limit=10)
    descend(model, large, phase(model, replace(PLAN, epochs=1)), Session(workers=1))
    assert equal(model, trained(RETAIN, replace(PLAN, epochs=1)))


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_read_of_a_large_union_counts_as_read_whoever_reads_it(workers):
    kept, gone = Held(RETAIN, limit=0), Held(FORGET, limit=0)
    both = Held(Union(Subset(kept, [4, 2, 3]), gone), limit=0)
    assert list(both.batches([[1, 2]], workers))
    assert (kept.read, gone.read) == (True, False)
    assert list(both.batches([[1], [3, 0]], workers))
    assert gone.read


def loss_of_a_line(data: TensorDataset, session: Session) -> float:
    return mean_loss(nn.Linear(4, 3), data, nn.functional.cross_entropy, session)


@pytest.mark.parametrize("look", [limits, loss_of_a_line])
def test_a_look_at_a_whole_set_tells_its_progress_and_can_be_stopped(look):
    data, told = examples(600, seed=7), []
    look(data, Session(progress=lambda *step: told.append(step[1:])))
    assert told[:3] == [(0, 3), (1, 3), (2, 3)]
    asked = iter([False, True])
    with pytest.raises(Cancelled, match="after step 1 of 3"):
        look(data, Session(cancelled=lambda: next(asked)))


def test_reading_from_a_large_set_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    assert len(list(Held(RETAIN, limit=10).batches(PLAN))) == PLAN.steps
    assert torch.equal(torch.get_rng_state(), before)


def test_training_with_holes_is_training_without_those_records_in_the_same_places():
    holes = frozenset({0, 3, 20})
    model = original(Plain())
    by_hand = deepcopy(model)
    descend(model, RETAIN, phase(model, replace(PLAN, holes=holes)), Session())
    optimizer = sgd(by_hand, learning_rate=0.1, momentum=0.9, weight_decay=0.0)
    for step, batch in enumerate(PLAN):
        kept = [record for record in batch if record not in holes]
        if kept:
            optimizer.param_groups[0]["lr"] = 0.1 * cosine(step, PLAN.steps)
            optimizer.zero_grad()
            outputs = by_hand(RETAIN.tensors[0][kept])
            nn.functional.cross_entropy(outputs, RETAIN.tensors[1][kept]).backward()
            optimizer.step()
    assert equal(model, by_hand)


def test_an_empty_batch_is_no_step():
    all_of_it = frozenset(range(21))
    model = original(Toy())
    before = deepcopy(model)
    told: list[int] = []
    session = Session(progress=lambda _phase, done, _total: told.append(done))
    descend(model, RETAIN, phase(model, replace(PLAN, holes=all_of_it)), session)
    assert equal(model, before)
    assert told == list(range(PLAN.steps + 1))


def test_what_a_step_draws_does_not_depend_on_the_steps_before():
    drawn: dict[frozenset[int], list[float]] = {}
    for holes in (frozenset[int](), frozenset(next(iter(PLAN)))):

        def note(inputs: Tensor, *, key: frozenset[int] = holes) -> Tensor:
            drawn.setdefault(key, []).append(torch.rand(1).item())
            return inputs

        trained(RETAIN, replace(PLAN, holes=holes, epochs=1), augment=note)
    with_all, without_first = drawn.values()
    assert with_all[1:] == without_first


def test_a_batch_of_one_is_trained_on_even_with_batch_normalisation():
    recipe = Normed(batch_size=4)  # 21 records: the last batch of an epoch has one
    model = recipe.train(RETAIN, Context(recipe=recipe))
    short = recipe.train(
        TensorDataset(*(tensor[:20] for tensor in RETAIN.tensors)), Context(recipe=recipe)
    )
    assert not equal(model, short)
    lone = recipe.train(examples(1, seed=0), Context(recipe=recipe))
    assert not equal(lone, recipe.build())
    assert torch.equal(lone.get_buffer("0.running_mean"), torch.zeros(4))


def test_a_loss_that_is_not_finite_stops_before_it_moves_anything():
    model = original(Plain())
    before = deepcopy(model)
    broken = replace(phase(model, PLAN), objective=lambda inputs, _: model(inputs).sum() * 1e60)
    with pytest.raises(
        LossNotFinite, match=r"^The loss of test is -?inf at step 0 of 12; a lower"
    ):
        descend(model, RETAIN, broken, Session())
    assert equal(model, before)


def test_eval_mode_leaves_dropout_and_norms_alone():
    model = original(Normed())
    statistics = model.get_buffer("0.running_mean").clone()
    descend(model, RETAIN, replace(phase(model, PLAN), training=False), Session())
    assert torch.equal(model.get_buffer("0.running_mean"), statistics)


def test_the_mean_loss_is_that_of_the_whole_set_in_eval_mode():
    data = examples(300, seed=4)
    model = original(Toy()).train()
    found = mean_loss(model, data, nn.functional.cross_entropy, Session())
    expected = nn.functional.cross_entropy(
        deepcopy(model).eval()(data.tensors[0]), data.tensors[1]
    )
    assert found == pytest.approx(expected.item(), rel=1e-6)
    assert all(layer.training for layer in model.modules())


def test_endless_batches_go_through_the_whole_set_in_a_new_order_each_time():
    data = TensorDataset(torch.arange(7.0)[:, None], torch.arange(7))
    batches = endless(data, 3, seed=1)
    epochs = [[next(batches)[1].tolist() for _ in range(3)] for _ in range(3)]
    for epoch in epochs:
        assert sorted(chain.from_iterable(epoch)) == list(range(7))
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize(
    ("size", "lengths"), [(0, [0]), (1, [1]), (4, [4]), (5, [2, 3]), (9, [3] * 3)]
)
def test_windows_are_nearly_equal_and_complete(size, lengths):
    found = windows(size, at_most=4)
    assert [len(window) for window in found] == lengths
    assert list(chain.from_iterable(found)) == list(range(size))


def test_a_sealed_set_gives_nothing_away():
    sealed = Sealed("forget", "Fine-tuning")
    for peek in (
        lambda: len(sealed),
        lambda: sealed[0],
        lambda: list(Held(sealed).batches([[0]])),
    ):
        with pytest.raises(SetNotDeclared, match="Fine-tuning read the forget set, which it does"):
            peek()
