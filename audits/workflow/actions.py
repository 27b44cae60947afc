"""What people do: each action is one call to a service and one ring of the doorbell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.queries import cases
from audits.services import cancelling, decisions, duplicates, four_eyes, releases, requests
from audits.services.rights import require
from audits.workflow import doorbell, letter_actions
from audits.workflow.intake_actions import LetterNotSent, send_links
from audits.workflow.refused import logged
from lineage.core import spans
from lineage.models import Job, ModelVersion
from lineage.services import jobs
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.contrib.auth.models import User

    from unlearning.models import Tuning


def submit(
    *,
    email: str,
    channel: str = "FORM",
    kind: str = ErasureRequest.Kind.ERASURE,
    locale: str = "en",
    marketing: bool = False,
    told: requests.Told | None = None,
) -> requests.Received:
    """Receive a request and send the person the link that confirms it.

    ``marketing`` says that an objection is to direct marketing.

    Raises:
        ValueError: the kind is not one that a person asks for.
        LetterNotSent: the request is kept, but unconfirmed; the person should try again.
    """
    wish = requests.Wish(kind=kind, locale=locale, marketing=marketing)
    received = requests.receive_request(
        email=email, channel=channel, now=timezone.now(), wish=wish, told=told
    )
    with spans.of_case(received.request.pk, "action submit", action="submit"):
        if not send_links(received):
            raise LetterNotSent
    return received


def confirm(*, token: str) -> ErasureRequest:
    """Use a confirmation link and acknowledge the request. Raises ``LinkNotUsable``."""
    request = requests.confirm_request(token=token, now=timezone.now())
    letter_actions.acknowledge(request)
    doorbell.wake(request.pk)
    return request


@logged
def withdraw(*, case_id: UUID) -> None:
    """Close a case that the person takes back."""
    requests.withdraw_request(case_id=case_id, now=timezone.now())
    doorbell.wake(case_id)


@logged
def decide_duplicate(*, finding_id: UUID, decision: str, user: User) -> None:
    """Keep a duplicate or erase it with the case."""
    now = timezone.now()
    duplicates.decide_duplicate(finding_id=finding_id, decision=decision, user=user, now=now)
    doorbell.wake(duplicates.case_of_finding(finding_id))


@logged
def decide_duplicates(
    *, case_id: UUID, findings: Iterable[UUID], decision: str, user: User
) -> int:
    """Decide about several duplicates of a case; return about how many."""
    count = duplicates.decide_duplicates(
        case_id=case_id, findings=findings, decision=decision, user=user, now=timezone.now()
    )
    doorbell.wake(case_id)
    return count


@logged
def destroy_version(*, run_id: UUID, user: User) -> None:
    """Destroy a version that cannot be trained again."""
    with transaction.atomic():
        decisions.decide_destroy(run_id=run_id, user=user, now=timezone.now())
        for job in Job.objects.filter(payload_id=run_id, kind="UNLEARN"):
            jobs.retry_job(job_id=job.pk)  # where it had failed; it has something else to do now
    _wake_cases_of(run_id)


@logged
def use_outside_version(*, run_id: UUID, version_id: UUID, user: User) -> None:
    """Replace a version by one that was retrained outside, without the forget set."""
    require(user, Right.OPERATE)
    version = ModelVersion.objects.get(pk=version_id)
    decisions.decide_outside(run_id=run_id, replacement=version, user=user, now=timezone.now())
    _wake_cases_of(run_id)


@logged
def take_over(*, run_id: UUID, user: User) -> None:
    """Decide about a version at which a case stopped, instead of trying it again."""
    if decisions.take_over(run_id=run_id, user=user, now=timezone.now()):
        _wake_cases_of(run_id)


@logged
def release_held(*, run_id: UUID, user: User) -> None:
    """Show a version that the release gate holds."""
    releases.release_held(run_id=run_id, user=user, now=timezone.now())


@logged
def retry(*, case_id: UUID, user: User) -> None:
    """Try a failed case again from where it stopped; a case that is not failed stays as it is."""
    with transaction.atomic():
        if not requests.resume_case(case_id=case_id, user=user, now=timezone.now()):
            return
        for job in cases.stopped_jobs(ErasureRequest.objects.get(pk=case_id)):
            jobs.retry_job(job_id=job.pk)
            unlearning_runs.requeue_run(run_id=job.payload_id)
    doorbell.wake(case_id)


@logged
def cancel_job(*, case_id: UUID, job_id: UUID, user: User) -> None:
    """Stop a job that a case waits for; retrying the case does it again."""
    cancelling.cancel_job(case_id=case_id, job_id=job_id, user=user, now=timezone.now())
    doorbell.wake(case_id)  # one that was at work rings by itself once it has stopped


@logged
def export(*, case_id: UUID, user: User) -> None:
    """Write the report of a sealed case, again if its first try failed.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
    """
    require(user, Right.HANDLE)
    request = ErasureRequest.objects.get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="EXPORT")
    job = doorbell.report_job(request, timezone.now())
    if jobs.retry_job(job_id=job.pk):
        doorbell.ring(job)


def train(*, key: str, payload_id: UUID, parameters: dict[str, Any]) -> Job:
    """Train a model version from a recipe on a captured snapshot."""
    now = timezone.now()
    job = jobs.create_job(
        key=key,
        kind="TRAIN",
        queue=doorbell.queue_of("TRAIN", "heavy"),
        payload_id=payload_id,
        parameters=parameters,
        now=now,
    )
    doorbell.ring(job)
    return job


def tune(*, tuning: Tuning, jobs_at_once: int) -> list[Job]:
    """Search the hyperparameters of a method, in so many jobs that share the trials."""
    now = timezone.now()
    shares = []
    for share in range(jobs_at_once):
        job = jobs.create_job(
            key=f"tune:{tuning.pk}:{share}",
            kind="TUNE",
            queue=doorbell.queue_of("TUNE", "heavy"),
            payload_id=tuning.pk,
            parameters={"share": share},
            now=now,
        )
        doorbell.ring(job)
        shares.append(job)
    return shares


def _wake_cases_of(run_id: UUID) -> None:
    for request in cases.cases_of_run(run_id):
        doorbell.wake(request.pk)
