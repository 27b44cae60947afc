"""What methods do to the answers: labels drawn by lot, teachers, noise and attackers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import log
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

from tests.unlearning.toys import (
    CPU,
    FORGET,
    HELD_OUT,
    RETAIN,
    WHOLE_CLASS,
    Normed,
    Plain,
    equal,
    history,
    of_classes,
    original,
)
from unlearning.core.adversarial import Search
from unlearning.core.claims import NotEligible
from unlearning.core.classes import NotAWholeClass
from unlearning.core.context import Context
from unlearning.core.distillation import divergence
from unlearning.core.method import EmptySet, NothingTouched, NotKept
from unlearning.core.seeding import isolated
from unlearning.core.session import Session
from unlearning.methods import scrub_rewind
from unlearning.methods.amnesiac import Amnesiac
from unlearning.methods.amun import Amun
from unlearning.methods.bad_teacher import BadTeacher
from unlearning.methods.finetune import Finetune
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.methods.mini_unlearning import MiniUnlearning
from unlearning.methods.random_labels import RandomLabels
from unlearning.methods.remi import Remi
from unlearning.methods.scrub import Scrub
from unlearning.methods.scrub_rewind import ScrubRewind
from unlearning.methods.unsir import Unsir

if TYPE_CHECKING:
    from unlearning.core.method import Method

SEED = 5
CONTEXT = Context(recipe=Plain(), seed=SEED, validation=HELD_OUT, classes=("c",))
MODEL = original(Plain())


def clusters(size: int, seed: int) -> TensorDataset:
    """Return records that are easily told apart by class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(size) % 3
    inputs = torch.randn(size, 4, generator=generator) / 2
    return TensorDataset(inputs + 2 * torch.eye(4)[labels], labels)


CLUSTERS = clusters(60, seed=1)
TRAINED = Plain(epochs=20).train(CLUSTERS, Session(seed=SEED))
TWO_STAY, ONE_GOES = of_classes(CLUSTERS, 0, 1), of_classes(CLUSTERS, 2)


def loss_of(model: nn.Module, data: TensorDataset) -> float:
    return cross_entropy(model(data.tensors[0]), data.tensors[1]).item()


def error_of(model: nn.Module, data: TensorDataset) -> float:
    wrong: Tensor = model(data.tensors[0]).argmax(-1) != data.tensors[1]
    return wrong.float().mean().item()


@dataclass(frozen=True, kw_only=True)
class Told(Plain):
    """Notes every label that a model is told."""

    heard: list[Tensor] = field(default_factory=list, repr=False)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.heard.append(targets)
        return super().loss(outputs, targets)


def labels_told(method: Method) -> Tensor:
    """Return, for each epoch, how often each label was told in it: (epochs, classes)."""
    recipe = Told()
    method.unlearn(MODEL, RETAIN, FORGET, Context(recipe=recipe, seed=SEED))
    return torch.stack([each.bincount(minlength=3) for each in recipe.heard])


ONE_BATCH = {"batch_size": 64, "epochs": 40}
KEPT = RETAIN.tensors[1].bincount(minlength=3)


def test_successive_random_labels_are_uniform_and_anew_in_every_epoch():
    drawn = labels_told(RandomLabels(**ONE_BATCH)) - KEPT
    assert (drawn.sum(1) == len(FORGET)).all()
    assert (drawn >= 0).all()
    assert len(drawn.unique(dim=0)) > 10
    # 240 draws of 1/3: 80, with a deviation of 7.3.
    assert all(50 < total < 110 for total in drawn.sum(0).tolist())


def test_amnesiac_labels_are_drawn_once_and_never_true():
    drawn = labels_told(Amnesiac(**ONE_BATCH)) - KEPT
    assert len(drawn.unique(dim=0)) == 1
    only = TensorDataset(FORGET.tensors[0], torch.zeros(len(FORGET), dtype=torch.long))
    recipe = Told()
    Amnesiac(**ONE_BATCH).unlearn(MODEL, RETAIN, only, Context(recipe=recipe, seed=SEED))
    assert all(each.bincount(minlength=3)[0] == KEPT[0] for each in recipe.heard)


def test_an_amnesiac_model_answers_the_records_wrongly():
    after = Amnesiac(learning_rate=0.02, epochs=60).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert loss_of(after, FORGET) > loss_of(MODEL, FORGET) + 1


