"""What methods edit, found by type and structure in the architectures that there are."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from tests.unlearning.toys import FORGET, RETAIN, WHOLE_CLASS, Plain, of_classes
from tests.unlearning.trying import tried
from unlearning.core.blocks import blocks, classifier, last_blocks
from unlearning.core.claims import Layers, NotEligible
from unlearning.core.classes import NotAWholeClass, forgotten_classes
from unlearning.core.entries import sections
from unlearning.core.filters import norm_behind
from unlearning.core.layers import check_eligible, editable
from unlearning.core.recipe import UnknownTarget
from unlearning.core.vision import torchvision
from unlearning.core.weights import NothingTrainable
from unlearning.methods.svd_projection import SvdProjection
from unlearning.recipes.digits import DigitsCNN, DigitsMLP

RESNET = torchvision.models.resnet18(num_classes=10)
VIT = torchvision.models.VisionTransformer(
    image_size=32,
    patch_size=8,
    num_layers=3,
    num_heads=2,
    hidden_dim=16,
    mlp_dim=32,
    num_classes=10,
)
CNN, MLP = DigitsCNN().build(), DigitsMLP().build()
LINEAR = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def names(model: nn.Module) -> list[list[str]]:
    known = {id(module): name for name, module in model.named_modules()}
    return [[known[id(module)] for module in block] for block in blocks(model)]


@pytest.mark.parametrize(
    ("model", "found", "last"),
    [
        (RESNET, [["layer1"], ["layer2"], ["layer3"], ["layer4"]], "fc"),
        (VIT, [[f"encoder.layers.encoder_layer_{n}"] for n in range(3)], "heads.head"),
        (CNN, [["0", "1"], ["4", "5"]], "9"),
        (MLP, [["1"]], "3"),
        (LINEAR, [], "1"),
    ],
    ids=["ResNet", "transformer", "CNN", "perceptron", "linear"],
)
def test_a_network_is_a_row_of_blocks_and_a_classifier(model, found, last):
    assert names(model) == found
    assert classifier(model) is model.get_submodule(last)


def test_the_last_blocks_are_those_next_to_the_classifier():
    assert last_blocks(RESNET, 1) == [RESNET.layer4, RESNET.fc]
    assert last_blocks(CNN, 2) == [CNN.get_submodule(each) for each in "01459"]
    with pytest.raises(NotEligible, match="has 4 blocks before its classifier, and the last 5"):
        last_blocks(RESNET, 5)
    with pytest.raises(NotEligible, match="has no layer with weights"):
        last_blocks(nn.Sequential(nn.ReLU()), 1)


class LeNet(nn.Module):
    """Two convolutions, a hidden layer and a classifier, the last two side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
        self.hidden = nn.Linear(8, 8)
        self.fc = nn.Linear(8, 3)


def architecture(name: str) -> nn.Module:
    if name == "LeNet":
        return LeNet()
    with torch.device("meta"):
        made: nn.Module = torchvision.models.get_model(name, num_classes=10)
    return made


@pytest.mark.parametrize(
    ("name", "among"),
    [
        ("mobilenet_v3_small", ["features.11.block.0.0", "features.12.0", "classifier.0"]),
        ("mobilenet_v2", ["features.18.0", "classifier.1"]),
        ("efficientnet_b0", ["features.8.0", "classifier.1"]),
        ("densenet121", ["features.transition3.conv", "features.norm5", "classifier"]),
        ("vgg11", ["classifier.3", "classifier.6"]),
        ("resnet18", ["layer3.0.conv1", "fc"]),
        ("vit_b_32", ["encoder.ln", "heads.head"]),
        ("LeNet", ["features.2", "hidden", "fc"]),
    ],
)
def test_no_layer_behind_the_first_of_the_last_blocks_is_left_out(name, among):
    model = architecture(name)
    row = blocks(model)
    number = min(2, len(row))
    chosen = {id(each) for block in last_blocks(model, number) for each in block.modules()}
    layers = {n: each for n, each in model.named_modules() if list(each.parameters(recurse=False))}
    taken = [id(each) in chosen for each in layers.values()]
    first = taken.index(True)
    assert all(taken[first:])
    assert first == next(
        place
        for place, each in enumerate(layers.values())
        if each in set(row[-number][0].modules())
    )
    assert all(id(layers[each]) in chosen for each in among)


