"""The journey itself: data, training, request, confirmation, decision, wait for the seal."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from audits import workflow
from audits.core.assessment import Assessed, Ground
from audits.models import ErasureRequest
from audits.queries import cases, reports
from audits.queries.identity import of_address
from audits.services.rights import give_role, make_roles
from config.demo import models
from config.demo.visitor import Visitor, confirmation_link
from lineage.models import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from django.contrib.auth.models import User

S = ErasureRequest.Status
# Whoever proposes to erase does not approve it.
OFFICER = ("demo-officer", "Case officer")
REVIEWER = ("demo-reviewer", "Reviewer")
FOUND = Ground(
    code=ErasureRequest.Ground.CONSENT_WITHDRAWN,
    purpose="Training of the digit models",
    assessment="The made-up person withdrew their consent with this request.",
    other_ground="None: the made-up digits were used on consent alone.",
)


class DemoStopped(Exception):
    """The demo cannot go on; the sentence says why and what to do."""


class Journey:
    """One person's way through a running site."""

    def __init__(
        self, *, email: str, site: str, say: Callable[[str], None], check: Callable[[], None]
    ) -> None:
        self._email = email
        self._site = site
        self._say = say
        self._check = check

    def run(self, folder: Path) -> ErasureRequest:
        """Go all the way and return the sealed case.

        Raises:
            DemoStopped: a job failed or the case needs a person.
        """
        request = known_case(self._email)
        if request is None:
            dataset = models.import_digits(folder)
            self._say(f"Imported {dataset.space.next_ordinal} digits of 100 made-up people")
            self._wait_for(models.base_jobs(dataset))
            self._wait_for([models.child_job(dataset)])
            request = self._request()
        self._follow(request)
        return ErasureRequest.objects.get(pk=request.pk)

    def _request(self) -> ErasureRequest:
        began, now = time.time() - 1, timezone.now()
        visitor = Visitor(self._site)
        visitor.ask(self._email)
        self._say("Erasure form sent; reading the confirmation letter")
        visitor.confirm(
            confirmation_link(settings.EMAIL_FILE_PATH, since=began, email=self._email)
        )
        request = ErasureRequest.objects.filter(
            pk__in=of_address(self._email), received_at__gte=now, status=S.VERIFIED
        ).latest("received_at")
        _remember(self._email, request)
        self._say(f"{request.reference}: e-mail address confirmed")
        if not request.outcome:
            decision = workflow.accept(
                case_id=request.pk,
                ground=FOUND.code,
                user=_member(*OFFICER),
                assessed=Assessed(grounds=(FOUND,)),
            )
            self._say(f"{request.reference}: {OFFICER[0]} proposes to accept (consent withdrawn)")
            if decision.state == decision.State.PROPOSED:
                workflow.approve_decision(decision=decision, user=_member(*REVIEWER))
                self._say(f"{request.reference}: approved by {REVIEWER[0]}")
        return request

    def _wait_for(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._until(lambda job=job: self._job_done(job))  # type: ignore[misc]  # bound now
            name = job.parameters["model_name"]
            self._say(f"Trained {name}")

    def _job_done(self, job: Job) -> bool:
        job.refresh_from_db()
        if job.status == Job.Status.FAILED:
            raise DemoStopped(f"Training failed: {job.error} ({job.error_code})")
        return job.status == Job.Status.SUCCEEDED

    def _follow(self, request: ErasureRequest) -> None:
        told: list[str] = []

        def arrived() -> bool:
            case = ErasureRequest.objects.get(pk=request.pk)
            line = _where(case)
            if line not in told[-1:]:
                told.append(line)
                self._say(line)
            if case.status == S.FAILED:
                raise DemoStopped(f"{case.reference} needs attention: {case.failure}")
            if case.status == S.RESTRICTED and case.duplicates.filter(decision="").exists():
                raise DemoStopped(
                    f"{case.reference} waits: duplicates of the person's records were found. "
                    "Start the site (make serve) and decide about them on the case page."
                )
            return case.status == S.SEALED and bool(reports.report_files(case))

        self._until(arrived)

    def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._check()
            time.sleep(0.5)


def _where(case: ErasureRequest) -> str:
    job = cases.jobs_of(case).filter(status=Job.Status.RUNNING).order_by("-started_at").first()
    doing = f": {job.phase}" if job and job.phase else ""
    progress = f" ({job.done}/{job.total})" if job and job.phase and job.total else ""
    return f"{case.reference}: {case.get_status_display()}{doing}{progress}"


def _member(name: str, role: str) -> User:
    """Return a member of staff with a role, who cannot sign in."""
    user, created = get_user_model().objects.get_or_create(
        username=name, defaults={"is_staff": True}
    )
    if created:
        user.set_unusable_password()
        user.save()
    make_roles()
    give_role(user=user, role=role)
    return user


def _file() -> Path:
    path: Path = settings.VAR / "demo.json"
    return path


def known_case(email: str) -> ErasureRequest | None:
    """Return the case that an earlier run of the demo opened for this person."""
    if not _file().exists():
        return None
    case_id = json.loads(_file().read_text()).get(_name(email))
    return ErasureRequest.objects.filter(pk=case_id).first() if case_id else None


def _name(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


def _remember(email: str, request: ErasureRequest) -> None:
    # Made-up people only: after an erasure the database no longer knows whose case it was.
    known = json.loads(_file().read_text()) if _file().exists() else {}
    _file().write_text(json.dumps({**known, _name(email): str(request.pk)}))
