"""Methods that set back, freeze or distil, each beside a plain loop with numbers in hand."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn.functional import cross_entropy

from tests.unlearning.by_hand import SEED, ByHand, close, cosine
from tests.unlearning.toys import (
    CPU,
    FORGET,
    HELD_OUT,
    RETAIN,
    Filters,
    Plain,
    history,
    original,
    whole,
)
from unlearning.core.context import Context
from unlearning.core.order import Plan, permutation
from unlearning.core.seeding import derive, isolated, reseed
from unlearning.methods.bad_teacher import BadTeacher
from unlearning.methods.cf_k import CatastrophicForgettingLastBlocks
from unlearning.methods.eu_k import ExactUnlearningLastBlocks
from unlearning.methods.kde import KnowledgeDistillation
from unlearning.methods.mini_unlearning import MiniUnlearning
from unlearning.methods.msg import MaskedSmallGradients
from unlearning.methods.prmq import PruneReinitialiseMatchQuantise
from unlearning.methods.rni import RepeatedNoise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unlearning.core.method import Method

INPUTS, LABELS = RETAIN.tensors


@dataclass(frozen=True, kw_only=True)
class Deep(Plain):
    """Twelve tensors of linear layers, and batch normalisation in front of the classifier."""

    def build(self) -> nn.Module:
        hidden = [each for _ in range(4) for each in (nn.Linear(8, 8), nn.Tanh())]
        return nn.Sequential(
            nn.Linear(4, 8), nn.Tanh(), *hidden[:-1], nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)
        )


def unlearned(method: Method, recipe: Plain) -> nn.Module:
    context = Context(recipe=recipe, seed=SEED, validation=HELD_OUT)
    return method.unlearn(original(recipe), RETAIN, FORGET, context)


def fresh(recipe: Plain) -> Any:  # noqa: ANN401  (its layers are taken by number)
    """Return the network with which the recipe begins, drawn as the first thing in a run."""
    with isolated(SEED, CPU):
        return recipe.build()


def steps(size: int, method: Any, *labels: str | int, epochs: int = 0) -> Iterator[Any]:  # noqa: ANN401
    """Yield (epoch, step, steps in all, places in the set)."""
    epochs = epochs or method.epochs
    seed = derive(SEED, *labels)
    plan = Plan(size=size, batch_size=method.batch_size, epochs=epochs, seed=seed)
    for step, chosen in enumerate(plan):
        yield step * epochs // plan.steps, step, plan.steps, chosen


def apart(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    p, q = (teacher / temperature).softmax(-1).detach(), (student / temperature).softmax(-1)
    return (p * (p / q).log()).sum() / len(p)


def entropy(outputs: Tensor) -> Tensor:
    found: Tensor = Categorical(logits=outputs).entropy()
    return found


def test_prmq_prunes_matches_entropies_and_rounds():
    method = PruneReinitialiseMatchQuantise(
        learning_rate=0.05, batch_size=8, epochs=3, prune=0.8, momentum=0.5
    )
    model: Any = original(Plain())
    teacher = deepcopy(model)
    weights = list(model.parameters())
    sizes = torch.cat([weight.abs().flatten() for weight in weights]).sort().values
    limit = sizes[round(0.8 * len(sizes)) - 1]
    with torch.no_grad(), isolated(SEED, CPU):
        for weight in weights:
            begin = torch.zeros_like(weight)
            if weight.dim() > 1:  # uniform between -1 / sqrt(fan-in) and 1 / sqrt(fan-in)
                begin = torch.rand(weight.shape) * 2 / sqrt(weight.shape[1])
                begin = begin - 1 / sqrt(weight.shape[1])
            weight.copy_(torch.where(weight.abs() <= limit, begin, weight))
    hand = ByHand(model, momentum=0.5, weight_decay=method.weight_decay)
    rarity = LABELS.bincount().float() ** -0.1
    for _, _, _, chosen in steps(len(RETAIN), method, "retain"):
        outputs = model(INPUTS[chosen])
        surer = entropy(outputs) - entropy(teacher(INPUTS[chosen])).detach()
        hand.step(cross_entropy(outputs, LABELS[chosen], rarity) + (surer**2).mean(), 0.05)
    assert close(unlearned(method, Plain()), model, 2e-3)  # rounded to eleven bits
    assert not close(original(Plain()), model, 0.1)


def test_kde_distils_the_original_into_a_fresh_classifier_twice():
    method = KnowledgeDistillation(
        batch_size=4, temperature=2.0, warmup_rate=0.05, learning_rate=0.1, epochs=2
    )
    model: Any = original(Plain())
    teacher = deepcopy(model)
    model[2].load_state_dict(fresh(Plain())[2].state_dict())
    settings = {"momentum": method.momentum, "weight_decay": method.weight_decay}
    hand = ByHand(model, **settings)
    unseen = HELD_OUT.tensors[0]
    for _, _, _, chosen in steps(len(HELD_OUT), method, "warm up", epochs=method.warmup_epochs):
        hand.step(apart(model(unseen[chosen]), teacher(unseen[chosen]), 2.0), 0.05)
    hand = ByHand(model, **settings)
    for _, step, total, chosen in steps(len(RETAIN), method, "retain"):
        outputs, taught = model(INPUTS[chosen]), teacher(INPUTS[chosen]).detach()
        soft = cross_entropy(outputs / 2.0, (taught / 2.0).softmax(-1))
        loss = cross_entropy(outputs, LABELS[chosen]) + apart(outputs, taught, 2.0) + soft
        hand.step(loss, 0.1 * cosine(step, total))
    assert close(unlearned(method, Plain()), model)


def test_msg_trains_what_it_made_anew_ten_times_as_much_at_a_rate_that_rises_and_falls():
    method = MaskedSmallGradients(batch_size=8, init_rate=0.3, learning_rate=0.1)
    recipe = Filters()
    model: Any = original(recipe)
    kernel = model[1].weight
    sample = permutation(len(RETAIN), derive(SEED, "sample"))[: len(FORGET)]
    slopes = [
        torch.autograd.grad(cross_entropy(model(x), y), kernel)[0]
        for x, y in ((INPUTS[sample], LABELS[sample]), FORGET.tensors)
    ]
    gap = (slopes[0] - slopes[1]).abs()
    chosen = gap <= gap.flatten().sort().values[round(0.3 * gap.numel()) - 1]
    with torch.no_grad(), isolated(SEED, CPU):  # variance 2 / fan-out
        drawn = torch.empty(kernel.shape).normal_(0, sqrt(2 / (12 * 9)))
        kernel.copy_(torch.where(chosen, drawn, kernel))
    factors = {kernel: torch.where(chosen, 1.0, 0.1)}
    rates = (1 / 3, 2 / 3, 1, 2 / 3, 1 / 3)
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)
    for epoch, _, _, places in steps(len(RETAIN), method, "retain"):
        loss = cross_entropy(model(INPUTS[places]), LABELS[places])
        hand.step(loss, 0.1 * rates[epoch], factors=factors)
    assert close(unlearned(method, recipe), model)


def test_rni_trains_nine_tensors_and_the_norms_in_each_epoch_and_all_in_the_last():
    method = RepeatedNoise(
        batch_size=8, epochs=4, fine_epochs=1, learning_rate=0.05, fine_rate=0.01, noise=0.3
    )
    recipe = Deep()
    model: Any = original(recipe).train()
    norms = list(model[9].parameters())
    others = [weight for weight in model.parameters() if all(weight is not n for n in norms)]
    assert (len(norms), len(others)) == (2, 12)
    noised: set[int] = set()
    with isolated(SEED, CPU):
        drawn: Any = recipe.build()
        model[-1].load_state_dict(drawn[-1].state_dict())
        for epoch in range(4):
            drawn = torch.randperm(12)[:9].tolist()
            if epoch in {1, 2}:
                for place in sorted(set(drawn[:6]) - noised):  # 0.7 of nine
                    others[place].data += 0.3 * torch.randn(others[place].shape)
                noised |= set(drawn[:6])
            free = [*norms, *(others[place] for place in drawn)]
            hand = ByHand(
                model if epoch == 3 else free,
                momentum=method.momentum,
                weight_decay=method.weight_decay,
            )
            order = derive(SEED, "retain", epoch)
            for _, step, _, places in steps(len(RETAIN), method, "retain", epoch, epochs=1):
                reseed(derive(order, "step", step), CPU)
                loss = cross_entropy(model(INPUTS[places]), LABELS[places])
                hand.step(loss, 0.01 if epoch == 3 else 0.05)
    assert close(unlearned(method, recipe), model, 1e-5)


def last_blocks_by_hand(method: Any, model: Any) -> Any:  # noqa: ANN401
    """Train the last hidden layer, its norm and the classifier, in the mode they are in."""
    hand = ByHand(weight for each in (8, 9, 11) for weight in model[each].parameters())
    for epoch, _, _, places in steps(len(RETAIN), method, "retain"):
        rate = method.learning_rate * 0.3 ** sum(
            epoch + 1 > share * 10 for share in (0.5, 0.8, 0.9)
        )
        loss = cross_entropy(model(INPUTS[places]), LABELS[places])
        hand.step(loss + method.l2_to_init / 2 * hand.pull(), rate)
    return model


SETTINGS: dict[str, Any] = {
    "batch_size": 8,
    "learning_rate": 0.05,
    "decay_rate": 0.3,
    "l2_to_init": 0.8,
}


def test_cf_k_trains_the_last_block_in_eval_mode_and_pulls_it_to_the_original():
    method = CatastrophicForgettingLastBlocks(**SETTINGS)
    by_hand = last_blocks_by_hand(method, original(Deep()).eval())
    assert close(unlearned(method, Deep()), by_hand)


def test_eu_k_trains_the_renewed_block_in_train_mode_and_pulls_it_to_the_new_start():
    method = ExactUnlearningLastBlocks(**SETTINGS)
    model: Any = original(Deep()).eval()
    for each in (8, 9, 11):
        model[each].load_state_dict(fresh(Deep())[each].state_dict())
        model[each].train()
    assert close(unlearned(method, Deep()), last_blocks_by_hand(method, model))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_a_bad_teacher_hands_down_the_distributions_of_both_teachers(temperature):
    method = BadTeacher(
        learning_rate=0.02, epochs=4, batch_size=8, retain_share=0.5, temperature=temperature
    )
    model: Any = original(Plain())
    good, bad = deepcopy(model), fresh(Plain())
    sample = permutation(len(RETAIN), derive(SEED, "sample"))[:10]  # half of 21
    inputs = torch.cat([INPUTS[sample], FORGET.tensors[0]])
    taught = torch.cat([good(INPUTS[sample]), bad(FORGET.tensors[0])]).detach()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _, _, _, chosen in steps(len(inputs), method, "both"):
        optimizer.zero_grad()
        apart(model(inputs[chosen]), taught[chosen], temperature).backward()
        optimizer.step()
    assert close(unlearned(method, Plain()), model)


def test_mini_unlearning_goes_on_with_what_the_optimiser_remembered():
    recipe = Plain(momentum=0.8, learning_rate=0.05)
    model = recipe.build()
    model.load_state_dict(history(recipe).weights)
    generator = torch.Generator().manual_seed(1)
    speeds = [torch.randn(weight.shape, generator=generator) for weight in model.parameters()]
    memory = {place: {"momentum_buffer": speed} for place, speed in enumerate(speeds)}
    kept = replace(history(recipe), memory=memory)
    hand = ByHand(model, momentum=0.8, weight_decay=recipe.weight_decay)
    hand.velocity = [speed.clone() for speed in speeds]
    for batch, rate in zip(kept.batches, kept.rates, strict=True):
        places = list(batch)
        hand.step(cross_entropy(model(INPUTS[places]), LABELS[places]), 0.05 * rate)
    context = Context(recipe=recipe, seed=SEED, history=kept)
    assert close(MiniUnlearning().unlearn(original(recipe), RETAIN, FORGET, context), model)
    assert len(whole()) == len(RETAIN) + kept.holes
