"""A run that serves two cases: each is judged by itself, and neither sees the other's numbers."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from audits.models import ErasureRequest, Evidence, Verdict
from audits.queries import case_file, case_page
from audits.queries.designs import design_of
from audits.queries.evidence import looks_taken, verdict_of
from audits.queries.sharing import told_apart
from audits.services import closing, evidence, verdicts
from tests.audits import world as worlds
from tests.audits.world import NOW, awaiting_audit, logged

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(signing_key):
    return awaiting_audit(worlds.verified_case())


@pytest.fixture
def cases(run):
    first = run.requests.get()
    second = worlds.verified_case("grace@example.org")
    run.requests.add(second)
    return first, second


def finding(case, outcome="PASS_LEAK", *, look=0, final=True):
    return verdicts.Finding(
        kind=Evidence.Kind.U_LIRA,
        look=look,
        models_per_arm=16,
        payload={"not_computed": str(case.pk)},
        outcome=outcome,
        reasons=[f"Because of {case.reference}."],
        final=final,
        case=case,
    )


def outcome(verdict):
    return verdict.outcome if verdict else ""


def conclude(run, *findings: verdicts.Finding):
    verdicts.conclude(run_id=run.pk, findings=findings, now=NOW)
    run.refresh_from_db()
    return run.status


def test_a_run_is_cleared_when_every_case_is(run, cases):
    assert conclude(run, *map(finding, cases)) == "CLEARED"
    assert looks_taken(run) == 1


def test_a_run_is_rejected_when_one_case_fails(run, cases):
    first, second = cases
    assert conclude(run, finding(first), finding(second, "FAIL")) == "REJECTED"
    assert [outcome(verdict_of(run, case)) for case in cases] == ["PASS_LEAK", "FAIL"]
    assert outcome(verdict_of(run)) == "FAIL"
    escalated = evidence.escalate(run_id=run.pk, now=NOW)
    assert set(escalated.requests.all()) == set(cases)
    assert logged(first, "run_escalated")[0]["verdict"] == "FAIL"


def test_a_case_sees_its_own_evidence_and_what_is_about_the_whole_run(run, cases):
    first, second = cases
    nothing = {"original": None, "unlearned": None, "not_computed": "all"}
    whole = verdicts.Finding(kind="POPULATION", look=0, models_per_arm=0, payload=nothing)
    conclude(run, whole, finding(first), finding(second))
    for case in cases:
        shown = [one["payload"]["not_computed"] for one in case_file.findings(case)["evidence"]]
        assert sorted(shown) == sorted(["all", str(case.pk)])
        (row,) = case_page.run_rows(case)
        assert {one.payload["not_computed"] for one in row.evidence} == {"all", str(case.pk)}
        (reached,) = logged(case, "verdict_reached")
        own = Verdict.objects.get(evidence__request=case)
        assert reached["evidence"] == own.evidence.digest


def test_the_page_of_evidence_is_found_only_in_its_case(run, cases, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    first, second = cases
    conclude(run, finding(first), finding(second))
    own = Evidence.objects.get(request=first).pk
    assert client.get(f"/cases/{first.pk}/evidence/{own}/").status_code == 200
    assert client.get(f"/cases/{second.pk}/evidence/{own}/").status_code == 404


def test_two_cases_of_one_run_are_two_subjects(run, cases, monkeypatch):
    first, second = cases
    own = {first.pk: BitMap([0]), second.pk: BitMap([2])}
    run.forget_bitmap = BitMap([0, 2]).serialize()
    monkeypatch.setattr("audits.queries.sharing.forget_set", lambda pk: {run.space: own[pk]})
    groups, places = told_apart(run)
    assert sorted(groups) == sorted([[str(first.pk)], [str(second.pk)]])
    assert [groups[at] for at in places] == [[str(first.pk)], [str(second.pk)]]


@pytest.mark.parametrize("theirs", [{0, 2}, {0}, set()])
def test_cases_that_share_a_record_or_leave_one_over_are_one_subject(
    run, cases, monkeypatch, theirs
):
    first, second = cases
    own = {first.pk: BitMap([0]), second.pk: BitMap(theirs)}
    run.forget_bitmap = BitMap([0, 2]).serialize()
    monkeypatch.setattr("audits.queries.sharing.forget_set", lambda pk: {run.space: own[pk]})
    groups, places = told_apart(run)
    assert sorted(groups[0]) == sorted(str(case.pk) for case in cases)
    assert (len(groups), places) == (1, [0, 0])


def test_a_design_of_several_subjects_is_read_as_it_was_fixed(run, cases, monkeypatch):
    first, second = cases
    own = {first.pk: BitMap([0]), second.pk: BitMap([2])}
    type(run).objects.filter(pk=run.pk).update(forget_bitmap=BitMap([0, 2]).serialize())
    ErasureRequest.objects.filter(pk__in=[first.pk, second.pk]).update(policy=first.policy)
    monkeypatch.setattr("audits.queries.sharing.forget_set", lambda pk: {run.space: own[pk]})
    evidence.fix_audit(run_id=run.pk, now=NOW)
    run.refresh_from_db()
    design = design_of(run.audit_plan)
    assert design.subjects == 2
    assert design.digest() == run.audit_plan.design_digest


def test_what_is_judged_after_the_end_of_an_audit_is_not_kept(run, cases):
    """A slow worker, while the shadow models expired."""
    verdicts.not_computed(run_id=run.pk, reason="They expired.", now=NOW)
    assert conclude(run, *map(finding, cases)) == "REJECTED"
    assert [one.outcome for one in run.verdicts.all()] == ["INCONCLUSIVE"]
    assert not Evidence.objects.exclude(request=None).exists()


def test_each_case_is_told_of_the_shadow_models_of_its_own_runs(run, cases):
    """The second has closed before the first purges those of a run that serves it alone."""
    first, second = cases
    alone = awaiting_audit(first)
    rows = [(run, index) for index in range(3)] + [(alone, index) for index in range(2)]
    for of, index in rows:
        evidence.keep_shadow(run_id=of.pk, index=index, version=None, row={}, now=NOW)
    closing.purge_shadows(request=second, now=NOW)
    closing.purge_shadows(request=first, now=NOW)
    told = [[one["count"] for one in logged(case, "shadows_purged")] for case in cases]
    assert told == [[3, 2], [3]]
