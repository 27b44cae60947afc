"""The pool gives every shadow model what it would be trained on by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch.utils.data import Dataset

from audits.core.design import TwinDesign
from audits.core.shadow_pool import decoded, part_of, pooled
from audits.core.shadows import finish_shadow, train_shadow
from tests.audits.core_evidence.test_shadows import DESIGN, data, part
from unlearning.core.examples import count
from unlearning.core.session import Session
from unlearning.core.stacked import train_stacked
from unlearning.recipes.digits import DigitsMLP

RECIPE = DigitsMLP(hidden=16, epochs=2)


@dataclass
class Repeating:
    """Trains by a recipe, and unlearns by some epochs on what is retained, from the model."""

    learned: list[tuple[list[float], int]] = field(default_factory=list)

    def train(self, examples, seed):
        self.learned.append(([float(examples[at][0].sum()) for at in range(len(examples))], seed))
        return RECIPE.train(examples, Session(seed=seed))

    def unlearn(self, model, retain, forget, seed):
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(0.9)
        return model


def rows_of(numbers, design=DESIGN):
    """The rows of some models that were trained in one stack."""
    sets = decoded(data())
    parts = [part_of(number, design, sets) for number in numbers]
    models = train_stacked(RECIPE, pooled(sets), parts, Session())
    return {
        number: finish_shadow(number, model, design, Repeating(), sets)
        for number, model in zip(numbers, models, strict=True)
    }


def close(one, other):
    names = ("before", "after", "canary_scores")
    same = (one.member, one.model) == (other.member, other.model)
    return same and all(
        np.allclose(getattr(one, name), getattr(other, name), atol=1e-3) for name in names
    )


def test_a_stack_gives_the_rows_of_training_one_after_the_other():
    stacked = rows_of(range(6))
    alone = [train_shadow(number, DESIGN, Repeating(), data()) for number in range(6)]
    assert all(close(stacked[row.model], row) for row in alone)
    assert {row.member for row in alone} == {True, False}
    assert not close(stacked[0], replace(alone[1], model=0, member=alone[0].member))


def test_a_seed_gives_the_same_model_in_whichever_chunk():
    first, second = rows_of(range(4)), rows_of([2, 3, 9, 14])
    assert close(first[2], second[2])
    assert close(first[3], second[3])


def test_a_part_names_what_a_model_learns_in_order_and_its_seed():
    procedure, sets = Repeating(), data()
    pool = pooled(sets)
    for number in range(3):
        train_shadow(number, DESIGN, procedure, sets)
        learned, seed = procedure.learned[-1]
        found = part_of(number, DESIGN, sets)
        assert [float(pool[at][0].sum()) for at in found.records] == learned
        assert found.seed == seed


def test_sets_are_decoded_once_and_stay_what_they_were():
    reads = []

    class Counting(Dataset[tuple[torch.Tensor, ...]]):
        def __len__(self) -> int:
            return 256

        def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
            reads.append(index)
            inputs, target = part(0, 256)[index]
            return inputs, target

    retain = Counting()
    found = decoded(data(retain=retain, canaries=part(0, 0)))
    for _ in range(3):
        assert torch.equal(found.retain[7][0], part(0, 256)[7][0])
    assert len(reads) <= 258
    assert count(found.canaries) == 0
    design = TwinDesign(seed=0, looks=(1,))
    assert len(part_of(0, design, found).records) == 256 + 32
