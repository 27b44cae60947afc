"""The audit of a run: fixed before, kept once, ended once, escalated once."""

from __future__ import annotations

import uuid

import pytest

from audits.core.evidence_schema import PayloadUnfit
from audits.core.policy import EvidencePolicy
from audits.core.verdict import Outcome
from audits.models import AuditPlan, ErasureRequest, Evidence, ShadowResult, Verdict
from audits.queries.designs import design_of
from audits.services import bases, evidence, verdicts
from audits.services.transitions import MoveNotAllowed
from tests.audits import world as worlds
from tests.audits.world import NOW, awaiting_audit, events, logged
from unlearning.models import UnlearningRun
from unlearning.services import runs as unlearning_runs

pytestmark = pytest.mark.django_db

TWO_LOOKS = EvidencePolicy(looks=(16, 32), max_trainings=64).as_dict()
SMALL = EvidencePolicy(looks=(6,), max_trainings=12).as_dict()


@pytest.fixture
def run(signing_key):
    """A run that was carried out approximately and waits for its audit."""
    return awaiting_audit(worlds.verified_case())


@pytest.fixture
def case(run):
    case = run.requests.get()
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING", policy=SMALL)
    return case


def finding(outcome="INCONCLUSIVE", *, look=0, final=False, **payload: object):
    return verdicts.Finding(
        kind=Evidence.Kind.U_LIRA,
        look=look,
        models_per_arm=16,
        payload=payload or {"not_computed": "Nobody measured."},
        outcome=outcome,
        reasons=["Because."],
        final=final,
    )


def conclude(run, *findings: verdicts.Finding):
    verdicts.conclude(run_id=run.pk, findings=findings, now=NOW)
    run.refresh_from_db()
    return run.status


# --- the plan of an audit ---------------------------------------------------------------------


def test_a_look_asks_for_the_models_that_it_adds_in_chunks(case, run):
    ErasureRequest.objects.filter(pk=case.pk).update(policy=TWO_LOOKS)
    first = evidence.fix_audit(run_id=run.pk, now=NOW)
    instances = ((64, 80), (80, 84))  # numbered after all that the looks can need
    assert (first.number, first.chunks) == (0, ((0, 16), (16, 32), *instances))
    conclude(run, finding())
    second = evidence.fix_audit(run_id=run.pk, now=NOW)
    assert (second.number, second.chunks) == (1, ((32, 48), (48, 64)))
    assert [row["models_per_arm"] for row in logged(case, "look_taken")] == [16, 32]


@pytest.mark.parametrize(
    ("policy", "canaries"),
    [
        ({**TWO_LOOKS, "audit_data": "own_records"}, 1),
        ({**SMALL, "audit_data": "own_records"}, 8),
        (TWO_LOOKS, 8),
    ],
)
def test_one_canary_is_planted_where_the_deployed_model_is_compared_with_the_pool(
    case, run, policy, canaries
):
    """It has none itself. With few models one is no control, and surrogates have other models."""
    ErasureRequest.objects.filter(pk=case.pk).update(policy=policy)
    evidence.fix_audit(run_id=run.pk, now=NOW)
    plan = AuditPlan.objects.get(run=run)
    assert plan.design["canaries"] == design_of(plan).canaries == canaries


def test_policy_and_design_are_fixed_once_whatever_changes_later(case, run, settings):
    before = evidence.fix_audit(run_id=run.pk, now=NOW)
    plan = AuditPlan.objects.get(run=run)
    settings.EXPUNGE_POLICY = {}
    ErasureRequest.objects.filter(pk=case.pk).update(policy=TWO_LOOKS)
    assert evidence.fix_audit(run_id=run.pk, now=NOW) == before
    assert AuditPlan.objects.get(run=run).policy == plan.policy
    fixed = {row["policy"] for row in logged(case, "policy_fixed")}
    assert fixed == {plan.policy_digest}


def test_the_design_that_was_stored_is_the_one_that_was_digested(case, run):
    evidence.fix_audit(run_id=run.pk, now=NOW)
    plan = AuditPlan.objects.get(run=run)
    assert design_of(plan).digest() == plan.design_digest


def test_a_run_of_no_case_has_no_policy(case, run):
    case.runs.clear()
    with pytest.raises(MoveNotAllowed, match=f"Run {run.pk} serves no case, so no policy"):
        evidence.fix_audit(run_id=run.pk, now=NOW)


def test_only_what_is_not_exact_needs_shadow_models(run):
    assert evidence.needs_shadows(run)
    run.guarantee = "EXACT"
    assert not evidence.needs_shadows(run)


# --- shadow models ----------------------------------------------------------------------------


def test_a_shadow_model_is_kept_once(case, run):
    keep = {"run_id": run.pk, "index": 3, "version": None, "now": NOW}
    assert evidence.keep_shadow(**keep, row={"model": 3})
    assert not evidence.keep_shadow(**keep, row={"model": 4})
    assert ShadowResult.objects.get().row == {"model": 3}
    for _ in range(2):
        evidence.log_shadows(run_id=run.pk, now=NOW)
    assert [row["count"] for row in logged(case, "shadows_registered")] == [1]


