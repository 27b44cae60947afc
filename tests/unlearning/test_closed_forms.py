"""Methods whose result has a closed form, beside that form."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.utils.data import TensorDataset

from tests.unlearning.toys import FORGET, RETAIN, Plain, equal, original, whole
from unlearning.core.blocks import classifier
from unlearning.core.context import Context
from unlearning.core.method import NothingTouched, SettingRefused
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
from unlearning.methods.fisher import FisherForgetting
from unlearning.methods.influence_woodfisher import InfluenceWoodFisher
from unlearning.methods.lfssd import LossFreeDampening
from unlearning.methods.newton_influence import NewtonInfluence
from unlearning.methods.ssd import SelectiveSynapticDampening
from unlearning.methods.svd_projection import SvdProjection

SEED = 5
CONTEXT = Context(recipe=Plain(), seed=SEED)
MODEL = original(Plain())


@dataclass(frozen=True, kw_only=True)
class Ridge(Plain):
    """Least squares on the labels as vectors, with a penalty on the weights."""

    weight_decay: float = 0.03

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 3))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        wanted = one_hot(targets, 3).to(outputs)
        return (outputs - wanted).square().sum(-1).mean() / 2


def double(data: TensorDataset) -> TensorDataset:
    return TensorDataset(data.tensors[0].double(), data.tensors[1])


def refitted(data: TensorDataset, decay: float) -> Tensor:
    """Return the weights and, in the last row, the biases of ridge regression."""
    rows = torch.cat([data.tensors[0], torch.ones(len(data), 1)], dim=1).double()
    wanted = one_hot(data.tensors[1], 3).double()
    left = rows.T @ rows / len(data) + decay * torch.eye(5).double()
    solved: Tensor = torch.linalg.solve(left, rows.T @ wanted / len(data))
    return solved


def entries(model: nn.Module) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])


def slopes(model: nn.Module, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


def per_record(model: nn.Module, data: TensorDataset) -> Tensor:
    """Return the gradient of the loss of each record, one after the other."""
    rows = [
        torch.cat([s.reshape(-1) for s in slopes(model, cross_entropy(model(x[None]), y[None]))])
        for x, y in zip(*data.tensors, strict=True)
    ]
    return torch.stack(rows)


def test_influence_removal_on_ridge_regression_equals_refitting():
    recipe = Ridge()
    start = recipe.build().double()  # from anywhere: one step solves a squared loss
    context = Context(recipe=recipe, seed=SEED)
    after = NewtonInfluence().unlearn(start, double(RETAIN), double(FORGET), context)
    exact = refitted(RETAIN, recipe.weight_decay)
    found = torch.cat([after.get_parameter("0.weight").T, after.get_parameter("0.bias")[None]])
    assert (found - exact).abs().max() < 1e-8
    assert (found - refitted(whole(), recipe.weight_decay)).abs().max() > 1e-3


def test_newtons_method_on_logistic_regression_ends_at_the_optimum_without_the_records():
    recipe = Plain(edits="HEAD", weight_decay=0.01)
    data = double(RETAIN)
    context = Context(recipe=recipe, seed=SEED)
    method = NewtonInfluence(newton_steps=8)
    after = method.unlearn(original(recipe).double(), data, double(FORGET), context)
    loss = cross_entropy(after(data.tensors[0]), data.tensors[1])
    loss = loss + 0.005 * sum(weight.square().sum() for weight in after.parameters())
    assert max(slope.abs().max() for slope in slopes(after, loss)) < 1e-10


def test_a_singular_hessian_is_refused():
    recipe = Plain(edits="HEAD")
    with pytest.raises(SettingRefused, match=r"Hessian is singular.*raise NewtonInfluence\.damp"):
        NewtonInfluence(l2=0.0).unlearn(
            original(recipe), RETAIN, FORGET, Context(recipe=recipe, seed=SEED)
        )


def test_influence_unlearning_is_a_step_of_newton_with_the_empirical_fisher_matrix():
    recipe = Plain(edits="HEAD")
    model = original(recipe)
    method = InfluenceWoodFisher(alpha=0.5, damping=0.1, iterations=200)
    after = method.unlearn(model, RETAIN, FORGET, Context(recipe=recipe, seed=SEED))
    kept, gone = per_record(model, RETAIN).double(), per_record(model, FORGET).double()
    size = len(RETAIN) + len(FORGET)
    right = (gone.sum(0) - kept.sum(0) * len(FORGET) / len(RETAIN)) / size
    fisher = 0.1 * torch.eye(kept.shape[1]).double() + kept.T @ kept / len(RETAIN)
    wanted = entries(model) + 0.5 * torch.linalg.solve(fisher, right)
    assert torch.allclose(entries(after), wanted.float(), atol=1e-4)


def test_fisher_noise_has_the_variance_of_the_inverse_information_record_by_record():
    after = FisherForgetting(alpha=1e-4).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    information = [torch.zeros_like(weight) for weight in MODEL.parameters()]
    for x in RETAIN.tensors[0]:
        shares = MODEL(x[None]).softmax(-1)[0].detach()
        for label, share in enumerate(shares):
            loss = cross_entropy(MODEL(x[None]), torch.tensor([label]))
            for total, slope in zip(information, slopes(MODEL, loss), strict=True):
                total.add_(share * slope**2 / len(RETAIN))
    last = {id(weight) for weight in classifier(MODEL).parameters()}
    with isolated(SEED, CPU):
        for old, new, known in zip(
            MODEL.parameters(), after.parameters(), information, strict=True
        ):
            inverse = (1 / (known + 1e-8)).clamp(max=1e2 if id(old) in last else 1e3)
            if old.dim() == 2:
                inverse = inverse.mean(1, keepdim=True)
            stronger = 10 if id(old) in last or old.dim() == 1 else 1
            noise = torch.randn(old.shape) * (1e-4 * inverse * stronger).sqrt()
            assert torch.allclose(new, old + noise, atol=1e-5)


def test_fisher_tells_the_classifier_by_its_place_and_not_by_its_width():
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3))
    with torch.no_grad():  # so sure of itself that no weight has any information
        model.get_parameter("2.bias").copy_(torch.tensor([200.0, 0.0, 0.0]))
    method, noise = FisherForgetting(alpha=1e-4), []
    for seed in range(30):
        after = method.unlearn(model, RETAIN, FORGET, Context(recipe=Plain(), seed=seed))
        both = ("0.bias", "2.bias")
        noise.append(torch.stack([after.get_parameter(n) - model.get_parameter(n) for n in both]))
    inner, outer = torch.cat(noise, dim=1).std(dim=1)
    # Their variances are capped, at ten times 1e3 and 1e2, so nothing divides by zero.
    assert inner.item() == pytest.approx((1e-4 * 1e4) ** 0.5, rel=0.25)
    assert outer.item() == pytest.approx((1e-4 * 1e3) ** 0.5, rel=0.25)


@pytest.mark.parametrize("dampening", [1.0, 0.3])
def test_ssd_shrinks_what_matters_more_for_the_forget_set_and_nothing_else(dampening):
    method = SelectiveSynapticDampening(alpha=1.5, dampening=dampening)
    after = method.unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    going = per_record(MODEL, FORGET).square().mean(0)
    everything = per_record(MODEL, whole()).square().mean(0)
    factor = (dampening * everything / going).clamp(max=1)
    old = entries(MODEL)
    chosen = going > 1.5 * everything
    assert 0 < chosen.sum() < len(chosen)
    assert torch.allclose(entries(after), torch.where(chosen, old * factor, old), atol=1e-6)
    assert torch.equal(entries(after)[~chosen], old[~chosen])


@pytest.mark.parametrize("cls", [SelectiveSynapticDampening, LossFreeDampening])
def test_dampening_with_an_alpha_that_no_weight_can_reach_changes_nothing_and_says_so(cls):
    with pytest.raises(NothingTouched, match=r"at most 4\.5 is possible.*; lower alpha\.$"):
        cls(alpha=100).unlearn(MODEL, RETAIN, FORGET, CONTEXT)


def test_lfssd_needs_no_labels():
    swapped = TensorDataset(FORGET.tensors[0], (FORGET.tensors[1] + 1) % 3)
    method = LossFreeDampening(alpha=1.2)
    one, other = (method.unlearn(MODEL, RETAIN, f, CONTEXT) for f in (FORGET, swapped))
    assert equal(one, other)
    assert not equal(one, MODEL)


def orthogonal() -> tuple[TensorDataset, TensorDataset]:
    """Return records of two classes in one plane, and of a third on a line across it."""
    plane = torch.cat([RETAIN.tensors[0][:, :2], torch.zeros(len(RETAIN), 2)], dim=1)
    line = torch.tensor([0.0, 0.0, 1.0, 0.0]) * torch.tensor([[1.0], [2.0], [-1.0]])
    return (
        TensorDataset(plane, RETAIN.tensors[1] % 2),
        TensorDataset(line, torch.full((3,), 2)),
    )


def test_svd_projection_silences_a_class_whose_activations_are_orthogonal():
    model = nn.Sequential(nn.Linear(4, 3))
    with torch.no_grad():
        model.get_parameter("0.bias").zero_()
    retain, forget = orthogonal()
    before = deepcopy(model)
    method = SvdProjection()
    after = method.unlearn(model, retain, forget, CONTEXT)
    assert before(forget.tensors[0]).abs().max() > 0.1
    assert after(forget.tensors[0]).abs().max() < 1e-6
    assert torch.allclose(after(retain.tensors[0]), before(retain.tensors[0]), atol=1e-6)


def test_svd_projection_takes_channels_that_only_the_class_uses_out_of_a_convolution():
    model = nn.Sequential(nn.Conv2d(2, 3, 2, bias=False), nn.Flatten(), nn.Linear(3, 3))
    pictures = torch.randn(20, 2, 2, 2, generator=torch.Generator().manual_seed(1))
    shown = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    retain = TensorDataset(pictures * shown, torch.arange(20) % 2)
    forget = TensorDataset(pictures * (1 - shown), torch.full((20,), 2))
    after = SvdProjection(alpha_r=1000, alpha_f=1000).unlearn(model, retain, forget, CONTEXT)
    convolution = nn.Sequential(after.get_submodule("0"), nn.Flatten())
    assert convolution(forget.tensors[0]).norm() < 0.02 * model[:2](forget.tensors[0]).norm()
    assert torch.allclose(convolution(retain.tensors[0]), model[:2](retain.tensors[0]), atol=1e-5)


def test_svd_projection_keeps_what_the_class_shares_with_the_others():
    model = nn.Sequential(nn.Linear(4, 3))
    retain, _ = orthogonal()
    inside = TensorDataset(retain.tensors[0][:6], torch.full((6,), 2))
    after = SvdProjection(alpha_r=1000).unlearn(model, retain, inside, CONTEXT)
    old, new = model.get_parameter("0.weight"), after.get_parameter("0.weight")
    assert (new - old).norm() < 0.01 * old.norm()
