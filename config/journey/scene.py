"""The installation in which the journey happens: its people, its models, and who works there."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User

from audits.models import ErasureRequest, LogLeaf
from audits.services.rights import give_role
from config.demo import models
from config.demo.visitor import Visitor
from config.journey.pages import Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.journey.mail import Mailbox
    from lineage.models import Job

S = ErasureRequest.Status
REFERENCE = r"ER-[2-9A-Z]{4}-[2-9A-Z]{4}"
LONGEST_SECONDS = 400  # on a machine that is busy with other things
STAFF = {
    "officer": ("Intake", "Case officer"),
    "reviewer": ("Reviewer",),
    "operator": ("Case officer", "Model operator"),
    "keeper": ("Administrator",),
}


class NotArrived(Exception):
    """Something did not happen; the sentence says what was waited for."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A running site, the letters that it sends, and a desk for each member of staff."""

    site: str
    mailbox: Mailbox
    check: Callable[[], None]
    desks: dict[str, Desk]

    def person(self, number: int) -> str:
        """Return the address of one of the made-up people."""
        return f"person{number:03d}@example.org"

    def send_form(self, email: str) -> ErasureRequest:
        """Send the public form and return the case, which nobody has confirmed yet."""
        known = len(self.mailbox.letters)
        Visitor(self.site).ask(email)
        self.until(lambda: len(self.mailbox.letters) > known, "the letter with the link")
        reference = re.search(REFERENCE, self.mailbox.letters[-1][1])
        if reference is None:
            raise NotArrived("The letter with the link names no reference.")
        return ErasureRequest.objects.get(reference=reference.group(0))

    def asked(self, email: str) -> ErasureRequest:
        """Send the public form, press the button behind the link, and return the case."""
        case = self.send_form(email)
        link = self.mailbox.find(email, r"http\S+/erasure/confirm/\S+/")
        Visitor(self.site).confirm(link)
        return self.reaches(case, S.VERIFIED)

    def propose(self, case: ErasureRequest) -> None:
        """Let the officer propose to accept a case on its page."""
        found = {
            "ground-0-code": "ART_17_1_B",
            "ground-0-purpose": "Training of models",
            "ground-0-assessment": "Consent was the only basis, and it is withdrawn.",
            "ground-0-other_ground": "No other ground.",
        }
        self.desks["officer"].post(f"/cases/{case.pk}/accept/", found)

    def approve(self, case: ErasureRequest) -> None:
        """Let the reviewer approve what is proposed about a case."""
        decision = case.decisions.get(state="PROPOSED")
        self.desks["reviewer"].post(f"/cases/{case.pk}/decisions/{decision.pk}/approve/", {})

    def accepted(self, email: str) -> ErasureRequest:
        """Return a case that was asked for, proposed and approved."""
        case = self.asked(email)
        self.propose(case)
        self.approve(case)
        return case

    def refused(self, email: str) -> ErasureRequest:
        """Return a case that was refused and answered."""
        case = self.asked(email)
        said = {"code": "ART_17_3_E", "assessment": "A claim for damages is before the court."}
        self.desks["officer"].post(f"/cases/{case.pk}/refuse/", said)
        self.approve(case)
        return self.reaches(case, S.SEALED)

    def reaches(self, case: ErasureRequest, *statuses: str) -> ErasureRequest:
        """Wait until a case is in one of the states, and return it."""
        self.until(
            lambda: _now(case).status in statuses,
            f"{case.reference} to become {' or '.join(statuses)}",
        )
        return _now(case)

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait for something. Raises NotArrived when it takes too long."""
        end = time.monotonic() + LONGEST_SECONDS
        while not done():
            self.check()
            if time.monotonic() > end:
                raise NotArrived(f"Waited {LONGEST_SECONDS} s for {what}.")
            time.sleep(0.3)


def _now(case: ErasureRequest) -> ErasureRequest:
    return ErasureRequest.objects.get(pk=case.pk)


def events_of(case: ErasureRequest, *types: str) -> list[int]:
    """Return the places in the log of a case's events of these types, in their order."""
    found = LogLeaf.objects.filter(case_id=case.pk, type__in=types).order_by("index")
    return list(found.values_list("index", flat=True))


def hire(site: str) -> dict[str, Desk]:
    """Make the members of staff, with their roles, and sign each in."""
    desks = {}
    for name, roles in STAFF.items():
        password = secrets.token_urlsafe(18)
        user = User.objects.create_user(name, password=password, is_staff=True)
        for role in roles:
            give_role(user=user, role=role)
        desks[name] = Desk(site, name=name, password=password)
    return desks


def learn(folder: Path) -> Job:
    """Import the made-up people's digits and ask for one model of all who train."""
    dataset = models.import_digits(folder)
    return models.train_everybody(dataset)


def name_of_place() -> str:
    """Return a short name that no other place has."""
    return f"place-{uuid.uuid4().hex[:8]}"


def files() -> Path:
    """Return the folder of the installation in which a scenario may keep files."""
    folder: Path = settings.VAR / "elsewhere"
    folder.mkdir(exist_ok=True)
    return folder