# --- conclusions ------------------------------------------------------------------------------


def test_a_look_without_a_conclusion_leaves_the_run_open(run):
    assert conclude(run, finding()) == "SUCCEEDED"
    assert [one.final for one in run.verdicts.all()] == [False]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_closes_clears_a_run(case, run, outcome):
    status = conclude(run, finding(outcome.value, final=True))
    assert status == ("CLEARED" if outcome.closes else "REJECTED")
    assert logged(case, "verdict_reached")[0]["verdict"] == outcome.value
    assert len(logged(case, "run_finished")) == 1


def test_a_conclusion_is_drawn_once(case, run):
    conclude(run, finding("FAIL", final=True))
    assert conclude(run, finding("PASS_LEAK", final=True)) == "REJECTED"
    assert [one.outcome for one in Verdict.objects.all()] == ["FAIL"]
    assert len(logged(case, "verdict_reached")) == len(logged(case, "run_finished")) == 1


def test_what_does_not_fit_the_published_schema_is_not_kept(run):
    with pytest.raises(PayloadUnfit, match=r"U_LIRA evidence .* payload has the member 'score'"):
        conclude(run, finding(not_computed="", score=1))
    assert not Evidence.objects.exists()
    assert not Verdict.objects.exists()


def test_an_attack_that_cannot_be_made_ends_the_audit_once_and_never_passes(case, run):
    for _ in range(2):  # every chunk of a look comes to this end
        verdicts.not_computed(run_id=run.pk, reason="not computed: too few.", now=NOW)
    run.refresh_from_db()
    assert run.status == "REJECTED"
    assert Evidence.objects.get().payload == {"not_computed": "not computed: too few."}
    assert Verdict.objects.get().reasons == ["not computed: too few."]


def test_at_a_later_look_it_does_not_hide_what_was_measured(run):
    conclude(run, finding(not_computed="numbers"))
    verdicts.not_computed(run_id=run.pk, reason="not computed: it diverged.", now=NOW)
    rows = Evidence.objects.order_by("look").values_list("look", "payload")
    assert list(rows) == [
        (0, {"not_computed": "numbers"}),
        (1, {"not_computed": "not computed: it diverged."}),
    ]
    assert [one.reasons for one in run.verdicts.order_by("created_at")][-1] == [
        "not computed: it diverged."
    ]


# --- escalation -------------------------------------------------------------------------------


def test_escalating_again_finds_the_same_run(case, run):
    conclude(run, finding("FAIL", final=True))
    first = evidence.escalate(run_id=run.pk, now=NOW)
    assert evidence.escalate(run_id=run.pk, now=NOW) == first
    assert (first.method, first.status, first.escalated_from) == ("retrain", "QUEUED", run)
    assert set(case.runs.all()) == {run, first}
    assert logged(case, "run_escalated") == [
        {"run": str(run.pk), "to_run": str(first.pk), "verdict": "FAIL"}
    ]


def test_a_run_fails_once_and_says_so_in_the_log(case, run):
    UnlearningRun.objects.filter(pk=run.pk).update(status="RUNNING", unlearned=None)
    fail = {"run_id": run.pk, "code": "LossNotFinite", "message": "nan", "now": NOW}
    assert [evidence.fail_run(**fail) for _ in range(2)] == [True, False]
    assert logged(case, "run_failed") == [{"run": str(run.pk), "code": "LOSS_NOT_FINITE"}]
    assert evidence.escalate(run_id=run.pk, now=NOW).method == "retrain"
    assert logged(case, "run_escalated")[0]["verdict"] == "RUN_FAILED"


def test_a_base_is_reopened_only_for_a_rejected_child_that_stands_on_it(case, run):
    child = unlearning_runs.queue_run(
        target=run.target,
        space=run.space,
        forget=unlearning_runs.forget_of(run),
        method="retrain",
        hyperparameters={},
        seed=1,
        waiting=False,
        now=NOW,
    )
    case.runs.add(child)
    conclude(run, finding("PASS_LEAK", final=True))
    reopen = {"run_id": child.pk, "case_id": case.pk}
    assert not bases.reopen_base(**reopen)  # it is not rejected
    of_child = UnlearningRun.objects.filter(pk=child.pk)
    of_child.update(status="REJECTED", unlearned=run.target)
    assert not bases.reopen_base(**reopen)  # it stands on nothing
    of_child.update(base=run.unlearned)
    assert not bases.reopen_base(run_id=child.pk, case_id=uuid.uuid4())
    assert [bases.reopen_base(**reopen) for _ in range(2)] == [True, True]
    run.refresh_from_db()
    assert run.status == "REJECTED"


def test_a_phase_is_shown_without_an_event(case):
    before = events(case)
    phases = [evidence.set_phase(case_id=case.pk, phase="AUDITING", now=NOW) for _ in range(2)]
    assert phases == [True, False]
    assert not evidence.set_phase(case_id=case.pk, phase="SEALED", now=NOW)
    assert events(case) == before
