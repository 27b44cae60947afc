"""From the request to the sealed record: what is concluded from every attack of the policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core import copied
from audits.core.packed import unpacked
from audits.execution import judged_look, shadows
from audits.models import ShadowResult
from lineage.models import Job
from tests.audits.certificate_worlds import POLICY, prepared, pretend
from tests.audits.world import ADA, BERT, CLEO, DORA, runs

pytestmark = pytest.mark.django_db


def compared(row, *_: object):
    """A retrained model that says exactly what an unlearned one does: exact unlearning."""
    return replace(row, retrained=row.after, neighbours_retrained=row.neighbours_after)


def far(row, *_: object):
    found = compared(row)
    away = np.full_like(found.retrained, 9.0)
    around = found.neighbours_retrained + 9.0
    return replace(found, retrained=found.retrained + away, neighbours_retrained=around)


@pytest.mark.parametrize(("retrained", "outcome"), [(compared, "PASS_STRICT"), (far, "PASS_LEAK")])
def test_with_both_attacks_a_pass_is_strict_where_models_are_like_retrained_ones(
    world, approximate, monkeypatch, settings, retrained, outcome
):
    settings.EXPUNGE_POLICY = {**POLICY, "equivalence": True}
    prepared(world)
    pretend(monkeypatch)
    monkeypatch.setattr(shadows, "with_retrained", retrained)
    case = world.erased()
    row = runs(case)[0].evidence.get(kind="U_LIRA")
    assert (row.verdict.outcome, case.status) == (outcome, "SEALED")
    for one in (row.payload, row.payload["attacks"]["neighbourhood"]):
        bound = one["contrasts"]["equivalence"]["subject"]["upper"]
        assert (bound <= 0.5) is (outcome == "PASS_STRICT")


def test_people_who_share_a_design_are_told_apart_by_every_attack(
    world, approximate, monkeypatch, settings
):
    settings.EXPUNGE_POLICY = POLICY
    prepared(world)
    pretend(monkeypatch)
    asked: list[int] = []

    def people(run):
        asked.append(run.forget_count)
        return [1, 0] * (run.forget_count // 2)

    monkeypatch.setattr(judged_look, "subjects_of", people)
    case = world.erased()
    payload = runs(case)[0].evidence.get(kind="U_LIRA").payload
    beside = payload["attacks"]["neighbourhood"]
    for one in (payload, beside):
        kept = one["kept"]["leak"]
        assert len(kept["subjects_in"]) == len(kept["subjects_out"]) == 2
        assert np.sum(kept["subjects_in"], 0) == pytest.approx(kept["subject_in"])
        assert set(one["contrasts"]["leak"]) >= {"subject", "whole_set"}
    assert asked == [6]  # drawn once, or the attacks would number people differently


def test_copies_of_a_large_forget_set_are_made_of_some_of_its_records(
    world, approximate, monkeypatch
):
    """Real shadow models; the main attack is made on every record."""
    monkeypatch.setattr(copied, "MOST", 4)
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    rows = [one.row for one in ShadowResult.objects.all()]
    places = [one["neighbours_of"] for one in rows]
    assert (len(places[0]), places) == (4, places[:1] * 12)
    assert {unpacked(one["neighbours_after"]).shape for one in rows} == {(4, 8)}
    (run,) = runs(case)
    (one,) = judged_look.judge_look(run, 0)
    assert len(one.payload["kept"]["leak"]["right_in"]) == 6
    assert len(one.payload["attacks"]["neighbourhood"]["kept"]["leak"]["right_in"]) == 4
    assert one.payload["not_made"] == {}