def test_a_bad_teacher_teaches_what_an_untrained_network_answers():
    with isolated(SEED, CPU):
        untrained = Plain().build()
    method = BadTeacher(learning_rate=0.01, epochs=60, retain_share=1.0)
    after = method.unlearn(TRAINED, TWO_STAY, ONE_GOES, CONTEXT)
    gone, kept = ONE_GOES.tensors[0], TWO_STAY.tensors[0]
    before = divergence(TRAINED(gone), untrained(gone), 1).item()
    assert divergence(after(gone), untrained(gone), 1).item() < before / 4
    assert divergence(after(kept), TRAINED(kept), 1).item() < before / 4


def test_a_divergence_does_not_shrink_with_the_number_of_classes():
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    p, q = teacher.softmax(-1), student.softmax(-1)
    found = divergence(student, teacher, 1.0)
    assert torch.allclose(found, (p * (p / q).log()).sum() / 4, atol=1e-6)
    never = torch.full((4, 97), -50.0)  # classes that neither of them considers
    wider = divergence(torch.cat([student, never], 1), torch.cat([teacher, never], 1), 1.0)
    assert torch.allclose(found, wider, atol=1e-6)


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


def test_gradient_ascent_raises_the_loss_and_leaves_norm_statistics_alone():
    model = original(Normed())
    context = Context(recipe=Normed(), seed=SEED)
    after = GradientAscent(learning_rate=0.05).unlearn(model, RETAIN, FORGET, context)
    assert loss_of(after, FORGET) > loss_of(model, FORGET) + 0.2
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.buffers(), after.buffers(), strict=True)
    )


def test_gradient_ascent_above_its_stop_loss_does_nothing_and_fails():
    with pytest.raises(NothingTouched, match="Gradient ascent changed no parameter"):
        GradientAscent(stop_loss=1e-6).unlearn(MODEL, RETAIN, FORGET, CONTEXT)


def test_gradient_ascent_stops_at_its_stop_loss():
    limit = loss_of(MODEL, FORGET) + 0.05
    method = GradientAscent(learning_rate=0.02, epochs=100, stop_loss=limit)
    done = method.apply(MODEL, RETAIN, FORGET, CONTEXT)
    assert limit <= loss_of(done.model, FORGET) < limit + 0.3
    assert done.report.stop_reason.startswith(f"the forget set reached the loss {limit} after ")


def test_unsir_impairs_with_noise_in_place_of_the_class_and_repairs_without_it():
    retain, forget = WHOLE_CLASS
    recipe = Told()
    method = Unsir(noise_records=8, noise_steps=5, copies=3, per_class=4)
    method.unlearn(MODEL, retain, forget, replace(CONTEXT, recipe=recipe))
    noise, passes = recipe.heard[:5], recipe.heard[5:]
    assert all((each == 2).all() for each in noise)
    assert [each.bincount(minlength=3).tolist() for each in passes] == [[4, 4, 24], [4, 4, 0]]


def test_unsir_refuses_single_records_though_one_of_its_classes_was_never_trained():
    class Wider(Plain):
        def build(self) -> nn.Module:
            return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))

    recipe = Wider(targets=("a", "b", "c", "d"))
    single = Context(recipe=recipe, seed=SEED)
    with pytest.raises(NotAWholeClass, match="The request names no class"):
        Unsir().unlearn(recipe.build(), RETAIN, FORGET, single)


def test_unsir_learns_noise_that_is_no_record_of_the_class():
    method = Unsir(noise_records=16, noise_steps=40, noise_l2=0.0)
    with isolated(SEED, CPU):
        noise = method._noise(deepcopy(TRAINED), torch.zeros(4), 2, CONTEXT)
    labels = torch.full((16,), 2)
    assert cross_entropy(TRAINED(noise), labels) > log(3) + 2


def test_unsir_refuses_inputs_that_are_no_continuous_numbers():
    retain, forget = WHOLE_CLASS
    whole_numbers = TensorDataset(retain.tensors[0].long(), retain.tensors[1])
    with pytest.raises(NotEligible, match=r"moves inputs by small steps, and these hold torch\.i"):
        Unsir().unlearn(nn.Sequential(nn.Linear(4, 3)), whole_numbers, forget, CONTEXT)


def search(**settings: float) -> Search:
    numbers: dict[str, Any] = {"low": -3, "high": 3, "start": 0.01, "steps": 20, "doublings": 8}
    return Search(loss=cross_entropy, session=Session(), **{**numbers, **settings})


