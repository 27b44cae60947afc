"""The members of a vote, and their histories."""

from __future__ import annotations

import torch

from lineage.core import weights
from lineage.queries.artefacts import weights_of
from tests.audits.world import ADA, BERT, CLEO, DORA, SMALL
from unlearning.models import TrainingHistory

PEOPLE = (ADA, BERT, CLEO, DORA)
STEPS = {**SMALL, "batch_size": 4}


def history_of(**fields: object):
    return TrainingHistory.objects.filter(**fields).first()


def member(version, number):
    tensors = weights.from_bytes(weights_of(version))
    return {k: v for k, v in tensors.items() if k.startswith(f"members.{number}.")}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)
