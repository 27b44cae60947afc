from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from audits.core.contrast import keep, measure, recompute
from audits.core.design import TwinDesign
from audits.core.shadow_rows import ShadowRowsRefused, stack
from audits.core.shadows import (
    ShadowCancelled,
    ShadowData,
    ShadowDataRefused,
    train_shadow,
    with_retrained,
)
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import policy_at

MODELS = 8
DESIGN = TwinDesign(seed=3, looks=(MODELS,), canaries=4)


def trained(examples, seed, steps=40):
    """Memorise the examples with a small network."""
    loader = DataLoader(examples, batch_size=len(examples), generator=torch.Generator())
    inputs, targets = next(iter(loader))
    with torch.random.fork_rng():
        torch.random.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return model


@dataclass
class Nothing:
    """Does not unlearn. Where ``originals`` are shared, equal seeds mean equal examples."""

    originals: dict[int, nn.Module] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)

    def train(self, examples, seed):
        self.sizes.append(len(examples))
        if seed not in self.originals:
            self.originals[seed] = trained(examples, seed)
        return self.originals[seed]

    def unlearn(self, model, retain, forget, seed):
        return model


@dataclass
class Retraining(Nothing):
    """Unlearns exactly."""

    def unlearn(self, model, retain, forget, seed):
        return trained(retain, seed)


@cache
def digits():
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return (
        torch.tensor(found.data[order] / 16, dtype=torch.float32),
        torch.tensor(found.target[order]),
    )


def part(start, stop, shift=0):
    inputs, targets = digits()
    return TensorDataset(inputs[start:stop], (targets[start:stop] + shift) % 10)


def data(**changes: object):
    sets = {
        "retain": part(0, 256),
        "forget": part(256, 288),
        "twins": part(288, 320),
        "canaries": part(320, 324, shift=3),
        "test": part(600, 800),
        "retained_sample": 100,
    }
    return ShadowData(**{**sets, **changes})


ORIGINALS: dict[int, nn.Module] = {}


@cache
def experiment(kind):
    procedure = kind(originals=ORIGINALS)
    rows = [train_shadow(j, DESIGN, procedure, data()) for j in range(DESIGN.models)]
    return rows, stack(rows)


def verdict(procedure):
    kept = keep(experiment(procedure)[1], seed=0, index=np.arange(32))
    return recompute(kept, policy_at(MODELS)), measure(kept, 0.05)


@pytest.mark.slow
def test_a_procedure_that_does_not_unlearn_fails_on_real_digits():
    found, measured = verdict(Nothing)
    assert measured.before.record_average.lower > 0.1
    assert found.outcome is Outcome.FAIL


@pytest.mark.slow
def test_exact_retraining_does_not_fail_on_real_digits():
    found, measured = verdict(Retraining)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert abs(measured.leak.record_average.estimate) < 0.2
    assert measured.utility is not None
    assert measured.utility.unlearned_test > 0.85


@pytest.mark.slow
def test_the_rows_say_what_the_design_says():
    rows, scores = experiment(Nothing)
    assert (scores.member == DESIGN.member).all()
    assert scores.canaries is not None
    assert (scores.canaries.member == DESIGN.canary_member).all()
    assert scores.before.shape == (16, 32)
    assert (scores.before == scores.after).all()  # nothing was unlearned
    learned = scores.canaries.scores[DESIGN.canary_member]
    assert learned.mean() > scores.canaries.scores[~DESIGN.canary_member].mean() + 5
    assert all(row.retained_before > 0.99 for row in rows)


def test_both_arms_train_on_equally_many_examples_and_a_row_repeats_exactly():
    procedure = Nothing()
    inside, outside = (int(np.flatnonzero(DESIGN.member == arm)[0]) for arm in (True, False))
    row = train_shadow(inside, DESIGN, procedure, data())
    train_shadow(outside, DESIGN, procedure, data())
    planted = DESIGN.canary_member[[inside, outside]].sum(1)
    assert procedure.sizes == [256 + 32 + planted[0], 256 + 32 + planted[1]]
    again = train_shadow(inside, DESIGN, Nothing(), data())
    assert (row.before == again.before).all()
    assert row.test_after == again.test_after


def test_a_retrained_model_has_seen_neither_records_nor_twins():
    row, procedure = train_shadow(0, DESIGN, Nothing(), data()), Nothing()
    compared = with_retrained(row, DESIGN, procedure, data())
    assert np.array(compared.retrained).shape == (32,)
    assert compared.neighbours_retrained is None
    assert np.array(compared.strangers_retrained).shape == np.array(row.strangers_after).shape
    assert (compared.after == row.after).all()
    assert procedure.sizes == [256 + DESIGN.canary_member[0].sum()]


def test_a_retrained_model_is_asked_about_the_same_copies():
    inputs, labels = part(256, 288).tensors
    copies = TensorDataset(inputs.repeat_interleave(3, 0), labels.repeat_interleave(3))
    sets = data(copies=copies)
    found = with_retrained(train_shadow(0, DESIGN, Nothing(), sets), DESIGN, Nothing(), sets)
    around, own = np.array(found.neighbours_retrained), np.array(found.retrained)
    assert around.shape == (32, 3)
    np.testing.assert_allclose(around[:, 1], own)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_it_stops_between_steps_when_cancelled(steps):
    answers = iter([False] * steps + [True])
    procedure = Nothing()
    with pytest.raises(ShadowCancelled):
        train_shadow(0, DESIGN, procedure, data(), cancelled=lambda: next(answers))
    assert len(procedure.sizes) == min(steps, 1)


def test_it_refuses_sets_that_do_not_fit_the_design():
    with pytest.raises(ShadowDataRefused, match="32 records to forget and 31 twins"):
        data(twins=part(288, 319))
    with pytest.raises(ShadowDataRefused, match="plants 4 canaries; there are 3"):
        train_shadow(0, DESIGN, Nothing(), data(canaries=part(320, 323)))


def test_it_refuses_rows_with_a_gap():
    design = TwinDesign(seed=0, looks=(1,))
    rows = [train_shadow(j, design, Nothing(), data(canaries=part(0, 0))) for j in (0, 1)]
    assert stack(rows[::-1]).canaries is None
    with pytest.raises(ShadowRowsRefused, match="models 0 to 1, each once"):
        stack([rows[0], rows[0]])


def test_how_far_retained_records_stand_out_is_measured_where_there_are_enough():
    few = train_shadow(0, DESIGN, Nothing(originals=ORIGINALS), data())
    assert (few.exposure_before, few.exposure_after) == (None, None)
    enough = train_shadow(0, DESIGN, Nothing(originals=ORIGINALS), data(retained_sample=200))
    assert enough.exposure_before == enough.exposure_after
    assert enough.exposure_before is not None
    assert 0.05 < enough.exposure_before <= 1.0
