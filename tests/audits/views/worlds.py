"""Cases in the states that pages show, made by the services that make them in earnest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from pyroaring import BitMap

from audits.core.policy import EvidencePolicy
from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.forget_sets import forget_set, listed
from audits.services import case_runs, closing, evidence, planning, records, requests, verdicts
from lineage.models import Artefact, DataRecord, ModelVersion, OrdinalSpace, Run
from lineage.services.artefacts import store_artefact
from lineage.services.subjects import register_subject
from tests.audits.core_evidence.experiments import World
from tests.audits.world import accept_now, refuse_now
from unlearning.services import runs

EMAIL = "ada@example.org"
TOKEN = "the-status-token-of-ada"
POLICY = EvidencePolicy()
FORGET = BitMap([0, 1])


def person(email=EMAIL):
    """Somebody with two records in a space of their own."""
    space, _ = OrdinalSpace.objects.get_or_create(name="photos", defaults={"next_ordinal": 10})
    subject = register_subject(identifiers={"EMAIL": email}, now=timezone.now())
    for ordinal in FORGET:
        DataRecord.objects.create(
            space=space, ordinal=ordinal, subject=subject, generated_at=timezone.now()
        )
    return space


def received(email=EMAIL, *, days=0):
    got = requests.receive_request(
        email=email, channel="FORM", now=timezone.now() - timedelta(days=days)
    )
    ErasureRequest.objects.filter(pk=got.request.pk).update(
        status_digest=requests.token_digest(TOKEN)
    )
    return got


def verified(email=EMAIL, *, days=0):
    return requests.confirm_request(
        token=received(email, days=days).confirm_token, now=timezone.now()
    )


def restricted():
    space = person()
    case = verified()
    accept_now(case.pk, now=timezone.now())
    planning.restrict_records(case_id=case.pk, now=timezone.now())
    case.refresh_from_db()
    return case, space


def version(name, number=1, *, day=1):
    at = datetime(2026, 1, day, tzinfo=UTC)
    run = Run.objects.create(
        activity="TRAIN", started_at=at, seconds=3.5, capture_level="SNAPSHOT", state="COMPLETE"
    )
    return ModelVersion.objects.create(
        model_name=name, version=number, generated_by=run, generated_at=at
    )


def planned(*, waiting=False):
    """A case whose plan has one run, on ``faces v1``."""
    case, space = restricted()
    target = version("faces")
    plan = {
        "spaces": listed(forget_set(case.pk)),
        "affected": [
            {
                "version": str(target.pk),
                "name": str(target),
                "influence": "DIRECT",
                "forget_count": 2,
                "path": [{"source": "photos@0", "role": "TRAINING", "influence": "DIRECT"}],
            }
        ],
        "not_affected": [str(version("weather").pk)],
        "unknown": [],
    }
    run = case_runs.PlannedRun(
        version=target,
        space=space,
        forget=FORGET,
        method="scrub",
        hyperparameters={},
        seed=1,
        waiting=waiting,
    )
    ErasureRequest.objects.filter(pk=case.pk).update(policy=POLICY.as_dict())
    planning.keep_plan(case_id=case.pk, plan=plan, runs=[run], now=timezone.now())
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING")
    case.refresh_from_db()
    return case, case.runs.get()


def judged(*findings: verdicts.Finding):
    """A case whose run is over, with the findings about it."""
    case, run = planned()
    runs.start_run(run_id=run.pk)
    runs.finish_run(
        run_id=run.pk,
        unlearned=version("faces", 2),
        guarantee="APPROXIMATE",
        report={},
        seconds=1.5,
        now=timezone.now(),
    )
    evidence.fix_audit(run_id=run.pk, now=timezone.now())
    verdicts.conclude(run_id=run.pk, findings=findings, now=timezone.now())
    return case, run


def u_lira():
    estimate = {
        "estimate": 0.0123,
        "lower": 0.0,
        "upper": 0.0891,
        "method": "Welch t over models",
        "unit": "model",
        "n_in": 16,
        "n_out": 16,
        "model_based_upper": None,
    }
    levels = dict.fromkeys(("record_average", "subject", "worst_record"), estimate)
    payload = {
        "kept": World(models=16, records=2).kept(1).as_dict(),
        "contrasts": {"before": levels, "leak": levels},
        "alpha": 0.0167,
        "instance_p": None,
        "utility": None,
        "records_without_signal": [1],
        "strength": {"p": 0.004, "log_e": None},
        "policy_digest": "ab" * 32,
        "design_digest": "cd" * 32,
    }
    plot = store_artefact(kind=Artefact.Kind.PLOT, data=b"<svg/>", now=timezone.now())
    return verdicts.Finding(
        kind="U_LIRA",
        look=0,
        models_per_arm=16,
        payload=payload,
        plot=plot,
        outcome="PASS_LEAK",
        reasons=["Record average: at most 0.089."],
        final=True,
    )


def population(not_computed=""):
    interval = {"estimate": 0.51, "low": 0.44, "high": 0.58}
    numbers = {"auc": interval, "advantage": interval, "records": 32}
    payload = {
        "original": None if not_computed else numbers,
        "unlearned": None if not_computed else numbers,
        "not_computed": not_computed,
    }
    return verdicts.Finding(kind="POPULATION", look=0, models_per_arm=0, payload=payload)


def construction():
    checks = {"manifest_matches": True, "overlapping": [], "inexact": ["faces v1"], "smoke": None}
    return verdicts.Finding(
        kind="CONSTRUCTION",
        look=0,
        models_per_arm=0,
        payload={"checks": checks, "reasons": []},
        outcome="ERASED_BY_CONSTRUCTION",
        reasons=["Every ancestor was made exactly."],
        final=True,
    )


def failed(message="The store is full. Free some space, then retry."):
    case, _ = restricted()
    requests.fail_case(case_id=case.pk, code="STORE_FULL", message=message, now=timezone.now())
    return case


def with_duplicate():
    case, space = restricted()
    finding = DuplicateFinding.objects.create(
        request=case, space=space, forget_ordinal=0, other_ordinal=7, kind="NEAR", distance=0.03
    )
    return case, finding


def erased():
    """A sealed case with one cleared run."""
    case, _ = judged(u_lira())
    closing.mark_erased(case_id=case.pk, now=timezone.now())
    return sealed(case)


def no_data_found():
    return sealed(verified("nobody@example.org"))


def refused():
    case = _found_and_verified()
    refuse_now(case.pk, code="ART_17_3_E", now=timezone.now())
    return sealed(case)


def _found_and_verified():
    person()
    return verified()


def sealed(case):
    records.seal_case(case_id=case.pk, now=timezone.now())
    case.refresh_from_db()
    return case
