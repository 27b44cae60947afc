"""A small world: sixty digits of eight people, versions trained on them, and a worker.

The worker does what the real ones do, in this process: it claims a queued job, lets ``run_job``
carry it out, and passes on that it ended. Reports are left out where nobody looks at them, as
setting a PDF takes longer than everything else together.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.core.assessment import Assessed, by_code
from audits.core.verdict import Outcome
from audits.models import ErasureRequest, LogLeaf
from audits.queries import case_file
from audits.services import deciding, requests
from audits.services.rights import give_role, make_roles
from audits.workflow import tasks
from lineage.models import DataRecord, Job, ModelVersion, OrdinalSpace, Role
from lineage.queries.closure import affected
from lineage.queries.subjects import find_subject
from lineage.services import jobs
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from lineage.services.subjects import register_subject
from unlearning.recipes.digits import digit_records
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audits.services.requests import Received
    from lineage.models import Dataset, DatasetSnapshot, DataSubject
    from unlearning.models import UnlearningRun

ADA, BERT, CLEO, DORA = (f"{name}@example.org" for name in ("ada", "bert", "cleo", "dora"))
STRANGERS = tuple(f"stranger{number}@example.org" for number in range(4))
# How many records each has; the strangers never train.
OWNED = {ADA: 6, BERT: 6, CLEO: 6, DORA: 6, **dict.fromkeys(STRANGERS, 9)}
MLP, TUNED = "unlearning.recipes.digits:DigitsMLP", "unlearning.recipes.digits:DigitsFineTune"
SMALL = {"hidden": 8, "epochs": 2, "targets": ["0", "1", "2"]}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=60)
FAIL, PASS = Outcome.FAIL, Outcome.PASS_LEAK
CONSENT = ErasureRequest.Ground.CONSENT_WITHDRAWN


@cache
def digits() -> list[tuple[bytes, str]]:
    """Digits that are a nought, a one or a two, no two alike; the first sixty are owned."""
    return list(islice((one for one in digit_records() if one[1] in "012"), 100))


@dataclass
class World:
    """A data set with people in it, and what is trained on it."""

    dataset: Dataset
    rung: list[tuple[str, ...]]
    commit: Callable[..., Any]
    done: list[str] = field(default_factory=list)

    # --- data and models ------------------------------------------------------------------

    def owned(self, *people: str) -> BitMap:
        """The ordinals of some people's records, which are in the order of ``OWNED``."""
        ordinals, first = BitMap(), 0
        for person, count in OWNED.items():
            if person in people:
                ordinals |= BitMap(range(first, first + count))
            first += count
        return ordinals

    def snapshot(self, *people: str) -> DatasetSnapshot:
        return self.take(self.owned(*people))

    def take(self, ordinals: BitMap) -> DatasetSnapshot:
        return take_snapshot(dataset=self.dataset, ordinals=ordinals, now=timezone.now())

    def train(
        self,
        name: str,
        snapshot: DatasetSnapshot,
        base: ModelVersion | None = None,
        **more: object,
    ) -> ModelVersion:
        """Train a version as the platform does, in a job of its own."""
        parameters = {
            "model_name": name,
            "recipe": TUNED if base else MLP,
            "recipe_parameters": SMALL,
            "snapshot": str(snapshot.pk),
            "base": str(base.pk) if base else None,
            "seed": 3,
        }
        with self.commit(execute=True):
            job = workflow.train(
                key=f"train:{uuid.uuid4()}",
                payload_id=uuid.uuid4(),
                parameters={**parameters, **more},
            )
        self.run(job)
        return ModelVersion.objects.filter(model_name=name).latest("version")

    def bare(
        self,
        name: str,
        snapshot: DatasetSnapshot,
        *,
        base: ModelVersion | None = None,
        capture: str = "SNAPSHOT",
        **result: object,
    ) -> ModelVersion:
        """A version that was trained elsewhere and captured without a recipe."""
        inputs = [Input(source=snapshot)]
        inputs += [Input(source=base, role=Role.BASE_MODEL)] if base else []
        plan = RunPlan(activity="TRAIN", inputs=tuple(inputs), capture_level=capture)
        written: dict[str, Any] = {"weights": f"weights of {uuid.uuid4()}".encode(), **result}
        return finish_run(
            run=begin_run(plan=plan, now=timezone.now()),
            result=RunResult(model_name=name, **written),
            now=timezone.now(),
        )

    # --- the worker -----------------------------------------------------------------------

    def run(self, job: Job) -> Job:
        """Do one job as a worker and its child would."""
        claimed = jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE)
        self.done.append(claimed.key)
        call_command("run_job", str(claimed.pk))
        claimed.refresh_from_db()
        if claimed.then:
            with self.commit(execute=True):
                tasks.job_ended(str(claimed.pk))
        return claimed

    def work(self, *, until: Callable[[], object] = lambda: False) -> None:
        """Do queued jobs, oldest first, until none is left or ``until`` says so."""
        for _ in range(100):
            job = Job.objects.filter(status="QUEUED").order_by("created_at").first()
            if job is None or until():
                return
            self.run(job)
        raise AssertionError("there is no end to the work")

    # --- people ---------------------------------------------------------------------------

    def submit(self, email: str = ADA) -> Received:
        with self.commit(execute=True):
            return workflow.submit(email=email)

    def ask(self, email: str = ADA) -> ErasureRequest:
        """Send the form and follow the link of the letter."""
        received = self.submit(email)
        with self.commit(execute=True):
            return self.current(workflow.confirm(token=received.confirm_token))

    def accept(self, case: ErasureRequest) -> ErasureRequest:
        """Have one officer propose to accept, and another approve it."""
        decision = self.do(workflow.accept, case_id=case.pk, ground=CONSENT, user=officer())
        self.do(workflow.approve_decision, decision=decision, user=reviewer())
        return self.wake(case)

    def refuse(self, case: ErasureRequest, code: str) -> ErasureRequest:
        """Have one officer propose to refuse, and another approve it."""
        decision = self.do(workflow.refuse, case_id=case.pk, code=code, user=officer())
        self.do(workflow.approve_decision, decision=decision, user=reviewer())
        return self.wake(case)

    def accepted(self, email: str = ADA) -> ErasureRequest:
        """A case that staff have accepted, with its first job queued."""
        return self.accept(self.wake(self.ask(email)))

    def erased(self, email: str = ADA) -> ErasureRequest:
        """A case that went as far as it goes without anybody's decision."""
        return self.finish(self.accepted(email))

    def finish(self, case: ErasureRequest) -> ErasureRequest:
        self.work()
        return self.current(case)

    def wake(self, case: ErasureRequest) -> ErasureRequest:
        """Deliver what the doorbell said about a case."""
        with self.commit(execute=True):
            tasks.advance_case(str(case.pk))
        return self.current(case)

    def do(self, action: Callable[..., object], **arguments: object) -> object:
        with self.commit(execute=True):
            return action(**arguments)

    def current(self, case: ErasureRequest) -> ErasureRequest:
        return ErasureRequest.objects.get(pk=case.pk)

    def touched(self, ordinals: BitMap) -> list[ModelVersion]:
        """The versions, shadows included, that some records act on."""
        found = affected(self.dataset.space, ordinals, include_shadows=True)
        return [one.version for one in found.versions]


