"""People and cases without contents or trainings, for tests of what is decided and counted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from pyroaring import BitMap

from audits.core.assessment import Assessed, by_code
from audits.models import ErasureRequest
from audits.services import deciding, requests
from audits.services.rights import give_role, make_roles
from lineage.models import DataRecord, OrdinalSpace
from lineage.services.runs import RunPlan, RunResult, begin_run, finish_run
from lineage.services.subjects import register_subject
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from lineage.models import DataSubject, ModelVersion
    from unlearning.models import UnlearningRun

ADA, BERT, CLEO, DORA = (f"{name}@example.org" for name in ("ada", "bert", "cleo", "dora"))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CONSENT = ErasureRequest.Ground.CONSENT_WITHDRAWN


def person(email: str, *, records: int) -> DataSubject:
    """Somebody with records in a space of their own, where no content matters."""
    space = OrdinalSpace.objects.create(name=str(uuid.uuid4()), next_ordinal=records)
    subject = register_subject(identifiers={"EMAIL": email}, now=NOW)
    DataRecord.objects.bulk_create(
        DataRecord(space=space, ordinal=ordinal, subject=subject, generated_at=NOW)
        for ordinal in range(records)
    )
    return subject


def verified_case(email: str = ADA, *, records: int = 2) -> ErasureRequest:
    """The confirmed case of somebody with a few records, without models or contents."""
    person(email, records=records)
    received = requests.receive_request(email=email, channel="FORM", now=NOW)
    return requests.confirm_request(token=received.confirm_token, now=NOW)


def empty_version(name: str) -> ModelVersion:
    """A version of which nothing is stored."""
    run = begin_run(plan=RunPlan(activity="TRAIN"), now=NOW)
    return finish_run(run=run, result=RunResult(model_name=name, weights=b""), now=NOW)


def queued_run(case: ErasureRequest, **fields: object) -> UnlearningRun:
    """A run of a case on a version of which nothing is stored."""
    space = OrdinalSpace.objects.get(records__subject=case.subject, records__ordinal=0)
    given: dict[str, Any] = {
        "target": fields.pop("target", None) or empty_version("base"),
        "space": space,
        "forget": BitMap([0, 1]),
        "method": "finetune",
        "hyperparameters": {},
        "seed": 1,
        "waiting": False,
        "now": NOW,
    }
    run = unlearning_runs.queue_run(**given | fields)
    case.runs.add(run)
    return run


def awaiting_audit(case: ErasureRequest) -> UnlearningRun:
    """A run that ended approximately."""
    run = queued_run(case)
    unlearning_runs.start_run(run_id=run.pk)
    unlearning_runs.finish_run(
        run_id=run.pk,
        unlearned=empty_version("base"),
        guarantee="APPROXIMATE",
        report={},
        seconds=1.5,
        now=NOW,
    )
    run.refresh_from_db()
    return run


def officer() -> User:
    """Somebody who handles cases and decides about models; they approve nothing."""
    return member("officer", "Case officer", "Model operator")


def reviewer() -> User:
    return member("reviewer", "Reviewer")


def member(name: str, *roles: str) -> User:
    """A member of staff with roles, always the same one by this name."""
    user, made = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if made or not user.groups.exists():
        make_roles()
        for role in roles:
            give_role(user=user, role=role)
    return User.objects.get(pk=user.pk)  # permissions are cached on the object


def accept_now(case_id: uuid.UUID, *, ground: str = CONSENT, now: datetime = NOW) -> None:
    """Propose and approve, by two people, without waking anybody."""
    proposed = deciding.accept_request(
        case_id=case_id, assessed=by_code(ground), user=officer(), now=now
    )
    deciding.approve_decision(decision_id=proposed.pk, user=reviewer(), now=now)


def refuse_now(case_id: uuid.UUID, *, code: str, now: datetime = NOW) -> None:
    """Propose a refusal and approve it, by two people, without waking anybody."""
    proposed = deciding.refuse_request(
        case_id=case_id, code=code, assessed=Assessed(), user=officer(), now=now
    )
    deciding.approve_decision(decision_id=proposed.pk, user=reviewer(), now=now)
