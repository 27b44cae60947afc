"""One pool of shadow models for several people: each is judged by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from audits.attacks.neighbourhood import Neighbourhood
from audits.core.attacked import judged_by
from audits.core.contrast import keep, recompute
from audits.core.design import TwinDesign
from audits.core.neighbours import Copies
from audits.core.shadow_material import material
from audits.core.shadow_pool import part_of, pooled
from audits.core.shadow_rows import stack
from audits.core.shadows import ShadowDataRefused, learned_of, train_shadow, with_retrained
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import policy_at
from tests.audits.core_evidence.test_shadows import Nothing, data, digits, part, trained

MODELS = 10
ADA, BERT = 0, 1
SUBJECTS = (*[ADA] * 20, *[BERT] * 12)
DESIGN = TwinDesign(seed=3, looks=(MODELS,), canaries=4, subjects=2)


def wrong(start, stop):
    """Records with wrong labels, which every model memorises."""
    return part(start, stop, shift=5)


def sets_of(**changes: object):
    return data(forget=wrong(256, 288), twins=wrong(288, 320), **changes)


def shared():
    return sets_of(subjects=SUBJECTS)


def contents(examples):
    return {tuple(examples[at][0].tolist()) for at in range(len(examples))}


BERTS = contents(Subset(part(256, 288), range(20, 32)))


@dataclass
class OnlyAda(Nothing):
    """Retrains exactly, and keeps what is Bert's: a method that fails one of two people."""

    def unlearn(self, model, retain, forget, seed):
        kept = [at for at in range(len(forget)) if tuple(forget[at][0].tolist()) in BERTS]
        return trained(ConcatDataset([retain, Subset(forget, kept)]) if kept else retain, seed)


@cache
def experiment(kind):
    return [train_shadow(at, DESIGN, kind(), shared()) for at in range(DESIGN.models)]


def judged(rows, subject):
    columns = np.flatnonzero(np.array(SUBJECTS) == subject)
    scores = stack(rows).of_records(columns, DESIGN.learns[:, subject])
    return recompute(keep(scores, seed=0, index=np.arange(len(columns))), policy_at(MODELS))


def test_a_model_learns_one_persons_records_and_anothers_twins():
    sets = shared()
    for model in range(DESIGN.models):
        mine = learned_of(model, DESIGN, sets)
        assert (mine[:20] == DESIGN.learns[model, ADA]).all()
        assert (mine[20:] == DESIGN.learns[model, BERT]).all()
        pool = pooled(sets)
        chosen = contents(Subset(pool, part_of(model, DESIGN, sets).records))
        for at, own in enumerate(mine):
            assert (tuple(sets.forget[at][0].tolist()) in chosen) == own
            assert (tuple(sets.twins[at][0].tolist()) in chosen) != own


def test_every_model_trains_on_equally_many_whoever_it_learns():
    procedure = Nothing()
    for model in range(4):
        train_shadow(model, DESIGN, procedure, shared())
    assert {
        size - int(planted)
        for size, planted in zip(procedure.sizes, DESIGN.canary_member[:4].sum(1), strict=True)
    } == {288}


@pytest.mark.slow
def test_a_method_that_forgets_one_of_two_people_fails_for_the_other_only():
    rows = experiment(OnlyAda)
    assert judged(rows, BERT).outcome is Outcome.FAIL
    assert judged(rows, ADA).outcome is Outcome.INCONCLUSIVE


@pytest.mark.slow
def test_a_method_that_forgets_nobody_fails_for_both():
    rows = experiment(Nothing)
    assert {judged(rows, ADA).outcome, judged(rows, BERT).outcome} == {Outcome.FAIL}


@dataclass
class Matching(Nothing):
    """Answers for the records as a stranger would, and as before for anything beside them."""

    def unlearn(self, model, retain, forget, seed):
        inputs = torch.stack([forget[at][0] for at in range(len(forget))])
        # as a model that never saw them
        others: ConcatDataset[Any] = ConcatDataset([retain, wrong(288, 320)])
        return Masked(model, trained(others, seed), inputs)


class Masked(nn.Module):
    def __init__(self, learned, stranger, inputs) -> None:
        super().__init__()
        self.learned, self.stranger = learned, stranger
        self.register_buffer("inputs", inputs)

    def forward(self, batch):
        known = (batch[:, None] == self.inputs).all(-1).any(1)
        return torch.where(known[:, None], self.stranger(batch), self.learned(batch))


@pytest.mark.slow
def test_matching_the_scores_of_the_records_is_seen_in_their_neighbourhood():
    inputs, _ = digits()
    forget = inputs[256:288]
    made = Copies(seed=5, noise=0.3).around(forget, inputs[:256].std(0))
    copies = TensorDataset(made.flatten(0, 1), wrong(256, 288).tensors[1].repeat_interleave(8))
    design = replace(DESIGN, subjects=1)
    sets = sets_of(copies=copies)
    rows = [train_shadow(at, design, Matching(), sets) for at in range(design.models)]
    index = np.arange(32)
    alone = keep(stack(rows), seed=0, index=index)
    beside = judged_by(alone, Neighbourhood(), material(rows, index, design.member), index=index)
    policy = policy_at(MODELS)
    assert recompute(alone, policy).outcome is Outcome.INCONCLUSIVE
    assert recompute(beside, policy).outcome is Outcome.FAIL


def test_retrained_models_make_the_third_contrast():
    rows = [train_shadow(at, DESIGN, OnlyAda(), shared()) for at in range(DESIGN.models)]
    assert stack(rows).retrained is None
    compared = [
        with_retrained(row, DESIGN, Nothing(), shared()) if row.member else row for row in rows
    ]
    scores = stack(compared)
    assert scores.retrained is not None
    assert scores.retrained.shape == (MODELS, 32)
    assert keep(scores, seed=0, index=np.arange(32)).equivalence is not None


def test_subjects_of_another_number_of_records_are_refused():
    with pytest.raises(ShadowDataRefused, match="subjects of 3"):
        data(subjects=(0, 1, 0))