def build(rung: list[tuple[str, ...]], commit: Callable[..., Any]) -> World:
    """Import the digits; nothing is trained yet."""
    owners = [person for person, count in OWNED.items() for _ in range(count)]
    dataset = imported("digits", list(zip(owners, digits(), strict=False)))
    return World(dataset=dataset, rung=rung, commit=commit)


def imported(name: str, records: list[tuple[str, tuple[bytes, str]]]) -> Dataset:
    """Import (owner, digit) pairs into a data set."""
    rows = [
        Row(
            line=place + 2,
            key=str(uuid.uuid4()),
            subject=owner,
            content=content,
            target=target,
            media_type="image/png",
        )
        for place, (owner, (content, target)) in enumerate(records)
    ]
    report = import_records(dataset_name=name, rows=rows, now=timezone.now())
    assert report.imported == len(rows)
    return ensure_dataset(name=name)


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


def subject_of(email: str) -> DataSubject | None:
    return find_subject("EMAIL", email)


def events(case: ErasureRequest) -> list[str]:
    """The types of a case's events, in the order of the log."""
    leaves = LogLeaf.objects.filter(case_id=case.pk).order_by("index")
    return list(leaves.values_list("type", flat=True))


def logged(case: ErasureRequest, kind: str) -> list[dict[str, Any]]:
    return [dict(one.event.data) for one in case_file.case_events(case) if one.event.type == kind]


def runs(case: ErasureRequest) -> list[UnlearningRun]:
    return case_file.ordered_runs(case)


def told(runs: Iterable[UnlearningRun]) -> list[tuple[str, str, str]]:
    """What became of each run: version, method, status."""
    return [(str(run.target), run.method, run.status) for run in runs]


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
