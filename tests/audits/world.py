"""A small world: sixty digits of eight people, versions trained on them, and a worker.

The worker does what the real ones do, in this process: it claims a queued job, lets ``run_job``
carry it out, and passes on that it ended. Reports are left out where nobody looks at them, as
setting a PDF takes longer than everything else together.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.core.verdict import Outcome
from audits.models import ErasureRequest, LogLeaf
from audits.queries import case_file
from audits.workflow import tasks
from lineage.models import Job, ModelVersion, Role
from lineage.queries.closure import affected
from lineage.queries.subjects import find_subject
from lineage.services import jobs
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.audits.bare_cases import (
    ADA,
    BERT,
    CLEO,
    CONSENT,
    DORA,
    NOW,
    accept_now,
    awaiting_audit,
    empty_version,
    member,
    officer,
    person,
    queued_run,
    refuse_now,
    reviewer,
    verified_case,
)
from unlearning.recipes.digits import digit_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audits.services.requests import Received
    from lineage.models import Dataset, DatasetSnapshot, DataSubject
    from unlearning.models import UnlearningRun

# What tests find here, too.
__all__ = ["ADA", "BERT", "CLEO", "CONSENT", "DORA", "NOW", "accept_now", "awaiting_audit"]
__all__ += ["empty_version", "member", "officer", "person", "queued_run", "refuse_now"]
__all__ += ["reviewer", "verified_case"]
STRANGERS = tuple(f"stranger{number}@example.org" for number in range(4))
# How many records each has; the strangers never train.
OWNED = {ADA: 6, BERT: 6, CLEO: 6, DORA: 6, **dict.fromkeys(STRANGERS, 9)}
MLP, TUNED = "unlearning.recipes.digits:DigitsMLP", "unlearning.recipes.digits:DigitsFineTune"
SMALL = {"hidden": 8, "epochs": 2, "targets": ["0", "1", "2"]}
LEASE = timedelta(seconds=60)
FAIL, PASS = Outcome.FAIL, Outcome.PASS_LEAK


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
        for one, count in OWNED.items():
            if one in people:
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
