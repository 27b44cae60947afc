"""Scores that are no numbers make an audit invalid; they neither stop a case nor clear it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.features import Outputs
from audits.core.verdict import Outcome
from audits.execution import judging, shadows
from audits.models import Evidence
from tests.audits.rulings import made_up, rule
from tests.audits.world import ADA, BERT, CLEO, DORA, runs

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("data", ["own_records", "surrogate"])
def test_such_an_audit_is_invalid_and_retraining_follows(
    world, approximate, monkeypatch, settings, data
):
    settings.EXPUNGE_POLICY = {"audit_data": data, "looks": [6], "max_trainings": 12}

    def overflown(model, *rest: object):
        row = made_up(model, *rest)
        return replace(row, after=np.full_like(row.after, np.nan)) if model == 3 else row

    monkeypatch.setattr(shadows, "train_shadow", overflown)
    monkeypatch.setattr(shadows, "_own_scores", lambda _, sets: [np.inf] * len(sets.own or ()))
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    first, second = runs(case)
    assert (first.verdicts.get().outcome, second.method) == ("INVALID", "retrain")
    assert "not finite" in first.verdicts.get().reasons[0]


def test_outputs_of_the_result_that_are_not_finite_do_not_stop_its_judgement(
    world, approximate, monkeypatch
):
    def overflown(_model, examples):
        labels = np.zeros(len(examples), np.int64)
        return Outputs(logits=np.full((len(labels), 3), np.nan), labels=labels)

    rule(monkeypatch, [Outcome.FAIL])
    monkeypatch.setattr(judging, "outputs_of", overflown)
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    shown = Evidence.objects.filter(kind="POPULATION", run=runs(case)[0]).get()
    assert shown.payload["not_computed"].endswith("outputs of the model are not finite.")
