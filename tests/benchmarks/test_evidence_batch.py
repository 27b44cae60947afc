"""The benchmark of a second request adds up what was done, with as many models as for one."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from audits.core.verdict import Outcome
from benchmarks import evidence_batch, timing
from benchmarks.evidence_batch import PHASES, Evidence, second_request
from benchmarks.evidence_sets import CANARIES, ERASED, batch_sets
from benchmarks.timing import Taken
from unlearning.core.engine import Path
from unlearning.core.examples import Examples, Held, count
from unlearning.recipes.digits import DigitsMLP

TINY = DigitsMLP(hidden=4, epochs=1)


@pytest.fixture
def cold(monkeypatch):
    monkeypatch.setattr(evidence_batch, "_warm", lambda: None)


def taken(*seconds: float) -> Evidence:
    """Evidence whose phases took so long; the processor was busy for half of that."""
    phases = {
        phase: Taken(wall=each, processor=each / 2)
        for phase, each in zip(PHASES, seconds, strict=True)
    }
    return Evidence(**phases, models=32, outcomes=("FAIL",))


def test_two_requests_share_one_pool_and_each_is_judged(monkeypatch, cold):
    counts: Counter[str] = Counter()
    for name in ("_trained", "finish_shadow", "judge", "_draw"):
        monkeypatch.setattr(evidence_batch, name, counted(counts, name))
    found = second_request(TINY, 40, 6, 1)
    assert counts == {"_trained": 2, "finish_shadow": 2 * 12, "judge": 1 + 2, "_draw": 1 + 2}
    one, two = found["one"], found["two"]
    assert one["models"] == two["models"] == found["models"] == 12
    assert [len(outcomes) for outcomes in (*one["outcomes"], *two["outcomes"])] == [1, 2]
    for told in (one, two):
        assert sum(told["shares"].values()) == pytest.approx(1, abs=0.001)
        assert 0 < told["judging_and_scoring_share"] < 1
    expected = two["seconds"] / one["seconds"] - 1
    assert found["fraction"] == pytest.approx(expected, abs=0.02 * (1 + expected))
    assert -1 < found["fraction"] < 10
    json.dumps(found, allow_nan=False)


def counted(counts, name):
    done = getattr(evidence_batch, name)

    def counting(*given: object):
        counts[name] += 1
        return done(*given)

    return counting


def test_the_fraction_is_the_median_of_what_the_second_adds_to_the_first(monkeypatch, cold):
    asked = []
    seconds = {
        (1, 0): taken(4, 3, 1, 1, 1), (2, 0): taken(4, 3, 1, 2, 2),
        (1, 1): taken(4, 3, 1, 1, 1), (2, 1): taken(4, 3, 1, 1.5, 1),
        (1, 2): taken(8, 6, 2, 2, 2), (2, 2): taken(8, 6, 2, 4, 8),
    }  # fmt: skip

    def gathered(_recipe, _retain, _per_arm, _way, asking, seed):
        asked.append(asking)
        return seconds[asking, seed]

    monkeypatch.setattr(evidence_batch, "_way", lambda *_: Path.STACKED)
    monkeypatch.setattr(evidence_batch, "_gathered", gathered)
    found = second_request(TINY, 40, 16, 3)
    assert asked == [1, 2, 2, 1, 1, 2]
    assert found["fractions"] == [0.2, 0.05, 0.4]
    assert (found["fraction"], found["fraction_processor"]) == (0.2, 0.2)
    assert found["fraction_after_unlearning"] == 0.2
    assert found["one"]["judging_and_scoring_share"] == 0.3


def test_work_on_the_second_request_raises_the_fraction(monkeypatch, cold):
    """By a clock that only judging moves, the second costs as much as the first."""
    now = [0.0]

    def judge(*_: object):
        now[0] += 5
        return SimpleNamespace(outcome=Outcome.FAIL)

    clock = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(timing, "time", clock)
    monkeypatch.setattr(evidence_batch, "_way", lambda *_: Path.SEQUENTIAL)
    monkeypatch.setattr(evidence_batch, "judge", judge)
    monkeypatch.setattr(evidence_batch, "_draw", lambda *_: None)
    found = second_request(TINY, 40, 1, 2)
    assert (found["fraction"], found["fraction_processor"]) == (1.0, 1.0)


def test_whoever_does_not_ask_stays_in_the_same_data_set():
    one, two = (batch_sets(40, 2, asking, 0) for asking in (1, 2))
    assert (count(one.forget), count(two.forget)) == (ERASED, 2 * ERASED)
    assert count(one.canaries) == count(two.canaries) == CANARIES
    assert two.subjects == (*[0] * ERASED, *[1] * ERASED)
    held = [torch.cat([images(each.forget), images(each.retain)]) for each in (one, two)]
    assert torch.equal(*held)
    for each in (one, two):
        learned = torch.cat([held[0], images(each.twins), images(each.canaries)])
        assert len(torch.unique(learned.flatten(1), dim=0)) == len(learned)


def images(examples: Examples) -> torch.Tensor:
    return Held(examples).all()[0]
