"""A record that is restricted is in no proxy, and ends the search that it was in."""

from __future__ import annotations

from typing import Any

import pytest

from audits.models import LogLeaf
from tests.audits.searches import first, frozen, keep, restrict, tune
from unlearning.core.proxy import proxy_problem
from unlearning.execution import tuning as searching
from unlearning.methods.finetune import Finetune
from unlearning.queries.tunings import forgotten_by
from unlearning.recipes.digits import DigitsMLP

pytestmark = pytest.mark.django_db


def test_restricted_records_are_in_no_proxy(world, lot, monkeypatch):
    seen = []
    real = proxy_problem

    def watch(recipe, examples, forget, session):
        seen.append((len(examples), len(forget)))
        return real(recipe, examples, forget, session)

    monkeypatch.setattr(searching, "proxy_problem", watch)
    restrict(lot, first(lot, 7))
    tuning = frozen(world, lot, "--proxies", "2")
    kept = lot.record_count - 7
    assert seen == [(kept, round(0.07 * kept))] * 2
    assert not first(lot, 7) & forgotten_by(tuning)


def test_a_restriction_before_the_next_job_ends_a_search(world, lot):
    tuning = tune(lot, "--trials", "3")
    keep(tuning, ended=1)
    restrict(lot, first(lot, 2))
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FAILED", 1)
    assert tuning.failure.startswith("2 of its records were restricted or erased after the search")
    assert not LogLeaf.objects.filter(type="tuning_frozen").exists()


@pytest.mark.parametrize("when", ["a training", "a trial"])
def test_a_restriction_stops_what_is_being_computed(world, lot, monkeypatch, when):
    monkeypatch.setattr(searching, "PROGRESS_SECONDS", 0.0)
    where, name = (DigitsMLP, "train") if when == "a training" else (Finetune, "_unlearn")
    real = getattr(where, name)
    begun, ended = [], []

    def restrict_first(*given: Any) -> Any:  # noqa: ANN401  (passed on)
        begun.append(when)
        restrict(lot, first(lot, 1))
        result = real(*given)
        ended.append(when)
        return result

    monkeypatch.setattr(where, name, restrict_first)
    tuning = tune(lot, "--trials", "2")
    world.work()
    tuning.refresh_from_db()
    assert (tuning.state, tuning.trials.count()) == ("FAILED", 0)
    assert (begun, ended) == ([when], [])
