"""The benchmark of evidence tells what it promises, and counts only what failed."""

from __future__ import annotations

import json
import multiprocessing

from audits.core.design import TwinDesign
from audits.core.verdict import Outcome
from benchmarks import evidence, evidence_batch, evidence_shadows, evidence_verdicts
from benchmarks.evidence_sets import digit_sets
from benchmarks.timing import Taken
from unlearning.core.engine import Path
from unlearning.recipes.digits import DigitsMLP

TINY = DigitsMLP(hidden=4, epochs=1)


def test_a_verdict_is_timed_from_scores_to_outcome():
    found = evidence_verdicts.arithmetic(models=20, records=5, repeats=2)
    assert 0 < found["seconds"] <= found["slowest_seconds"]


def test_stacks_take_turns_with_models_one_after_the_other():
    found = evidence_shadows.stacked(TINY, retain=40, sizes=(2, 4), sequential=2, repeats=1)
    assert list(found["speedup"]) == list(found["speedup_processor"]) == ["2", "4"]
    assert all(ratio > 0 for ratio in found["speedup"].values())
    json.dumps(found, allow_nan=False)


def test_a_leak_that_is_seen_is_counted_in_trainings(monkeypatch):
    monkeypatch.setattr(evidence_verdicts, "SINGLE", 1)
    outcomes = iter([Outcome.FAIL, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.FAIL])
    monkeypatch.setattr(evidence_verdicts, "_audit", lambda *_: next(outcomes))
    found = evidence_verdicts.fail_on_nothing(TINY, retain=40, seeds=2)
    assert (found["seeds"], found["failed"]) == (2, 1)
    assert found["trainings"] == round(found["rows"][0]["trainings"], 2)


def test_where_nothing_fails_no_figure_is_given(monkeypatch):
    monkeypatch.setattr(evidence_verdicts, "_audit", lambda *_: Outcome.INCONCLUSIVE)
    found = evidence_verdicts.fail_on_nothing(TINY, retain=40, seeds=1)
    assert (found["failed"], found["trainings"]) == (0, None)


def test_a_procedure_that_does_nothing_is_audited_in_earnest():
    recipe = DigitsMLP(epochs=30)
    sets = digit_sets(96)
    design = TwinDesign(seed=0, looks=(8,), canaries=8)
    assert evidence_verdicts._audit(recipe, sets, design, Path.STACKED) is Outcome.FAIL


def test_the_figures_that_are_told_first_have_targets(monkeypatch):
    cores = {"speedup": 1.9, "speedup_processor": 1.95}
    monkeypatch.setattr(evidence_shadows, "two_processes", lambda *_: cores)
    monkeypatch.setattr(evidence_verdicts, "arithmetic", lambda *_: {"seconds": 1.0})
    rates = {"speedup": {"128": 4.0}, "speedup_processor": {"128": 4.1}}
    monkeypatch.setattr(evidence_shadows, "stacked", lambda *_: rates)
    failing = {"trainings": 5.0, "trainings_processor": 5.1}
    monkeypatch.setattr(evidence_verdicts, "fail_on_nothing", lambda *_: failing)
    two = {"judging_and_scoring_share": 0.2}
    batch = {"fraction": 0.071, "fraction_processor": 0.072, "two": two}
    monkeypatch.setattr(evidence_batch, "second_request", lambda *_: batch)
    found = evidence.report(evidence.Sizes.quick())
    assert found["second_request_cost_fraction"] == 0.071
    assert list(found)[: len(evidence.TARGETS)] == list(evidence.TARGETS)


def test_two_processes_are_set_against_one(monkeypatch):
    class Workers:
        def __init__(self, *_: object) -> None:
            self.shares: list[list[list[int]]] = []

        def __enter__(self) -> Workers:
            return self

        def __exit__(self, *_: object) -> None:
            assert self.shares[1:] == [[[0, 1, 2, 3]], [[0, 1], [2, 3]]] * 2

        def train(self, shares):
            self.shares.append(shares)
            return Taken(wall=4.0 / len(shares), processor=3.0 / len(shares))

    monkeypatch.setattr(evidence_shadows, "_Workers", Workers)
    found = evidence_shadows.two_processes(TINY, retain=40, models=4, repeats=2)
    assert (found["speedup"], found["speedups"]) == (2.0, [2.0, 2.0])


def test_a_process_trains_its_share_until_there_is_none():
    ours, theirs = multiprocessing.Pipe()
    for told in ([0, 1], [3], []):
        ours.send(told)
    evidence_shadows._serve(theirs, TINY, 40)
    assert ours.recv() == "ready"
    for _ in range(2):
        began, ended, used = ours.recv()
        assert began < ended
        assert used > 0
    assert not ours.poll()
