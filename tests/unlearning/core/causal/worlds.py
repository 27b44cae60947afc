"""Digits some of which were spoilt on purpose, and a perceptron that learned from all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

from unlearning.core.session import Session
from unlearning.recipes.digits import DigitsMLP

RECORDS, BAD = 600, 24


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    examples: TensorDataset
    bad: np.ndarray
    model: nn.Module

    @property
    def labels(self):
        return self.examples.tensors[1]

    def measured(self, proposed, seeds):
        """Precision and recall among the records that were not named as seeds."""
        found = set(np.flatnonzero(proposed).tolist()) - set(seeds)
        hidden = set(self.bad.tolist()) - set(seeds)
        hits = len(found & hidden)
        return hits / max(1, len(found)), hits / len(hidden)


def mislabelled(images, labels, generator):
    """Fours that somebody calls nines."""
    bad = generator.choice(np.flatnonzero(labels == 4), BAD, replace=False)
    labels[bad] = 9
    return bad


def poisoned(images, labels, generator):
    """All kinds of digits with a white corner, called noughts: a backdoor."""
    bad = generator.choice(np.flatnonzero(labels != 0), BAD, replace=False)
    labels[bad] = 0
    images[bad, 6:, :2] = 1.0
    return bad


def clean(images, labels, generator):
    """Ordinary fours."""
    return generator.choice(np.flatnonzero(labels == 4), BAD, replace=False)


def spoilt(how, seed=0, recipe=None):
    data = load_digits()
    images, labels = data.images[:RECORDS] / 16, data.target[:RECORDS].copy()
    bad = how(images, labels, np.random.default_rng(seed))
    examples = TensorDataset(
        torch.from_numpy(images[:, None]).float(), torch.from_numpy(labels).long()
    )
    recipe = recipe or DigitsMLP(hidden=64, epochs=20)
    return Spoilt(examples=examples, bad=bad, model=recipe.train(examples, Session(seed=seed + 1)))