@pytest.mark.parametrize(
    ("kind", "fit"),
    [
        (Layers.WHOLE, {"resnet", "vit", "mlp", "linear"}),
        (Layers.TRAINABLE, {"resnet", "vit", "mlp", "linear"}),
        (Layers.MATRICES, {"resnet", "vit", "mlp", "linear"}),
        (Layers.PROJECTED, {"resnet", "vit", "mlp", "linear"}),
        (Layers.BLOCKS, {"resnet", "vit", "mlp"}),
        (Layers.CONVOLUTIONS, {"resnet"}),
        (Layers.SQUARE_CONVOLUTIONS, {"resnet"}),
        (Layers.HEAD, {"linear"}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_each_family_has_the_layers_that_it_has(kind, fit):
    models = {"resnet": RESNET, "vit": VIT, "mlp": MLP, "linear": LINEAR}
    for name, model in models.items():
        if name in fit:
            check_eligible(kind, model, "X")
        else:
            with pytest.raises(NotEligible, match=rf"^X edits {kind.value}, and .* has none"):
                check_eligible(kind, model, "X")


@pytest.mark.parametrize("name", ["conv_transpose", "msg", "cfw", "aru"])
@pytest.mark.parametrize("model", [VIT, MLP], ids=["transformer", "perceptron"])
def test_methods_for_convolutions_refuse_what_has_none_and_say_so_beforehand(name, model):
    method = tried(name)
    method.eligible(RESNET)
    with pytest.raises(NotEligible, match="has none that is trainable; choose another method"):
        method.eligible(model)
    entry = sections(inspect.getdoc(type(method)) or "")["Not"]
    assert entry.startswith("Networks without spatial convolutions (perceptrons, transformers)")
    assert "refused" in entry


def test_a_method_for_linear_models_refuses_a_deeper_one():
    tried("newton_influence").eligible(LINEAR)
    with pytest.raises(NotEligible, match="edits the one linear layer there is"):
        tried("newton_influence").eligible(MLP)


def test_a_method_for_linear_models_refuses_a_norm_that_would_have_to_move_too():
    normed = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 3))
    with pytest.raises(NotEligible, match="with nothing else that is trained, and Sequential has"):
        tried("newton_influence").eligible(normed)
    normed[0].requires_grad_(requires_grad=False)
    tried("newton_influence").eligible(normed)


def test_svd_projection_edits_what_is_called_on_flattened_inputs_and_declares_no_more():
    edited = editable(Layers.PROJECTED, VIT)
    attention = {name for name in editable(Layers.MATRICES, VIT) if "self_attention" in name}
    assert len(attention) == 3
    assert edited.keys() == editable(Layers.MATRICES, VIT).keys() - attention
    grouped = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 1))
    assert list(editable(Layers.PROJECTED, grouped)) == ["1"]
    assert "``nn.MultiheadAttention``" in (inspect.getdoc(SvdProjection) or "")


@pytest.mark.parametrize("padding", [{"padding": "same"}, {"padding_mode": "circular"}])
def test_svd_projection_refuses_padding_that_it_cannot_lay_out(padding):
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3, **padding), nn.Linear(2, 2))
    with pytest.raises(NotEligible, match="lays out the patches of a convolution, and 1 pads by"):
        SvdProjection().eligible(model)
    model[1].requires_grad_(requires_grad=False)
    SvdProjection().eligible(model)


@pytest.mark.parametrize("name", ["amun", "aru", "unsir"])
def test_a_method_that_moves_inputs_says_beforehand_that_whole_numbers_do_not_move(name):
    told = nn.Sequential(
        nn.Embedding(9, 4), nn.Unflatten(1, (1, 2)), nn.Conv2d(1, 2, 3, padding=1)
    )
    with pytest.raises(NotEligible, match="begins with an embedding, whose inputs are whole num"):
        tried(name).eligible(told)
    tried("finetune").eligible(told)
    tried(name).eligible(RESNET)


def test_the_last_blocks_must_be_there():
    tried("cf_k", k=4).eligible(RESNET)
    with pytest.raises(NotEligible, match="has 4 blocks before its classifier, and the last 5"):
        tried("cf_k", k=5).eligible(RESNET)


def test_the_norm_behind_a_convolution_is_the_next_layer_if_that_is_one():
    block = RESNET.layer1[0]
    assert norm_behind(RESNET, block.conv1) is block.bn1
    assert norm_behind(RESNET, block.conv2) is block.bn2
    assert norm_behind(RESNET, RESNET.fc) is None
    assert norm_behind(RESNET, block.relu) is not block.bn1


def test_convolutions_over_space_are_not_pointwise_ones_nor_patches():
    found = editable(Layers.CONVOLUTIONS, RESNET)
    assert "conv1" in found
    assert "layer2.0.downsample.0" not in found
    assert len(found) == 17
    assert not editable(Layers.CONVOLUTIONS, VIT)
    oblong = nn.Conv2d(1, 1, (3, 1))
    assert editable(Layers.CONVOLUTIONS, oblong)
    assert not editable(Layers.SQUARE_CONVOLUTIONS, oblong)


def test_a_frozen_layer_is_not_edited():
    frozen = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
    frozen[0].requires_grad_(requires_grad=False)
    assert list(editable(Layers.CONVOLUTIONS, frozen)) == ["1"]
    with pytest.raises(NothingTrainable):
        check_eligible(Layers.MATRICES, frozen.requires_grad_(requires_grad=False), "X")


def test_the_classes_to_go_are_those_that_no_retained_record_has():
    retain, forget = WHOLE_CLASS
    assert forgotten_classes(Plain(), retain, forget) == (2,)
    assert forgotten_classes(Plain(), retain, None, ["c"]) == (2,)
    assert forgotten_classes(Plain(), of_classes(RETAIN, 1), of_classes(FORGET, 2)) == (2,)
    assert forgotten_classes(Plain(), of_classes(RETAIN, 1), None, ["c", "a"]) == (0, 2)


def test_single_records_are_no_class():
    with pytest.raises(NotAWholeClass, match="has records of a, b, c, of which others"):
        forgotten_classes(Plain(), RETAIN, FORGET)
    with pytest.raises(NotAWholeClass, match="The request names c, of which others are retained"):
        forgotten_classes(Plain(), RETAIN, None, ["c"])


def test_a_class_without_retained_records_goes_only_if_the_request_names_it():
    with pytest.raises(NotAWholeClass, match="The request names no class, so no whole class is"):
        forgotten_classes(Plain(targets=("a", "b", "c", "d")), RETAIN, None)
    with pytest.raises(UnknownTarget, match="'e' is not one of: a, b, c"):
        forgotten_classes(Plain(), RETAIN, None, ["e"])
