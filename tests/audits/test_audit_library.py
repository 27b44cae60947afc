"""The audit that a notebook calls is the platform's, from the design to the evidence file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Subset, TensorDataset

from audits.core import drawn_sets
from audits.core.design import TwinDesign
from audits.core.evidence_schema import misfit
from audits.core.policy import AuditData, PolicyRefused
from audits.core.recheck import recheck
from audits.core.twins import NoTwin
from audits.library import audit, own_records
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.recipe import NoExamples
from unlearning.library import Experiment, quiet

if TYPE_CHECKING:
    from unlearning.core.examples import Examples

SMALL = own_records(looks=(6,))


@dataclass(frozen=True, kw_only=True)
class Wide(GradientRecipe):
    """A layer that learns noise by heart."""

    title = "Wide"
    family = "toys"

    targets: tuple[str, ...] = ("a", "b")
    epochs: int = 8
    batch_size: int = 32
    weight_decay: float = 0.0

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(60, 2))

    def decode(self, content: bytes, target: str):
        raise NotImplementedError


def case(size: int = 90, progress=quiet) -> Experiment:
    draw = torch.Generator().manual_seed(8)
    inputs = torch.randn(size, 60, generator=draw)
    labels = torch.randint(0, 2, (size,), generator=draw)
    examples = TensorDataset(inputs, labels)
    return Experiment.of(
        Wide(), examples, forget=range(5), unseen=range(30, size), progress=progress
    )


@pytest.fixture(scope="module")
def judged():
    heard: list[tuple[str, int, int]] = []
    found = case(progress=lambda *told: heard.append(told))
    made = audit(found, "finetune", policy=replace(SMALL, equivalence=True), epochs=1)
    return made, heard


def test_the_evidence_fits_the_schema_and_gives_the_verdict_again(judged):
    made, _ = judged
    file = made.evidence()
    assert misfit(json.loads(file)) == ""
    found = recheck(file)
    assert found.schema_checked
    assert found.agrees
    assert found.again
    assert found.again.reasons == made.verdict.reasons


def test_both_arms_were_trained_and_every_attack_of_the_policy_made(judged):
    made, heard = judged
    assert made.scores.before.shape == made.scores.after.shape == (12, 5)
    assert made.scores.member.sum() == 6
    assert made.scores.retrained.shape == (6, 5)
    assert list(made.kept) == ["u_lira", "neighbourhood"] or made.kept["u_lira"].findings
    shadows = [told for told in heard if told[0] == "shadow models"]
    assert shadows == [("shadow models", done, 12) for done in range(13)]


def test_models_that_learned_a_record_are_surer_of_it(judged):
    made, _ = judged
    learned = made.scores.before[made.scores.member].mean()
    assert learned > made.scores.before[~made.scores.member].mean() + 1


def test_it_is_read_by_printing_it(judged):
    made, _ = judged
    head, average, subject, *reasons = str(made).splitlines()
    assert head == f"{made.verdict.outcome.value}: finetune, 12 shadow models"
    assert average.startswith("  record average: advantage before ")
    assert subject.endswith("margin 0.30")
    assert [line.removeprefix("  - ") for line in reasons] == list(made.verdict.reasons)


def test_a_look_that_is_inconclusive_is_followed_by_the_next(judged):
    made, _ = judged
    further = audit(case(), "finetune", policy=own_records(looks=(6, 7)), epochs=1)
    went_on = len(further.scores.member) == 14
    assert went_on == (further.verdict.outcome.value == "INCONCLUSIVE" or went_on)
    same = min(len(further.scores.member), 12)
    np.testing.assert_array_equal(further.scores.before[:same], made.scores.before[:same])


def test_too_few_unseen_records_are_refused_with_the_number_that_is_needed():
    with pytest.raises(NoTwin, match=r"^unseen has 30 records; 33 are needed: a twin for each of"):
        audit(case(60), "finetune", policy=SMALL)


def test_an_audit_of_nobody_is_refused():
    nobody = replace(case(), forget=Subset(case().forget, []))
    with pytest.raises(NoExamples, match=r"^forget is empty; an audit needs at least one record"):
        audit(nobody, "finetune", policy=SMALL)


def test_altered_copies_are_made_only_where_they_are_asked_for(monkeypatch):
    made: list[Examples] = []

    def copies_around(asked: Examples, _retain: Examples, *, seed: int) -> Examples:
        made.append(asked)
        return asked

    monkeypatch.setattr(drawn_sets, "copies_around", copies_around)
    design = TwinDesign(seed=1, looks=(6,), canaries=6)
    without = drawn_sets.drawn_sets(case(), design, copies=False)
    assert (without.copies, without.copied, made) == (None, (), [])
    assert drawn_sets.drawn_sets(case(), design, copies=True).copies is not None
    assert len(made) == 1


def test_what_cannot_be_done_in_a_notebook_is_refused():
    surrogate = replace(SMALL, audit_data=AuditData.SURROGATE)
    with pytest.raises(PolicyRefused, match=r"^audit_data is 'surrogate'; nobody stands in"):
        audit(case(), "finetune", policy=surrogate)
    with pytest.raises(PolicyRefused, match=r"^attacks holds 'crystal_ball'; there are "):
        audit(case(), "finetune", policy=own_records(attacks=("u_lira", "crystal_ball")))
