"""A version that got worse is not shown: made exactly where it was not, else held for staff."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from django.urls import reverse
from torch.utils.data import TensorDataset

from audits import workflow
from audits.core.quality import NoGradient, outputs_under_attack, paired
from audits.core.scores import outputs_of
from audits.execution import gating
from audits.models import Evidence, Release
from audits.services.transitions import MoveNotAllowed
from lineage.models import ModelVersion
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, PASS, logged, officer, runs, told
from tests.unlearning.core.release.attackers import deployed
from unlearning.core.sharding.vote import SoftVote

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def worse(monkeypatch, settings):
    """Every version after is wrong about everything, and every one before about nothing."""
    settings.EXPUNGE_POLICY = {**settings.EXPUNGE_POLICY, "margin_utility": 0.02}

    def measured(which):
        monkeypatch.setattr(
            gating,
            "scores_of",
            lambda model, examples: (None, np.full(len(examples), which(model))),
        )

    first: list[object] = []

    def which(model):
        first.append(model)
        return len(first) % 2 == 1

    measured(which)


def gates(case):
    return [
        one.payload
        for run in runs(case)
        for one in run.evidence.filter(kind=Evidence.Kind.RELEASE)
    ]


def test_an_approximate_result_that_got_worse_is_made_exactly(world, base, ruled, worse):
    ruled(PASS)
    case = world.erased()
    assert told(runs(case)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
    ]
    assert logged(case, "run_escalated")[0]["verdict"] == "RELEASE_HELD"
    assert runs(case)[0].verdicts.get().outcome == PASS  # the verdict stays what it was


def test_an_exact_result_that_got_worse_is_held_and_the_person_is_erased(world, base, worse):
    case = world.erased()
    assert case.status == "SEALED"
    held = Release.objects.get()
    assert (held.state, held.released_at) == ("HELD", None)
    assert "Accuracy fell by 100.00%, from 100.00% to 0.00%; 2.00% are tolerated." in held.reason
    assert [one.state for one in ModelVersion.objects.order_by("version")] == [
        "DESTROYED",
        "CANDIDATE",
    ]
    assert {"code": "RELEASE_HELD"} in logged(case, "incident_raised")
    told_of = json.loads(bytes(case.record.data))
    assert "version_released" not in json.dumps(told_of)


def test_what_is_no_worse_than_a_version_that_is_held_is_held_too(world, base, worse, monkeypatch):
    world.erased(ADA)
    wrong = np.zeros
    monkeypatch.setattr(
        gating, "scores_of", lambda _, examples: (None, wrong(len(examples), bool))
    )
    assert world.erased(BERT).status == "SEALED"
    first, second = Release.objects.order_by("pk")
    assert (first.state, second.state) == ("HELD", "HELD")
    assert second.reason.startswith("base v2, which it replaces, was held: Accuracy fell by")
    assert not ModelVersion.objects.filter(state="ACTIVE").exists()


def test_staff_see_what_is_held_and_may_use_it(world, base, worse, admin_client):
    case = world.erased()
    page = admin_client.get(reverse("audits:case", args=[case.pk])).content.decode()
    assert "base v2 is held" in page
    assert "Accuracy fell by 100.00%" in page
    assert "1 held" in admin_client.get(reverse("audits:request_list")).content.decode()
    address = reverse("audits:release", args=[case.pk, runs(case)[0].pk])
    asked = admin_client.get(address, headers={"accept-language": "de"})
    assert (
        "Die Genauigkeit fiel um 100.00%, von 100.00% auf 0.00%; 2.00%" in asked.content.decode()
    )
    assert ModelVersion.objects.get(version=2).state == "CANDIDATE"
    admin_client.post(address)
    assert ModelVersion.objects.get(version=2).state == "ACTIVE"
    assert logged(case, "version_released")
    assert Release.objects.get().decided_by is not None
    with pytest.raises(MoveNotAllowed, match="is not held; there is nothing to decide"):
        workflow.release_held(run_id=runs(case)[0].pk, user=officer())


def test_a_version_that_did_not_get_worse_is_shown_with_its_numbers(world, base, admin_client):
    case = world.erased()
    (found,) = gates(case)
    assert (found["allowed"], found["records"]) == (True, 36)
    assert Release.objects.get().state == "RELEASED"
    assert [row["version"] for row in logged(case, "version_released")] == [
        str(ModelVersion.objects.get(version=2).pk)
    ]
    row = Evidence.objects.get(kind="RELEASE")
    page = admin_client.get(reverse("audits:evidence", args=[case.pk, row.pk]))
    assert "Records that neither version learned from" in page.content.decode()


def test_where_too_few_records_were_never_trained_on_nothing_is_held(world):
    world.train("base", world.snapshot(*worlds.OWNED))
    case = world.erased()
    (found,) = gates(case)
    assert found["allowed"]
    assert "0 records were never trained on" in found["not_computed"]


def test_accuracy_under_attack_is_compared_where_it_is_asked_for(world, base, settings):
    settings.EXPUNGE_RELEASE_ATTACK = 0.05
    case = world.erased()
    assert gates(case)[0]["adversarial"].keys() == {"before", "after", "noise"}


# --- the arithmetic -----------------------------------------------------------------------------


def test_the_noise_is_that_of_the_records_on_which_the_two_differ():
    before, after = np.ones(100, bool), np.r_[np.zeros(10, bool), np.ones(90, bool)]
    found = paired(before, after)
    assert (found.before, found.after) == (1.0, 0.9)
    assert found.noise == pytest.approx(1.645 * np.sqrt(0.1 * 0.9 / 99))
    assert paired(before, before).noise == 0


def test_a_fall_by_the_margin_alone_is_seldom_taken_for_worse():
    rng, taken = np.random.default_rng(0), 0
    for _ in range(400):
        before, after = rng.random((2, 80)) < [[0.9], [0.88]]
        found = paired(before, after)
        taken += found.before - found.after > 0.02 + found.noise
    assert taken / 400 <= 0.07


def test_moved_inputs_hurt_as_much_as_the_gradient_of_a_linear_model_says():
    model = deployed()
    linear = torch.nn.Linear(64, 10, bias=False, dtype=torch.float64)
    linear.weight.data = torch.from_numpy(model.weights.T.copy())
    examples = TensorDataset(
        torch.from_numpy(model.public[:200]), torch.from_numpy(model.public_labels[:200])
    )
    found = outputs_under_attack(linear, examples, 0.05)
    margin = outputs_of(linear, examples).margin
    assert (found.margin <= margin + 1e-9).all()
    answered = outputs_of(linear, examples).correct
    assert found.correct.mean() < answered.mean() - 0.1
    assert outputs_under_attack(linear, examples, 0.0).margin == pytest.approx(margin)


def test_a_model_without_gradients_says_so():
    class Counted(torch.nn.Module):
        def forward(self, inputs):
            return inputs.detach().reshape(len(inputs), -1)[:, :10]

    examples = TensorDataset(torch.rand(4, 64), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(NoGradient, match="do not depend on its inputs"):
        outputs_under_attack(Counted(), examples, 0.1)


def answering(label: int) -> torch.nn.Module:
    """A model that gives every input the same label."""
    layer = torch.nn.Linear(64, 10)
    layer.weight.data.zero_()
    layer.bias.data = torch.eye(10)[label]
    return layer


def test_a_shard_that_got_worse_shows_though_the_vote_did_not():
    examples = TensorDataset(torch.rand(30, 64), torch.zeros(30, dtype=torch.int64))
    before = SoftVote([answering(0), answering(0), answering(0)])
    after = SoftVote([answering(0), answering(0), answering(1)])
    found = [gating._paired(each, examples) for each in gating._pairs(before, after)]
    assert [(one.before, one.after) for one in found] == [(1, 1), (1, 1), (1, 0)]
    assert gating._pairs(before, answering(0)) == []
    assert gating._pairs(before, SoftVote([answering(0)])) == []
