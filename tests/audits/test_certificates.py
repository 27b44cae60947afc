"""Certificates end to end: the first request trains a pool, the next one relies on it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audits.core import evidence_file
from audits.core.certificate import HARDEST, Procedure
from audits.core.certified import recomputes
from audits.core.recheck import recheck
from audits.core.shadows import train_shadow
from audits.execution import certified, shadows
from audits.execution.audit_sets import audit_sets
from audits.execution.report_evidence import evidence_cards
from audits.models import AuditPlan, Evidence, ProcedureCertificate, ShadowResult, Verdict
from audits.queries.case_file import findings
from audits.queries.certificates import standing
from audits.queries.limits import limits_of
from audits.services import certificates, evidence, verdicts
from audits.services.verdicts import Finding
from lineage.models import Job
from tests.audits.certificate_worlds import PER_ARM, POLICY, prepared, pretend
from tests.audits.world import ADA, BERT, awaiting_audit, logged, runs, verified_case
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db
OWN_SCORES = shadows._own_scores
POOL = 3 * PER_ARM  # two arms, and as many again for the instance test
# A fail of a pool whose instance test alone rang.
ALARM = {"instance_p": 0.01, "contrasts": {"leak": {"subject": {"lower": -0.1}}}}


@pytest.fixture
def asked(world, approximate, settings, monkeypatch):
    """A version on which every pool passes; call it with whom to erase."""
    settings.EXPUNGE_POLICY = POLICY
    pretend(monkeypatch)
    monkeypatch.setattr(certified, "decile", lambda *_: 5)
    monkeypatch.setattr(certified, "profile", lambda *_: (5,) * 9)
    trained = {}
    purge = "audits.services.closing.purge_shadows"

    def count(*, request, now) -> None:
        rows = ShadowResult.objects.filter(run__in=request.runs.all())
        trained[request.pk] = rows.count()
        rows.delete()

    monkeypatch.setattr(purge, count)
    prepared(world)

    def erase(email):
        case = world.erased(email)
        assert case.status == "SEALED", case.failure
        first = runs(case)[0]
        return case, first, trained[case.pk]

    return erase


def evidence_of(run):
    return run.evidence.get(kind=Evidence.Kind.U_LIRA)


def test_the_first_request_trains_a_pool_and_its_pass_becomes_a_certificate(asked):
    case, run, trained = asked(ADA)
    assert (run.status, trained) == ("CLEARED", POOL)
    issued = ProcedureCertificate.objects.get()
    row = evidence_of(run)
    assert (issued.evidence, issued.outcome, issued.attempt) == (row, "PASS_LEAK", 1)
    assert issued.kept == {name: row.payload[name] for name in ("kept", "attacks")}
    assert issued.expires_at - issued.issued_at == timedelta(days=90)
    assert issued.difficulty == 5
    assert issued.stated().digest() == issued.digest
    assert recomputes(issued.stated())
    (event,) = logged(case, "certificate_issued")
    assert event["certificate"] == str(issued.pk)
    said = row.payload["certificate"]
    assert (said["relied_on"], said["reason"]) == (None, "No certificate was issued yet.")


def test_the_next_request_trains_only_models_that_never_saw_the_person(asked):
    asked(ADA)
    case, run, trained = asked(BERT)
    issued = ProcedureCertificate.objects.get()
    assert trained == PER_ARM  # a third of what the first request took
    assert (run.status, run.verdicts.get().outcome) == ("CLEARED", "PASS_LEAK")
    reason = run.verdicts.get().reasons[-1]
    for told in (str(issued.pk), issued.digest, f"{issued.expires_at:%Y-%m-%d}", "p = 1.0000"):
        assert told in reason
    said = evidence_of(run).payload["certificate"]
    assert said["relied_on"] == str(issued.pk)
    assert said["models_of_this_run"] == PER_ARM
    assert logged(case, "certificate_relied_on")[0]["digest"] == issued.digest
    assert [row["models_per_arm"] for row in logged(case, "look_taken")] == [PER_ARM]
    assert any("certificate" in limit for limit in limits_of(case, runs(case)))
    assert issued.digest in str(evidence_cards({**findings(case), "events": []}))


def test_the_verdict_with_and_without_a_certificate_is_drawn_again_from_the_file(asked):
    for person in (ADA, BERT):  # the first has a pool of her own
        _, run, _ = asked(person)
        row = evidence_of(run)
        verdict = Verdict.objects.get(evidence=row)
        data = evidence_file.write(
            kind=row.kind,
            payload=json.loads(json.dumps(row.payload)),
            policy=run.audit_plan.policy,
            outcome=verdict.outcome,
            reasons=verdict.reasons,
        )
        found = recheck(data)
        assert found.agrees
        assert found.schema_checked
        assert set(row.payload["figures"]) == {"histograms", "power"}


def test_a_deployed_model_that_stands_out_fails_and_ends_the_certificate(asked, monkeypatch):
    asked(ADA)
    pretend(monkeypatch, stands_out=True)
    case, run, _ = asked(BERT)
    assert (run.status, run.verdicts.get().outcome) == ("REJECTED", "FAIL")
    assert "stands out" in run.verdicts.get().reasons[-1]
    assert runs(case)[1].method == "retrain"
    plan = run.audit_plan
    found = standing(Procedure.from_dict(plan.procedure), now=plan.fixed_at)
    assert found.certificate is None
    assert "failed after certificate" in found.reason


def fixed(world, email):
    """The plan of the audit that a request leads to, before any model of it is trained."""
    case = world.accepted(email)
    plans = AuditPlan.objects.filter(run__requests=case)
    world.work(until=plans.exists)
    return plans.get(), evidence.fix_audit(run_id=plans.get().pk, now=timezone.now())


def test_a_certificate_that_ended_meanwhile_clears_nobody(asked, world):
    """Another case on another version failed while the models of this one were trained."""
    asked(ADA)
    plan, _ = fixed(world, BERT)
    other = awaiting_audit(verified_case("grace@example.org"))
    same = {"procedure_key": plan.procedure_key, "certificate": plan.certificate}
    AuditPlan.objects.create(run=other, design={}, policy={}, fixed_at=plan.fixed_at, **same)
    failed = Finding(
        kind="U_LIRA",
        look=0,
        models_per_arm=6,
        payload={"not_computed": "Said beforehand."},
        outcome="FAIL",
    )
    verdicts.conclude(run_id=other.pk, findings=[failed], now=timezone.now())
    world.work()
    verdict = plan.run.verdicts.get()
    assert verdict.outcome == "INVALID"
    assert "failed after certificate" in verdict.reasons[0]


def test_a_look_beside_a_certificate_asks_for_one_arm_in_jobs_of_its_own(asked, world):
    asked(ADA)
    plan, look = fixed(world, BERT)
    assert plan.certificate == ProcedureCertificate.objects.get()
    assert (look.chunks, look.jobs) == (((0, PER_ARM),), "certified:")


def test_another_number_of_the_method_trains_the_pool_and_says_why(asked, world, settings):
    asked(ADA)
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 2}
    plan, look = fixed(world, BERT)
    assert (look.chunks, look.jobs) == (((0, 2 * PER_ARM), (2 * PER_ARM, POOL)), "")
    assert "is about another procedure" in plan.no_certificate
    assert 'hyperparameters is {"epochs":2} here and {"epochs":1} there' in plan.no_certificate


def test_an_expired_certificate_is_named_and_the_pool_is_trained(asked, settings):
    asked(ADA)
    settings.EXPUNGE_CERTIFICATE_DAYS = 1e-9
    _, run, trained = asked(BERT)
    assert trained == POOL
    assert "expired on" in evidence_of(run).payload["certificate"]["reason"]


def test_zero_days_turn_the_reuse_off(asked, settings):
    settings.EXPUNGE_CERTIFICATE_DAYS = 0
    _, run, trained = asked(ADA)
    assert trained == POOL
    assert "EXPUNGE_CERTIFICATE_DAYS is 0" in evidence_of(run).payload["certificate"]["reason"]
    assert not ProcedureCertificate.objects.exists()


def test_harder_records_set_the_certificate_aside_before_any_model(asked, monkeypatch):
    asked(ADA)
    monkeypatch.setattr(certified, "decile", lambda *_: HARDEST)
    case, run, trained = asked(BERT)
    assert (run.status, trained) == ("CLEARED", POOL)
    assert "decile 10 of difficulty" in evidence_of(run).payload["certificate"]["reason"]
    assert len(logged(case, "certificate_set_aside")) == 1
    assert [row["models_per_arm"] for row in logged(case, "look_taken")] == [PER_ARM, PER_ARM]
    assert sorted(ProcedureCertificate.objects.values_list("difficulty", flat=True)) == [5, 10]


def test_a_certificate_that_does_not_recompute_is_set_aside(asked, world, monkeypatch):
    asked(ADA)
    plan, _ = fixed(world, BERT)
    monkeypatch.setattr(certified, "recomputes", lambda _: False)
    assert not certified.goes_on(plan, audit_sets(plan))
    plan.refresh_from_db()
    assert plan.certificate is None
    assert "does not come out of its numbers" in plan.no_certificate


def test_a_job_beside_a_certificate_that_was_set_aside_trains_nothing(asked, world):
    asked(ADA)
    plan, _ = fixed(world, BERT)
    certificates.set_aside(run_id=plan.pk, reason="Too hard.", now=timezone.now())
    shadows.train_shadows(Job.objects.get(payload_id=plan.pk, kind="AUDIT"))
    assert not ShadowResult.objects.filter(run=plan.pk).exists()


def test_models_beside_a_certificate_can_really_be_trained(asked, monkeypatch, settings):
    """With the training, the twins and the scores in earnest."""
    asked(ADA)
    monkeypatch.setattr(shadows, "train_shadow", train_shadow)
    monkeypatch.setattr(shadows, "_own_scores", OWN_SCORES)
    _, run, trained = asked(BERT)
    assert trained == PER_ARM
    row = evidence_of(run)
    assert len(row.payload["kept"]["instance"]["never_seen"]) == PER_ARM
    assert row.payload["certificate"]["relied_on"]
    assert run.verdicts.get().outcome in {"PASS_LEAK", "FAIL", "INVALID"}


def test_a_pass_after_a_failed_pool_certifies_nothing(asked):
    _, run, _ = asked(ADA)
    row = evidence_of(run)
    more = {"run": run, "kind": row.kind, "digest": row.digest, "created_at": row.created_at}
    issue = certificates.issue
    once = Evidence.objects.create(look=7, payload=row.payload, **more)
    assert issue(evidence=once, outcome="INCONCLUSIVE", now=row.created_at) is None
    assert issue(evidence=once, outcome="PASS_LEAK", now=row.created_at) is not None
    for look, payload, certifies in ((8, ALARM, True), (10, {}, False)):
        failed = Evidence.objects.create(look=look + 1, payload=payload, **more)
        Verdict.objects.create(
            run=run, evidence=failed, outcome="FAIL", final=True, created_at=row.created_at
        )
        again = Evidence.objects.create(look=look, payload=row.payload, **more)
        issued = issue(evidence=again, outcome="PASS_LEAK", now=row.created_at)
        assert (issued is not None) is certifies


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_certificate_cannot_be_changed_or_removed(asked, change):
    asked(ADA)
    rows = ProcedureCertificate.objects.all()
    changes = {
        "update": lambda: rows.update(outcome="PASS_STRICT"),
        "delete": lambda: rows._raw_delete(connection.alias),
    }
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        changes[change]()


def test_nothing_is_certified_on_the_persons_own_records(asked, settings):
    settings.EXPUNGE_POLICY = {**POLICY, "audit_data": "own_records"}
    _, run, _ = asked(ADA)
    assert "certificate" not in evidence_of(run).payload
    assert not ProcedureCertificate.objects.exists()


def test_the_command_lists_certificates_or_says_that_there_are_none(asked):
    def printed(*options: str) -> str:
        out = StringIO()
        call_command("certificates", *options, stdout=out)
        return out.getvalue()

    assert "No certificate was issued yet" in printed()
    assert json.loads(printed("--json")) == []
    asked(ADA)
    issued = ProcedureCertificate.objects.get()
    assert str(issued) in printed()
    (told,) = json.loads(printed("--json"))
    assert told["certificate"] == str(issued.pk)
    assert told["fields"] == issued.fields
    assert told["run"] == str(UnlearningRun.objects.get(evidence=issued.evidence).pk)
    assert (told["stands"], told["reason"]) == (True, "")
