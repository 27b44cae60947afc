"""Attacks on the release of unlearned models: each succeeds, and fails against its defence.

The numbers are those of the table in ``docs/exact.md``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.roc import roc
from lineage.core.label_conflicts import conflicting
from tests.unlearning.core.release.attackers import (
    CLASSES,
    TRAINED,
    deployed,
    fitted,
    softmax,
)
from unlearning.core.release.batches import ReadyErasure, may_release
from unlearning.core.release.gate import Quality, Thresholds, gate, passed
from unlearning.core.release.readers import may_read
from unlearning.core.release.rounding import OutputRule
from unlearning.core.scheduling.backlog import Request, ShardedRun
from unlearning.core.scheduling.capacity import Capacity
from unlearning.core.scheduling.policies import LAZY, ONE_BY_ONE, StartRules
from unlearning.core.scheduling.simulation import simulate

REPLACES = {"v2": "v1"}


def draws(count: int, size: int = 1) -> list[list[int]]:
    rng = np.random.default_rng(5)
    return [rng.choice(TRAINED, size, replace=False).tolist() for _ in range(count)]


# --- 3: a poison under camouflage, which the attacker then asks to be erased ---------------------


def poisoned(target: int):
    """Near copies of a public picture: some with a wrong label, others to hide them."""
    model, rng = deployed(), np.random.default_rng(target)
    picture, honest = model.public[target], int(model.public_labels[target])
    wrong = int(np.argsort(-(picture @ model.weights))[1])
    copies = np.clip(picture + 0.02 * rng.normal(size=(24, len(picture))), 0, 1)
    labels = np.r_[np.full(12, wrong), np.full(12, honest)]
    return copies, labels, wrong


def certain_targets() -> list[int]:
    answers = softmax(deployed().public @ deployed().weights)
    right = answers.argmax(1) == deployed().public_labels
    return [int(one) for one in np.flatnonzero(right & (answers.max(1) > 0.9))[:6]]


def test_threat_3_a_poison_awakens_when_its_camouflage_is_erased_and_is_found_at_ingest():
    model, awake = deployed(), 0
    for target in certain_targets():
        copies, labels, wrong = poisoned(target)
        inputs = np.vstack([model.inputs, copies])
        told = np.r_[model.labels, labels]
        hidden = fitted(inputs, told)
        obeyed = fitted(inputs[:-12], told[:-12])
        awake += (model.public[target] @ hidden).argmax() == model.public_labels[target]
        awake += (model.public[target] @ obeyed).argmax() == wrong
        # Exact erasure obeys, and the accuracy says nothing; what was taken in does.
        assert model.accuracy(hidden) - model.accuracy(obeyed) < 0.01
        names = [str(one) for one in labels]
        first, then = (copies[:12], names[:12]), (copies[12:], names[12:])
        assert conflicting(*then, *first, threshold=0.1)
    assert awake >= 2 * 6 - 1
    honest = model.inputs, [str(one) for one in model.labels]
    assert not conflicting(*honest, *honest, threshold=0.1)


# --- 5: many accounts that ask in order to have everything trained again -------------------------


def sybils(count: int, shards: int) -> list[Request]:
    """Requests of accounts that all lie in the dearest slice, through a month."""
    at = np.sort(np.random.default_rng(1).uniform(0, 30, count))
    return [
        Request(str(number), "run", number % shards, 0, day, day + 23)
        for number, day in enumerate(at.tolist())
    ]


def test_threat_5_ten_thousand_accounts_cost_no_more_than_the_windows_of_a_month():
    shards, known = 10, {"run": ShardedRun(shards=10, slices=5)}
    weekly = replace(LAZY, start=StartRules(min_backlog=10**9, max_rolled_back=1))
    spent = {}
    for policy in (ONE_BY_ONE, weekly):
        capacity = Capacity(per_day=10_000)
        requests = sybils(10_000, shards)
        spent[policy.name] = simulate(
            requests, runs=known, policy=policy, capacity=capacity, days=40
        )
    assert spent[ONE_BY_ONE.name].full_retrains > 900
    assert spent[weekly.name].full_retrains <= 40 / 7 + 1
    assert spent[weekly.name].served == 10_000


def test_threat_5_what_is_spent_is_bounded_by_the_capacity_whatever_the_volume():
    known = {"run": ShardedRun(shards=10, slices=5)}
    capacity = Capacity(per_day=2)
    found = simulate(sybils(10_000, 10), runs=known, policy=LAZY, capacity=capacity, days=30)
    assert found.full_retrains <= 30 * 2 / 10 + 1e-9


# --- 6: which record was erased, from the models before and after --------------------------------


def identified(groups: list[list[int]]) -> float:
    """How often the first suspect is the first of those erased together: the case asked about."""
    model = deployed()
    found = [model.suspects(model.without(gone) - model.weights)[0] == gone[0] for gone in groups]
    return float(np.mean(found))


def test_threat_6_two_versions_tell_which_record_was_erased():
    assert identified(draws(20)) >= 0.9


def test_threat_6_a_reader_of_one_version_has_no_difference_to_look_at():
    had: list[str] = []
    for version in ("v1", "v2"):
        if may_read("client", version, had, REPLACES).allowed:
            had.append(version)
    assert had == ["v1"]
    model = deployed()
    guessed = [model.suspects(model.weights)[0] == gone[0] for gone in draws(20)]
    assert np.mean(guessed) <= 0.1


def test_threat_6_a_batch_hides_whose_case_a_suspect_belongs_to():
    ready = [ReadyErasure(case=f"C{n}", person=f"P{n}", due=20.0) for n in range(5)]
    assert not may_release(ready[:1], 0.0).allowed
    assert may_release(ready, 0.0).allowed
    assert identified(draws(20, size=5)) <= 0.4


@pytest.mark.parametrize(
    ("rule", "at_least", "at_most"),
    [(None, 0.9, 1.0), (OutputRule(decimals=2), 0.0, 0.4), (OutputRule(decimals=None), 0.0, 0.2)],
)
def test_threat_6_rounded_outputs_tell_less_than_full_ones(rule, at_least, at_most):
    model, hits = deployed(), []
    for gone in draws(20):
        told = [softmax(model.public @ one) for one in (model.weights, model.without(gone))]
        before, after = [rule.apply(one) if rule else one for one in told]
        hits.append(model.suspects(model.change_seen_through(before, after))[0] == gone[0])
    assert at_least <= np.mean(hits) <= at_most


# --- 7: whether a record was among the erased, from two versions ---------------------------------


def told_apart(score) -> float:
    """AUC of a score (model before, after; inputs; labels) between erased and never trained on."""
    model, seen, unseen = deployed(), [], []
    for gone in draws(60):
        after = model.without(gone)
        seen += score(model.weights, after, model.inputs[gone], model.labels[gone]).tolist()
        some = np.random.default_rng(gone[0]).choice(len(model.public), 2, replace=False)
        others = model.public[some], model.public_labels[some]
        unseen += score(model.weights, after, *others).tolist()
    member = np.repeat([True, False], [len(seen), len(unseen)])
    return float(roc(np.array(seen + unseen), member).auc)


def certainty(weights, inputs, labels):
    return np.log(softmax(inputs @ weights)[np.arange(len(labels)), labels])


def test_threat_7_membership_shows_in_two_versions_and_not_in_the_one_that_a_reader_has():
    both = told_apart(lambda a, b, x, y: certainty(a, x, y) - certainty(b, x, y))
    one = told_apart(lambda _, b, x, y: certainty(b, x, y))
    assert both >= 0.9
    assert abs(one - 0.5) <= 0.15
    assert not may_read("client", "v2", ["v1"], REPLACES).allowed


# --- 15: more of a model with each of its versions -----------------------------------------------


def test_threat_15_a_reader_gets_one_version_of_a_model_however_many_there_are():
    chain = {f"v{number + 1}": f"v{number}" for number in range(1, 20)}
    had: list[str] = []
    for version in ("v1", *chain):
        if may_read("client", version, had, chain).allowed:
            had.append(version)
    assert had == ["v1"]


# --- 16: a version that is as accurate and easier to deceive -------------------------------------


def under_attack(weights, step: float = 0.03) -> float:
    """Accuracy when every pixel is moved by the step in the direction that hurts most."""
    model = deployed()
    told = np.eye(CLASSES)[model.public_labels]
    slope = (softmax(model.public @ weights) - told) @ weights.T
    moved = np.clip(model.public + step * np.sign(slope), 0, 1)
    return float(((moved @ weights).argmax(1) == model.public_labels).mean())


def test_threat_16_a_version_that_is_easier_to_deceive_is_held_though_it_is_as_accurate():
    model = deployed()
    empty = np.flatnonzero(model.inputs.max(0) < 0.2)  # pixels that no digit uses
    weaker = model.weights.copy()
    weaker[empty] += 40 * np.random.default_rng(3).normal(size=(len(empty), CLASSES))
    before, after = [
        Quality(accuracy=model.accuracy(one), adversarial=under_attack(one))
        for one in (model.weights, weaker)
    ]
    assert passed(gate(before, after, Thresholds(adversarial=None))).allowed
    found = passed(gate(before, after, Thresholds()))
    assert not found.allowed
    assert "Adversarial accuracy fell" in found.reason
