"""Shadow models are trained and unlearned where the installation computes."""

from __future__ import annotations

import torch
from torch.utils.data import ConcatDataset

from audits.execution.procedure import Audited
from tests.unlearning.toys import Toy
from unlearning.core.examples import Held
from unlearning.core.recipe import Recipe
from unlearning.methods.finetune import Finetune


def some(size: int) -> Held:
    generator = torch.Generator().manual_seed(size)
    inputs = torch.randn(size, 4, generator=generator)
    return Held(torch.utils.data.TensorDataset(inputs, torch.arange(size) % 3))


def test_shadow_models_are_placed_as_the_installation_says(settings, monkeypatch):
    settings.EXPUNGE_DEVICE, settings.EXPUNGE_MIXED_PRECISION = "auto", True
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    sessions = []

    def listening(recipe, examples, session):
        sessions.append(session)
        return recipe.build()

    monkeypatch.setattr(Recipe, "train", listening)
    procedure = Audited(recipe=Toy(epochs=1), method=Finetune(epochs=1))
    retain, forget = some(24), some(8)
    model = procedure.train(ConcatDataset([retain, forget]), 5)

    def unlearned(_method, model, _retain, _forget, context):
        sessions.append(context)
        return model

    monkeypatch.setattr(Finetune, "unlearn", unlearned)
    procedure.unlearn(model, retain, forget, 5)
    assert [(each.device.type, each.amp, each.seed) for each in sessions] == [("cpu", True, 5)] * 2
