"""Methods that set weights back, noise them or freeze them: which ones, and to what."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tests.unlearning.toys import FORGET, HELD_OUT, RETAIN, Plain, original
from unlearning.core.balance import balanced
from unlearning.core.claims import NotEligible
from unlearning.core.context import Context
from unlearning.core.distillation import divergence
from unlearning.core.filters import responses, start_anew
from unlearning.core.method import Method, NothingTouched, SettingRefused, Unlearned
from unlearning.core.renewal import NothingRenewed, renew
from unlearning.methods.aru import AttackAndReset
from unlearning.methods.cf_k import CatastrophicForgettingLastBlocks
from unlearning.methods.cfw import ConfuseFinetuneWeaken
from unlearning.methods.conv_transpose import ConvolutionTranspose
from unlearning.methods.eu_k import ExactUnlearningLastBlocks
from unlearning.methods.fcs import ForgetContrastStrengthen
from unlearning.methods.kde import KnowledgeDistillation
from unlearning.methods.msg import MaskedSmallGradients
from unlearning.methods.prmq import PruneReinitialiseMatchQuantise
from unlearning.methods.rni import RepeatedNoise
from unlearning.methods.salun import SalUn

STILL: dict[str, Any] = {
    "learning_rate": 1e-5,
    "weight_decay": 0.0,
    "epochs": 1,
}  # what follows hardly moves


@dataclass(frozen=True, kw_only=True)
class Picture(Plain):
    """A stem, a pointwise and an oblong convolution, batch normalisation and a classifier."""

    def build(self) -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, 2, 2)),
            nn.Conv2d(1, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 5, 1),
            nn.Sequential(nn.Conv2d(5, 4, (3, 1), padding=(1, 0)), nn.ReLU()),
            nn.Flatten(),
            nn.Linear(16, 3),
        )


RECIPE = Picture()
MODEL = original(RECIPE)


def applied(method: Method, model: nn.Module = MODEL) -> Unlearned:
    context = Context(recipe=RECIPE, seed=3, validation=HELD_OUT)
    return method.apply(model, RETAIN, FORGET, context)


def weight(model: nn.Module, name: str) -> Tensor:
    return model.get_parameter(name).detach()


def near(model: nn.Module, name: str, wanted: Tensor, tolerance: float = 1e-3) -> bool:
    return torch.allclose(weight(model, name), wanted, atol=tolerance)


def test_ct_swaps_height_and_width_of_square_kernels_only():
    done = applied(ConvolutionTranspose(**STILL))
    old = weight(MODEL, "1.weight")
    assert near(done.model, "1.weight", old.transpose(2, 3))
    assert done.report.edited == (old != old.transpose(2, 3)).sum()
    assert near(done.model, "4.weight", weight(MODEL, "4.weight"))
    assert near(done.model, "5.0.weight", weight(MODEL, "5.0.weight"))
    assert done.report.stop_reason == "transposed 1 convolutions and trained 1 epochs"


def test_ct_of_symmetric_kernels_is_no_unlearning():
    model = deepcopy(MODEL)
    with torch.no_grad():
        kernel = model.get_parameter("1.weight")
        kernel.copy_(kernel + kernel.transpose(2, 3))
    with pytest.raises(NothingTouched, match="in its own step"):
        applied(ConvolutionTranspose(**STILL), model)


def test_cfw_noises_the_stem_alone():
    done = applied(ConfuseFinetuneWeaken(**STILL, start_std=0.6, final_std=1.0))
    away = weight(done.model, "1.weight") - weight(MODEL, "1.weight")
    assert 0.4 < away.std() < 0.8
    assert done.report.edited == away.numel()
    others = ("1.bias", "4.weight", "5.0.weight", "7.weight")
    assert all(near(done.model, name, weight(MODEL, name)) for name in others)


def test_cfw_noises_once_more_before_the_last_of_several_epochs():
    noises = {"start_std": 1e-3, "final_std": 0.9, "epochs": 2}
    done = applied(ConfuseFinetuneWeaken(**{**STILL, **noises}))
    assert not near(done.model, "1.weight", weight(MODEL, "1.weight"), 0.1)


@pytest.mark.parametrize("power", [0.1, 1.0])
def test_rare_labels_weigh_more_inside_the_average(power):
    loss = balanced(RETAIN, power, Context(recipe=RECIPE))
    outputs, targets = torch.randn(5, 3), torch.tensor([0, 1, 2, 2, 2])
    weights = RETAIN.tensors[1].bincount().float() ** -power
    wanted = cross_entropy(outputs, targets, weight=weights)
    assert torch.allclose(loss(outputs, targets), wanted)


def mean_slopes(name: str, data) -> Tensor:
    model = deepcopy(MODEL)
    loss = cross_entropy(model(data.tensors[0]), data.tensors[1])
    return torch.autograd.grad(loss, model.get_parameter(name))[0]


def test_msg_makes_the_weights_of_the_smallest_gradients_anew_and_keeps_biases():
    done = applied(MaskedSmallGradients(**STILL, init_rate=0.5))
    assert near(done.model, "1.bias", weight(MODEL, "1.bias"))
    assert near(done.model, "7.weight", weight(MODEL, "7.weight"))
    made = 0
    for name in ("1.weight", "4.weight", "5.0.weight"):
        changed = (weight(done.model, name) - weight(MODEL, name)).abs() > 1e-3
        assert changed.float().mean() == pytest.approx(0.5, abs=0.1)
        made += int(changed.sum())
    assert done.report.edited == pytest.approx(made, abs=4)


def test_msg_chooses_by_the_difference_of_the_two_gradients():
    method = MaskedSmallGradients(**STILL, init_rate=0.5)
    # There are fewer retained records than others, so that all of them are drawn.
    done = method.apply(MODEL, FORGET, RETAIN, Context(recipe=RECIPE, seed=3))
    apart = (mean_slopes("1.weight", FORGET) - mean_slopes("1.weight", RETAIN)).abs()
    changed = (weight(done.model, "1.weight") - weight(MODEL, "1.weight")).abs() > 1e-3
    assert apart[changed].max() <= apart[~changed].median()


def test_prmq_sets_back_all_but_the_largest_weights_and_rounds_them():
    done = applied(PruneReinitialiseMatchQuantise(**STILL, prune=0.9))
    layers = ("1", "4", "5.0", "7")
    names = [f"{layer}.{each}" for layer in layers for each in ("weight", "bias")]
    old = torch.cat([weight(MODEL, name).flatten() for name in names])
    new = torch.cat([weight(done.model, name).flatten() for name in names])
    kept = old.abs() >= old.abs().topk(round(0.1 * len(old))).values.min()
    assert torch.allclose(new[kept], old[kept], atol=1e-3)
    assert (new[~kept] - old[~kept]).abs().mean() > 0.05
    assert done.report.edited == pytest.approx(0.9 * len(old), abs=1)
    assert all(torch.equal(w, w.half().float()) for w in done.model.parameters())


def test_kde_sets_back_both_ends_and_learns_from_the_original_on_unseen_records():
    method = KnowledgeDistillation(warmup_epochs=60, warmup_rate=0.1, epochs=1)
    done = applied(method)
    ends = ("1.weight", "1.bias", "7.weight", "7.bias")
    assert done.report.edited == sum(weight(MODEL, name).numel() for name in ends)
    assert done.report.read == ("retain", "validation")
    inputs = HELD_OUT.tensors[0]
    untaught = applied(KnowledgeDistillation(warmup_epochs=1, warmup_rate=1e-5, epochs=1))
    teacher = MODEL(inputs)
    apart = [divergence(m(inputs), teacher, 5.0).item() for m in (done.model, untaught.model)]
    assert apart[0] < apart[1]


def test_rni_noises_its_tensors_once_each_and_sets_the_classifier_back():
    done = applied(RepeatedNoise(noise_ratio=1.0, reset_epochs=1, epochs=9, fine_epochs=4))
    norms = {"2.weight", "2.bias"}
    others = [w for name, w in MODEL.named_parameters() if name not in norms]
    assert done.report.edited == sum(w.numel() for w in others) + 16 * 3 + 3
    assert done.report.stop_reason == f"completed 9 epochs; {len(others)} tensors were noised"


def test_rni_without_an_epoch_for_noise_is_refused():
    with pytest.raises(SettingRefused, match=r"RepeatedNoise has 9 epochs.*: none is left\."):
        RepeatedNoise(fine_epochs=8)


@pytest.mark.parametrize(
    "cls", [CatastrophicForgettingLastBlocks, ExactUnlearningLastBlocks], ids=["CF-k", "EU-k"]
)
def test_what_comes_before_the_last_blocks_keeps_its_bits(cls):
    done = applied(cls(k=1, epochs=3))
    moved = {layer.partition(".")[0] for layer in done.report.layers}
    assert moved == {"5", "7"}
    with pytest.raises(NotEligible, match="blocks before its classifier, and the last 9"):
        applied(cls(k=9))


def test_fcs_with_a_contrast_whose_rate_would_rise_is_refused():
    with pytest.raises(SettingRefused, match=r"floor is 0.01, above the contrast_rate of 0\.001"):
        ForgetContrastStrengthen(contrast_rate=1e-3, floor=1e-2)
    ForgetContrastStrengthen(contrast_rate=1e-3, floor=1e-3)


def test_eu_k_leaves_no_weight_of_the_last_blocks_as_it_was():
    done = applied(ExactUnlearningLastBlocks(k=1, epochs=3))
    for name in ("5.0.weight", "7.weight"):
        assert (weight(done.model, name) != weight(MODEL, name)).all()


def test_a_part_that_begins_as_it_is_cannot_be_renewed():
    class Same(Picture):
        def build(self) -> nn.Module:
            return deepcopy(MODEL)

    model = deepcopy(MODEL)
    with pytest.raises(NothingRenewed, match=r"begins with the 7\.weight that the model has"):
        renew(model, [model.get_submodule("7")], Context(recipe=Same()))


def test_salun_moves_the_most_salient_weights_and_no_other_bit_despite_weight_decay():
    method = SalUn(kept=0.3, learning_rate=0.1, momentum=0.9, weight_decay=0.1, epochs=3)
    done = applied(method)
    frozen = deepcopy(MODEL).eval()
    loss = cross_entropy(frozen(FORGET.tensors[0]), FORGET.tensors[1])
    slopes = torch.autograd.grad(loss, list(frozen.parameters()))
    saliency = torch.cat([slope.abs().flatten() for slope in slopes])
    old, new = (
        torch.cat([w.detach().flatten() for w in model.parameters()])
        for model in (MODEL, done.model)
    )
    least = saliency.topk(round(0.3 * len(saliency))).values.min()
    assert torch.equal(new[saliency < least], old[saliency < least])
    assert (new[saliency > least] != old[saliency > least]).float().mean() > 0.9
    assert done.report.edited == done.report.trained == (old != new).sum()


def test_a_filter_that_is_started_anew_takes_its_bias_and_its_norm_along():
    model = deepcopy(MODEL)
    layer = model.get_submodule("1")
    chosen = torch.tensor([True, False, False, True, False, False])
    assert start_anew(model, layer, chosen) == 2 * 9
    assert (weight(model, "1.weight")[chosen] != weight(MODEL, "1.weight")[chosen]).all()
    for name, start in (("1.bias", 0), ("2.weight", 1), ("2.bias", 0)):
        assert (weight(model, name)[chosen] == start).all()
    for name in ("1.weight", "1.bias", "2.weight", "2.bias"):
        assert torch.equal(weight(model, name)[~chosen], weight(MODEL, name)[~chosen])


def test_the_response_of_a_filter_is_the_size_of_its_answers():
    inputs = RETAIN.tensors[0]
    answers = MODEL.get_submodule("1")(MODEL.get_submodule("0")(inputs))
    found = responses(MODEL, {"1": MODEL.get_submodule("1")}, inputs)
    assert torch.allclose(found["1"], answers.abs().sum(dim=(0, 2, 3)))
    assert not any(layer._forward_hooks for layer in MODEL.modules())


def test_aru_starts_its_share_of_filters_anew():
    done = applied(AttackAndReset(**STILL, filter_share=0.5))
    # Three of six 3 x 3 kernels over one channel, two of four 3 x 1 kernels over five.
    assert done.report.edited == 3 * 9 + 2 * 15
    changed = (weight(done.model, "1.weight") - weight(MODEL, "1.weight")).abs() > 1e-3
    assert sorted(changed.flatten(1).any(1).tolist()) == [False] * 3 + [True] * 3
