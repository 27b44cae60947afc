"""Threat 8: who stayed, from what others' leaving changed; it succeeds, and what hides them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from audits.core.roc import roc
from tests.unlearning.core.release.attackers import (
    CLASSES,
    PIXELS,
    TRAINED,
    deployed,
    descended,
    softmax,
)
from unlearning.core.private.terms import Privacy
from unlearning.core.release.rounding import OutputRule
from unlearning.core.session import Session
from unlearning.recipes.digits import DigitsMLP

if TYPE_CHECKING:
    from tests.unlearning.core.release.attackers import Floats, Labels


def alike(number: int | None, picture, label, count: int) -> list[int]:
    """The training records that are most like a picture, of its class, but for itself."""
    model = deployed()
    apart = ((model.inputs - picture) ** 2).sum(1)
    apart[model.labels != label] = np.inf
    if number is not None:
        apart[number] = np.inf
    return [int(one) for one in np.argsort(apart)[:count]]


def asked_about() -> list[tuple[list[int], Floats, Labels]]:
    """40 people who were trained on and 40 who were not, and who is most like each, to leave."""
    model, rng, found = deployed(), np.random.default_rng(8), []
    for inputs, labels, size in (
        (model.inputs, model.labels, TRAINED),
        (model.public, model.public_labels, len(model.public)),
    ):
        for at in rng.choice(size, 40, replace=False):
            itself = int(at) if size == TRAINED else None
            gone = alike(itself, inputs[at], labels[at], 20)
            found.append((gone, inputs[at : at + 1], labels[at : at + 1]))
    return found


def shown_to_have_stayed(version, rule: OutputRule | None = None) -> float:
    """AUC of who was trained on, from the answer of a version without those who are alike."""
    told = []
    for gone, inputs, labels in asked_about():
        answer = softmax(inputs @ version(gone))
        answer = rule.apply(answer) if rule else answer
        told.append(np.log(np.maximum(answer[0, labels[0]], 1e-12)))
    return float(roc(np.array(told), np.repeat([True, False], 40)).auc)


@cache
def fitted_without(*gone: int) -> Floats:
    return deployed().without(gone)


def test_threat_8_who_makes_many_alike_leave_learns_from_the_version_after_alone_who_stayed():
    before = shown_to_have_stayed(lambda _: deployed().weights)
    after = shown_to_have_stayed(lambda gone: fitted_without(*gone))
    assert before <= 0.65
    assert after - before >= 0.15  # it takes one version, and 20 records


@pytest.mark.parametrize("rule", [OutputRule(decimals=1), OutputRule(decimals=None)])
def test_threat_8_coarse_answers_do_not_hide_who_stayed(rule):
    assert shown_to_have_stayed(lambda gone: fitted_without(*gone), rule) >= 0.75


def trained_without(privacy: Privacy | None, accuracies: list[float]):
    chance, model = np.random.default_rng(1), deployed()

    def version(gone: list[int]) -> Floats:
        kept = np.setdiff1d(np.arange(TRAINED), gone)
        weights = descended(model.inputs[kept], model.labels[kept], privacy, chance)
        accuracies.append(model.accuracy(weights))
        return weights

    return version


def test_threat_8_differential_privacy_hides_who_stayed_at_some_cost():
    private = Privacy(clip=1.0, noise=4.0, delta=1e-4)
    open_: list[float] = []
    hidden: list[float] = []
    shown = shown_to_have_stayed(trained_without(None, open_))
    left = shown_to_have_stayed(trained_without(private, hidden))
    assert shown >= 0.7
    assert left <= 0.6
    assert np.mean(open_) >= np.mean(hidden) >= 0.8


@dataclass(frozen=True, kw_only=True)
class Straight(DigitsMLP):
    """The recipe of the product with a model as simple as those here, from nothing."""

    def build(self):
        layer = nn.Linear(PIXELS, CLASSES, bias=False)
        nn.init.zeros_(layer.weight)
        return nn.Sequential(nn.Flatten(), layer)

    def rate(self, step, total):
        return 1.0

    def augment(self, inputs):
        return inputs


def test_threat_8_what_hides_them_here_is_the_private_training_of_the_product():
    quiet, model = Privacy(clip=1.0, noise=0.05, delta=1e-4), deployed()
    pictures = torch.tensor(model.inputs, dtype=torch.float32).view(-1, 1, 8, 8)
    recipe = Straight(epochs=40, batch_size=TRAINED, learning_rate=1.0, privacy=quiet)
    told = TensorDataset(pictures, torch.tensor(model.labels))
    trained = recipe.train(told, Session(seed=3, secret=bytes(range(32))))
    (weights,) = trained.parameters()
    theirs = weights.detach().numpy().T
    ours = descended(model.inputs, model.labels, quiet, np.random.default_rng(1))
    plain = descended(model.inputs, model.labels, None, np.random.default_rng(1))
    apart = np.abs(theirs - ours).max()
    assert apart < 0.1 * np.abs(theirs - plain).max()  # but for the noise
