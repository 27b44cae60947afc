"""Networks for small images train, and are refused by name where there is none."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import TensorDataset

from unlearning.core.seeding import isolated
from unlearning.core.session import CPU, Session
from unlearning.recipes.images import UnknownArchitecture
from unlearning.recipes.small_images import BUILD, SmallImages

TWO = ("cat", "dog")


def recipe(architecture: str) -> SmallImages:
    return SmallImages(
        targets=TWO, architecture=architecture, size=8, width=4, epochs=2, batch_size=8, shift=1
    )


@pytest.mark.parametrize("architecture", sorted(BUILD))
def test_each_network_has_one_answer_per_target_and_learns(architecture):
    inputs, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 2
    trained = recipe(architecture).train(TensorDataset(inputs, labels), Session(seed=1))
    assert trained(inputs).shape == (16, 2)
    with isolated(1, CPU):
        start = dict(recipe(architecture).build().named_parameters())
    assert all(not torch.equal(start[name], value) for name, value in trained.named_parameters())


def test_a_thin_resnet_has_the_layers_that_its_name_counts():
    deep = SmallImages(targets=TWO, width=4, depth=3).build()
    kinds = [type(layer).__name__ for layer in deep.modules()]
    assert kinds.count("Conv2d") + kinds.count("Linear") == 6 * 3 + 2
    assert deep(torch.randn(1, 3, 32, 32)).shape == (1, 2)


def test_an_unknown_network_is_named_with_those_there_are():
    with pytest.raises(UnknownArchitecture, match=r"'resnet18'; there are .*thin_resnet"):
        SmallImages(targets=TWO, architecture="resnet18")
