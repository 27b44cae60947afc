"""What all audits of a period say together: every question counts, whatever became of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from audits.core.evidence_schema import check_payload
from audits.core.passing import strength_of
from audits.core.policy import EvidencePolicy, Mode
from audits.core.strength import Strength
from audits.core.verdict import Outcome, Verdict
from audits.execution.look_payload import payload_of
from audits.models import AuditPlan, ErasureRequest
from audits.queries.fleet import PeriodRefused, fleet, period, pool_of
from audits.services import evidence, verdicts
from tests.audits import world as worlds
from tests.audits.core_evidence.experiments import World
from tests.audits.world import ADA, BERT, CLEO, NOW, queued_run
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db

WIDE = EvidencePolicy(looks=(64,), max_trainings=128, margin_record=0.6, margin_subject=0.8)
CLEAN = World(models=64, records=8).kept(0)


@pytest.fixture(autouse=True)
def keys(signing_key):
    """Verdicts are logged."""


def audited(email, outcome="PASS_LEAK", *, policy=WIDE, at=NOW, **fields: object):
    """A run with a plan and, where there is an outcome, one final look at it."""
    case = worlds.verified_case(email)
    ErasureRequest.objects.filter(pk=case.pk).update(policy=policy.as_dict())
    run = queued_run(case, now=at, **fields)
    evidence.fix_audit(run_id=run.pk, now=at)
    if outcome:
        conclude(run, said(outcome, policy))
    return run


def said(outcome, policy=WIDE, case=None, kept=CLEAN, **changes: object):
    found = replace(kept, **changes)
    passed = outcome == "PASS_LEAK"
    payload = {
        "kept": found.as_dict(),
        "strength": asdict(strength_of({"": found}, policy)) if passed else None,
    }
    return verdicts.Finding(
        kind="U_LIRA",
        look=0,
        models_per_arm=64,
        payload=payload,
        outcome=outcome,
        final=True,
        case=case,
    )


def conclude(run, *findings: verdicts.Finding):
    UnlearningRun.objects.filter(pk=run.pk).update(
        status="SUCCEEDED", guarantee="APPROXIMATE", unlearned=worlds.empty_version("result")
    )
    verdicts.conclude(run_id=run.pk, findings=findings, now=NOW)


def shared_run(*outcomes: str, beside: str = ""):
    """A run of several cases, each judged by itself from one pool; ``beside``: about all."""
    run = audited(ADA, "")
    names = [f"case{at}@example.org" for at in range(1, len(outcomes))]
    cases = [run.requests.get(), *map(worlds.verified_case, names)]
    run.requests.set(cases)
    plan = run.audit_plan
    plan.design = {**plan.design, "subjects": [[str(case.pk)] for case in cases]}
    plan.save()
    findings = [said(outcome, case=case) for outcome, case in zip(outcomes, cases, strict=True)]
    conclude(run, *([said(beside)] if beside else []), *findings)
    return run


def test_without_runs_nothing_is_stated():
    found = fleet()
    assert found.questions == ()
    assert "nothing to state" in found.statement()[0]


def test_what_did_not_pass_counts_as_tried_and_never_survives():
    good = audited(ADA)
    for email, outcome in ((BERT, "INCONCLUSIVE"), (CLEO, "INVALID"), ("d@example.org", "")):
        audited(email, outcome)
    found = fleet()
    assert found.outcomes() == {"INCONCLUSIVE": 1, "INVALID": 1, "OPEN": 1, "PASS_LEAK": 1}
    assert found.by_method() == [("finetune", found.outcomes())]
    assert (len(found.asked), len(found.passed)) == (4, 1)
    assert [one.run for one in found.surviving] == [good]
    assert "4 questions were put" in found.statement()[0]
    assert "at most 5 %" in found.statement()[0]


def test_what_failed_all_cases_of_a_run_at_once_leaves_no_pass_of_one_of_them():
    """The canaries of a deployed model fail it for every case, whatever the shadow models say."""
    shared_run("PASS_LEAK", "PASS_LEAK", beside="FAIL")
    found = fleet()
    assert found.outcomes() == {"FAIL": 2}
    assert found.surviving == ()


def test_a_weak_pass_survives_alone_and_not_among_many():
    tight = EvidencePolicy(looks=(64,), max_trainings=128, margin_subject=0.35)
    audited(ADA, policy=tight)
    alone = fleet()
    assert len(alone.surviving) == 1
    for at in range(6):
        audited(f"p{at}@example.org", "INCONCLUSIVE")
    among = fleet()
    assert among.surviving == ()
    assert among.lost == among.passed
    assert "no statement is made" in among.statement()[0]


def test_a_run_belongs_to_the_day_on_which_it_was_planned():
    audited(ADA, at=NOW - timedelta(days=30))
    late = audited(BERT)
    day = NOW.date()
    assert [one.run for one in fleet(since=day).questions] == [late]
    assert [one.run for one in fleet(since=day, until=day).questions] == [late]
    assert len(fleet(until=day - timedelta(days=1)).questions) == 1
    assert fleet(since=day + timedelta(days=1)).questions == ()
    assert fleet(until=day - timedelta(days=1)).requests == 0
    assert fleet().requests == 2


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (("soon", ""), "since is 'soon'; it must be a day"),
        (("", "2026-13-01"), "until is '2026-13-01'"),
        (("2026-03-02", "2026-03-01"), "it must not be before since"),
    ],
)
def test_a_period_that_cannot_be_read_is_refused(typed, reason):
    with pytest.raises(PeriodRefused, match=reason):
        period(*typed)
    with pytest.raises(CommandError, match=reason):
        call_command("fleet", since=typed[0], until=typed[1])


def test_a_period_may_be_open():
    assert period("", "2026-03-01") == (None, date(2026, 3, 1))


def test_a_pass_of_before_its_strength_was_kept_counts_as_tried_and_does_not_survive():
    run = audited(ADA, "")
    found = said("PASS_LEAK")
    conclude(run, replace(found, payload={"kept": found.payload["kept"]}))
    (one,) = fleet().questions
    assert (one.passed, one.strength) == (True, None)
    assert (len(fleet().asked), fleet().surviving) == (1, ())


def test_attempts_are_counted_by_how_they_are_charged():
    bets = EvidencePolicy(looks=(64,), max_trainings=128, mode=Mode.SEQUENTIAL)
    for email, policy, changes in (
        (ADA, WIDE, {"attempt": 2}),
        (BERT, bets, {"attempt": 3, "debt": 1.5}),
        (CLEO, bets, {"attempt": 2}),
        ("d@example.org", WIDE, {}),
    ):
        run = audited(email, "", policy=policy)
        conclude(run, said("INCONCLUSIVE", **changes))
    found = fleet()
    counts = found.repeated(), found.repeated("SPENT"), found.repeated("OWES")
    assert counts == (3, 1, 1)
    assert "3 audits followed earlier ones" in found.statement()[-1]


def test_the_cases_of_one_pool_are_corrected_for_their_number():
    run = shared_run("PASS_LEAK", "PASS_LEAK", "INCONCLUSIVE")
    audited(BERT, "INVALID")
    found = fleet()
    (pool,) = found.pools
    assert pool == pool_of(run)
    assert (len(pool.asked), pool.passed, len(pool.surviving)) == (3, 2, 2)
    assert len(found.asked) == 4
    assert pool.words.startswith("3 cases were judged from these shadow models; 2 passed")


def test_the_strength_of_a_pass_is_kept_with_its_evidence():
    for outcome, kept in (
        (Outcome.PASS_LEAK, strength_of({"": CLEAN}, WIDE)),
        (Outcome.FAIL, None),
    ):
        verdict = Verdict(outcome=outcome, reasons=())
        payload = payload_of({"u_lira": CLEAN}, verdict, WIDE, [], {})
        check_payload("U_LIRA", payload)
        assert Strength.of_evidence(payload) == kept


def test_a_run_of_one_case_shares_no_pool():
    assert pool_of(audited(ADA)) is None


def test_what_relies_on_a_certificate_asks_no_question_of_its_own(monkeypatch):
    run = audited(ADA)
    plan = AuditPlan.objects.get(run=run)
    plan.certificate_id = "c" * 32
    kept = Mock(**{"defer.return_value": [plan]})
    monkeypatch.setattr("audits.queries.questions.AuditPlan.objects.filter", lambda **_: kept)
    found = fleet()
    assert (len(found.asked), len(found.relying)) == (0, 1)
    assert found.surviving == ()
    assert "1 pass relies on a certificate" in " ".join(found.statement())


def test_the_command_says_what_survives_and_what_that_does_not_mean(capsys):
    run = audited(ADA)
    call_command("fleet")
    told = capsys.readouterr().out
    assert f"survives          PASS_LEAK  {run.pk}" in told
    assert "finetune             PASS_LEAK 1" in told
    assert "This does not mean:" in told


def test_the_command_writes_everything_for_programs(capsys):
    run = audited(ADA)
    audited(BERT, "FAIL")
    call_command("fleet", "--json", since="2026-01-01")
    told = json.loads(capsys.readouterr().out)
    assert (told["since"], told["until"], told["level"]) == ("2026-01-01", None, 0.05)
    assert (told["asked"], told["passed"], told["runs"]) == (2, 1, 2)
    (one,) = told["surviving"]
    assert one["run"] == str(run.pk)
    assert one["e"] >= 40
    assert told["does_not_mean"]


def test_the_command_has_something_to_say_before_the_first_run(capsys):
    call_command("fleet")
    assert "nothing to state" in capsys.readouterr().out