def test_the_nearest_mistake_is_hardly_further_than_the_boundary():
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():  # the boundary is where both inputs are equal
        model.weight.copy_(torch.eye(2))
    inputs, labels = torch.tensor([[1.0, 0.0], [0.0, 0.5], [2.0, 1.9]]), torch.tensor([0, 1, 1])
    found, answers = search().nearest(model, inputs, labels, "attack")
    assert answers.tolist() == [1, 0, 0]
    away = (found - inputs).norm(dim=1)
    distances = torch.tensor([1.0, 0.5]) / 2**0.5
    assert (distances <= away[:2]).all()
    assert (away[:2] <= 2.2 * distances).all()
    assert away[2] == 0  # was answered wrongly already


def test_the_search_ends_where_no_answer_ever_flips():
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor([1.0, 0.0]))
    found, answers = search(doublings=2).nearest(
        model, torch.zeros(3, 2), torch.tensor([0, 0, 1]), "attack"
    )
    assert len(found) == len(answers) == 1


def test_amun_teaches_the_mistakes_and_says_how_many_it_found():
    settings: dict[str, Any] = {"epochs": 20, "learning_rate": 0.1}
    method = Amun(**settings, decay_every=10)
    done = method.apply(MODEL, RETAIN, FORGET, CONTEXT)
    assert done.report.stop_reason == "completed 20 epochs with 6 adversarial examples"
    mistakes = method._pairs(deepcopy(MODEL), RETAIN, FORGET, CONTEXT)
    tuned = Finetune(**settings).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert loss_of(done.model, mistakes) < loss_of(tuned, mistakes) - 0.1


def test_amun_without_a_mistake_to_teach_is_no_unlearning():
    model = deepcopy(MODEL)
    with torch.no_grad():
        model.get_parameter("2.weight").zero_()
        model.get_parameter("2.bias").copy_(torch.tensor([1.0, 0.0, 0.0]))
    only = TensorDataset(FORGET.tensors[0], torch.zeros(len(FORGET), dtype=torch.long))
    with pytest.raises(NothingTouched, match=r"AMUN found no adversarial example; raise doub"):
        Amun(attack_steps=10).unlearn(model, RETAIN, only, CONTEXT)


def test_remi_lets_the_attacker_pull_the_forget_set_away():
    settings: dict[str, Any] = {"epochs": 40, "learning_rate": 0.05}
    much, little = (
        Remi(leakage=leakage, **settings).apply(MODEL, RETAIN, FORGET, CONTEXT)
        for leakage in (10, 0.01)
    )
    assert loss_of(much.model, FORGET) > loss_of(little.model, FORGET)
    assert much.report.stop_reason.startswith("completed 40 epochs against an attacker that was ")
    assert much.report.read == ("retain", "forget", "validation")


def test_mini_unlearning_takes_the_recorded_steps_without_the_records_to_forget():
    recipe = Plain(momentum=0.0, weight_decay=0.01)
    kept = history(recipe)
    context = Context(recipe=recipe, seed=SEED, history=kept)
    after = MiniUnlearning(rounds=2).unlearn(original(recipe), RETAIN, FORGET, context)
    model = recipe.build()
    model.load_state_dict(kept.weights)
    for _ in range(2):
        for batch, rate in zip(kept.batches, kept.rates, strict=True):
            chosen = list(batch)
            loss = cross_entropy(model(RETAIN.tensors[0][chosen]), RETAIN.tensors[1][chosen])
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            for weight, slope in zip(model.parameters(), slopes, strict=True):
                pulled = slope + 0.01 * weight.detach()
                weight.data -= recipe.learning_rate * rate * pulled
    pairs = zip(model.parameters(), after.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)


def test_mini_unlearning_says_so_when_the_last_batches_never_held_the_records():
    recipe = Plain()
    context = Context(recipe=recipe, seed=SEED, history=replace(history(recipe), holes=0))
    with pytest.raises(NothingTouched, match="no record to forget was in any of them"):
        MiniUnlearning().unlearn(original(recipe), RETAIN, FORGET, context)


def test_mini_unlearning_without_a_stored_state_says_what_is_missing():
    with pytest.raises(NotKept, match="a state saved during training, and none was kept"):
        MiniUnlearning().unlearn(MODEL, RETAIN, FORGET, CONTEXT)
