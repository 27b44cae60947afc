"""The page of methods, and what audits add to the page of a model version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone

from audits.core.policy import EvidencePolicy
from audits.models import ErasureRequest, Evidence, Verdict
from audits.queries.method_table import deciding_bounds, method_rows, model_names
from audits.services import verdicts
from tests.audits.views import worlds
from unlearning.models import UnlearningRun
from unlearning.services import runs

pytestmark = pytest.mark.django_db
UTILITY = {
    "reference_retained": 0.8,
    "unlearned_retained": 0.76,
    "reference_test": 0.5,
    "unlearned_test": 0.55,
}


def audited(upper=0.0891, seconds=1.5, whole=15.0, outcome="PASS_LEAK"):
    found = worlds.u_lira()
    level = {**found.payload["contrasts"]["leak"]["subject"], "upper": upper}
    leak = dict.fromkeys(found.payload["contrasts"]["leak"], level)
    contrasts = {**found.payload["contrasts"], "leak": leak}
    payload = {**found.payload, "contrasts": contrasts, "utility": UTILITY}
    case, run = worlds.judged(replace(found, payload=payload, outcome=outcome))
    UnlearningRun.objects.filter(pk=run.pk).update(
        seconds=seconds, retrain_seconds_predicted=whole
    )
    return case, run


def another(case, run, number, *, method="retrain"):
    """One more run that ended, of another version, with evidence by construction."""
    target = worlds.version("voices", 2 * number)
    made = runs.queue_run(
        target=target,
        space=run.space,
        forget=worlds.FORGET,
        method=method,
        hyperparameters={},
        seed=number,
        waiting=False,
        now=timezone.now(),
    )
    case.runs.add(made)
    runs.start_run(run_id=made.pk)
    runs.finish_run(
        run_id=made.pk,
        unlearned=worlds.version("voices", 2 * number + 1),
        guarantee="EXACT",
        report={},
        seconds=10.0,
        now=timezone.now(),
    )
    UnlearningRun.objects.filter(pk=made.pk).update(retrain_seconds_predicted=10.0)
    found = worlds.construction()
    verdicts.conclude(run_id=made.pk, findings=[found], now=timezone.now())
    return made


def text_of(response):
    return response.content.decode()


def test_an_empty_installation_is_told_what_must_run_first(reader):
    page = text_of(reader.get("/methods/"))
    assert "No unlearning run has ended here yet." in page
    assert "manage.py tune" in page
    assert 'href="/methods/" aria-current="page">Methods</a>' in page


def test_a_method_is_told_by_cost_leak_deviation_and_verdicts():
    audited()
    (row,) = method_rows()
    assert (row.method, row.runs, row.cost, row.speed) == ("scrub", 1, 0.1, 10)
    assert (row.leak, row.audits) == (0.0891, 1)
    assert row.deviation == pytest.approx(0.05 + 0.1)
    assert row.outcomes == {"PASS_LEAK": 1}


@pytest.mark.parametrize("outcome", ["INVALID", "NO_SIGNAL"])
def test_an_experiment_that_says_nothing_bounds_nothing(outcome):
    audited(outcome=outcome)
    (row,) = method_rows()
    assert (row.leak, row.deviation, row.audits, row.harm) == (None, None, 0, None)
    assert row.outcomes == {outcome: 1}


def test_what_does_not_decide_bounds_no_leak():
    _, run = audited()
    row = Evidence.objects.get(run=run)
    other = {"decides": False, "contrasts": {"leak": {"subject": {"upper": 0.9}}}}
    payload = {**row.payload, "attacks": {"rmia": other}}
    levels, leak = EvidencePolicy().as_dict()["levels"], payload["contrasts"]["leak"]
    assert max(deciding_bounds(levels, leak, payload["attacks"])) == 0.0891
    other["decides"] = True
    assert max(deciding_bounds(levels, leak, payload["attacks"])) == 0.9
    assert not list(deciding_bounds([], leak, payload["attacks"]))


def test_an_exact_method_is_plotted_without_a_leak_and_marked_so(reader):
    case, run = audited()
    another(case, run, 1)
    page = text_of(reader.get("/methods/"))
    own = page.split("Benchmarks that came")[0]
    assert own.count('<g class="mark best">') == 1
    assert own.count('<g class="mark best hollow">') == 1
    assert "none, exact" in page
    assert " style=" not in page


def test_one_model_can_be_looked_at_alone(reader):
    case, run = audited()
    another(case, run, 1)
    assert model_names() == ["faces", "voices"]
    assert [row.method for row in method_rows("voices")] == ["retrain"]
    page = text_of(reader.get("/methods/?model=voices"))
    assert "<option selected>voices</option>" in page
    assert "none, exact" in page
    assert "0.089" not in page.split("Benchmarks that came")[0]


def test_more_runs_need_no_more_queries(reader, django_assert_max_num_queries):
    case, run = audited()
    for number in range(1, 6):
        another(case, run, number)
    with django_assert_max_num_queries(14):
        reader.get("/methods/")
    UnlearningRun.objects.exclude(pk=run.pk).update(target=run.target)
    assert Verdict.objects.count() == 6
    with django_assert_max_num_queries(25):
        page = text_of(reader.get(f"/models/{run.target_id}/"))
    assert page.count("Construction (lineage and replay)") == 5
    assert ErasureRequest.objects.get().reference in page
    assert "51.5 seconds" in page
    assert "It was made from no other version." in page


def test_the_evidence_of_an_audit_names_controls_attempts_and_the_register(reader):
    case, run = audited()
    row = Evidence.objects.get(run=run)
    page = text_of(reader.get(f"/cases/{case.pk}/evidence/{row.pk}/"))
    assert 'href="/registers/attacks/"' in page
    assert "Controls whose truth is known" in page
    assert "Negative: models that never saw the records" in page
