"""Sealed cases made by the real services: one in which nothing was found, one with everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from pyroaring import BitMap

from audits import keys
from audits.core.roc import roc
from audits.execution.plots import Curve, roc_svg
from audits.models import DuplicateFinding, ErasureRequest
from audits.services import case_runs, evidence, log, planning, records, requests, verdicts
from lineage.core import bitmaps
from lineage.models import (
    Artefact,
    DataRecord,
    ModelVersion,
    OrdinalSpace,
    Restriction,
    Run,
    SubjectIdentifier,
)
from lineage.services import subjects
from lineage.services.artefacts import store_artefact
from tests.audits.sealed_findings import POLICY, construction, kept, population, u_lira
from unlearning.models import UnlearningRun
from unlearning.services import runs

START = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
PERSON = "ozymandias@example.org"
FORGET = BitMap(range(40, 72))
S = ErasureRequest.Status


def use_folder(settings, folder):
    """Give the installation a folder, keys and a store of its own."""
    settings.KEYS = folder / "keys"
    settings.EXPUNGE_STORE = f"file://{folder / 'store'}"
    settings.EXPUNGE_JOURNAL = folder / "journal.jsonl"
    keys.create_signing_key()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def received(email=PERSON):
    """A confirmed request."""
    got = requests.receive_request(email=email, channel="FORM", now=at(0))
    return requests.confirm_request(token=got.confirm_token, now=at(12))


def sealed(request):
    records.seal_case(case_id=request.pk, now=at(3000))
    request.refresh_from_db()
    return request


def no_data_case():
    return sealed(received("nobody@example.org"))


def erased_case():
    """Three versions: cleared by an attack, retrained after an unclear look, destroyed."""
    return sealed(case_to_seal())


def case_to_seal():
    """The same case before its seal."""
    space = OrdinalSpace.objects.create(name=f"digits-{uuid4().hex[:6]}")
    _owned(space, PERSON)
    request = received(PERSON)
    versions = [_version(name) for name in ("digits-cnn", "ranker", "legacy")]
    _plan(request, space, versions)
    _cleared_by_attack(request, versions[0])
    _retrained(request, versions[1])
    _destroyed(request, versions[2])
    _erase(request, space)
    request.refresh_from_db()
    return request


def _owned(space: OrdinalSpace, email: str) -> None:
    """Store the records that the search finds and the erasure deletes."""
    owner = subjects.register_subject(identifiers={"EMAIL": email}, now=at(-1000))
    DataRecord.objects.bulk_create(
        DataRecord(space=space, ordinal=ordinal, subject=owner, generated_at=at(-1000))
        for ordinal in FORGET
    )


def _version(name: str, number: int = 1) -> ModelVersion:
    run = Run.objects.create(activity=Run.Activity.TRAIN, started_at=at(-900), seconds=41.5)
    version = ModelVersion.objects.create(
        model_name=f"{name}-{uuid4().hex[:4]}",
        version=number,
        generated_by=run,
        generated_at=at(-899),
    )
    _weights(version)
    return version


def _weights(version: ModelVersion) -> None:
    data = f"weights of {version}".encode()
    store_artefact(kind=Artefact.Kind.WEIGHTS, data=data, now=at(0), version=version)


def _plan(request, space, versions) -> None:
    rows = [_affected(version) for version in versions]
    rows[1]["path"] += [
        {"source": "features v3", "role": "PREPROCESSING", "influence": "INDIRECT"}
    ]
    plan = {
        "spaces": [
            {"space": str(space.public_id), "records": 32, "digest": bitmaps.digest(FORGET)}
        ],
        "affected": rows,
        "unknown": [str(uuid4())],
        "not_affected": [str(uuid4()), str(uuid4())],
    }
    ErasureRequest.objects.filter(pk=request.pk).update(
        status=S.RESTRICTED,
        ground="ART_17_1_B",
        accepted_at=at(60),
        outcome="ERASED",
        policy=POLICY.as_dict(),
    )
    request.refresh_from_db()
    logged(request, "request_accepted", 60, actor=_staff(), ground="ART_17_1_B")
    DuplicateFinding.objects.create(
        request=request,
        space=space,
        forget_ordinal=41,
        other_ordinal=900,
        kind="NEAR",
        distance=0.0312,
        decision="KEEP",
    )
    digest = POLICY.digest()
    Restriction.objects.create(
        space=space, case_id=request.pk, bitmap=bitmaps.encode(FORGET), started_at=at(61)
    )
    logged(request, "records_restricted", 61, space=space.public_id, records=32, digest=digest)
    logged(request, "duplicates_searched", 62, exact=0, near=1, settings=digest)
    logged(request, "policy_fixed", 63, policy=digest)
    targets = [
        case_runs.PlannedRun(
            version=version,
            space=space,
            forget=FORGET,
            method="scrub",
            hyperparameters={"learning_rate": 0.002, "passes": 3},
            seed=7,
            waiting=False,
        )
        for version in versions
    ]
    planning.keep_plan(case_id=request.pk, plan=plan, runs=targets, now=at(64))


def _affected(version: ModelVersion) -> dict[str, Any]:
    return {
        "version": str(version.pk),
        "name": str(version),
        "direct": True,
        "influence": "DIRECT",
        "depth": 1,
        "forget_count": 32,
        "forget_digest": bitmaps.digest(FORGET),
        "path": [{"source": "digits snapshot 4", "role": "TRAINING", "influence": "DIRECT"}],
    }


def logged(request, kind: str, minute: float, /, *, actor=log.SYSTEM, **data: object) -> None:
    log.append(type=kind, case=request.pk, now=at(minute), actor=actor, data=data)


def _staff() -> str:
    return "staff:12345678-1234-4123-8123-123456789abc"


def _finished(run: UnlearningRun, guarantee: str, *, method: str = "scrub") -> UnlearningRun:
    result = _version(f"{run.target.model_name[:6]}-unlearned", 2) if method != "destroy" else None
    UnlearningRun.objects.filter(pk=run.pk).update(status="RUNNING", method=method)
    runs.finish_run(
        run_id=run.pk,
        unlearned=result,
        guarantee=guarantee,
        report={"edited": 10, "trained": 812, "parameters": 9_930, "read": ["retain", "forget"]},
        seconds=3.25,
        now=at(90),
    )
    run.refresh_from_db()
    return run


def _cleared_by_attack(request, version: ModelVersion) -> None:
    run = _finished(request.runs.get(target=version), "APPROXIMATE")
    logged(request, "erasure_view_opened", 91, run=run.pk, purpose="AUDIT", records=32)
    logged(request, "shadows_registered", 95, run=run.pk, count=256)
    found = [population(), u_lira(kept(seed=3), plot=_plot())]
    verdicts.conclude(run_id=run.pk, findings=found, now=at(120))


def _retrained(request, version: ModelVersion) -> None:
    run = _finished(request.runs.get(target=version), "APPROXIMATE")
    verdicts.conclude(run_id=run.pk, findings=[u_lira(kept(seed=5, leak=0.8))], now=at(130))
    again = evidence.escalate(run_id=run.pk, now=at(131))
    _finished(again, "EXACT", method="retrain")
    verdicts.conclude(run_id=again.pk, findings=[construction()], now=at(140))


def _destroyed(request, version: ModelVersion) -> None:
    run = _finished(request.runs.get(target=version), "EXACT", method="destroy")
    verdicts.conclude(run_id=run.pk, findings=[construction()], now=at(150))


def _plot() -> Artefact:
    rng = np.random.default_rng(0)
    member = np.arange(256) < 128
    curves = [
        Curve(label=label, roc=roc(rng.normal(0, 1, 256) + shift * member, member))
        for label, shift in (("before unlearning", 2.5), ("after unlearning", 0.1))
    ]
    data = roc_svg(curves, title="U-LiRA on the forget set")
    return store_artefact(kind=Artefact.Kind.PLOT, data=data, now=at(119))


def judged_run() -> UnlearningRun:
    """A run of no case, with one evidence and one verdict."""
    version = _version("alone")
    space = OrdinalSpace.objects.create(name=f"alone-{uuid4().hex[:6]}")
    run = runs.queue_run(
        target=version,
        space=space,
        forget=FORGET,
        method="retrain",
        hyperparameters={},
        seed=1,
        waiting=False,
        now=at(0),
    )
    verdicts.conclude(
        run_id=_finished(run, "EXACT", method="retrain").pk, findings=[construction()], now=at(9)
    )
    return run


def _erase(request, space) -> None:
    digest = "0f" * 32
    for number in range(2):
        logged(
            request,
            "artefact_destroyed",
            160,
            artefact=UUID(int=number),
            kind="WEIGHTS",
            digest=digest,
        )
    affected = ModelVersion.objects.filter(pk__in=request.runs.values("target"))
    affected.update(state=ModelVersion.State.DESTROYED)
    DataRecord.objects.filter(space=space).update(subject=None, invalidated_at=at(162))
    logged(request, "shadows_purged", 161, count=256, remaining=0)
    logged(request, "records_erased", 162, space=space.public_id, records=32, remaining=0)
    logged(request, "journal_written", 163, entry=UUID(int=9), digest=digest)
    SubjectIdentifier.objects.all().delete()
    logged(request, "subject_key_destroyed", 164, subject=UUID(int=8))
    logged(request, "letter_sent", 20, letter="CONFIRM", digest=digest)
    logged(request, "case_erased", 165)
    ErasureRequest.objects.filter(pk=request.pk).update(status=S.ERASED, erased_at=at(165))
