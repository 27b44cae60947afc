"""People who ask after one another, each through the real pages, whatever breaks meanwhile.

They do what people do: a page that does not load is loaded again, a form whose answer is lost is
looked after in the inbox before it is sent again.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING

from config.demo.visitor import Visitor, hidden_fields
from tests.faults import looking, profile
from tests.functional.browser import GROUND

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tests.faults.site import Site

TROUBLE = (OSError, HTTPException, LookupError)
LETTER = 10  # seconds until somebody without an answer sends the form again
PATIENCE = 720  # seconds; a letter whose writer died waits five minutes for another


class Stopped(Exception):
    """The campaign is over."""


@dataclass
class Told:
    """One person's case: when it began and ended, and how."""

    email: str
    began: float
    reference: str = ""
    case: str = ""
    ended: float = 0.0
    end: str = ""
    asked: int = 0


@dataclass
class Lane:
    """One person after another, in a thread of its own."""

    site: Site
    number: int
    stop: threading.Event
    last: threading.Event  # nobody begins after it
    done: list[Told] = field(default_factory=list)
    now: Told | None = None
    busy: bool = True
    trouble: str = ""
    people: int = profile.PEOPLE
    retried: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Go on until the people or the campaign is at an end."""
        try:
            for number in range(self.people):
                if self.last.is_set():
                    break
                told = Told(email=profile.person(self.number, number), began=time.monotonic())
                self.now = told
                self._one(told)
                self.done.append(told)
                self.now = None
        except Stopped:
            self.now = None
        except Exception as error:  # noqa: BLE001  (told by whoever waits for the lane)
            self.trouble = f"lane {self.number}, {self.now}: {type(error).__name__}: {error}"
        self.busy = False

    def _one(self, told: Told) -> None:
        self._ask(told)
        letter = self._letter(told)
        assert letter
        told.reference = letter[0]
        known = {case.reference: case.id for case in looking.cases(self.site).values()}
        told.case = known[told.reference]
        self._must(lambda: self._confirm(told), what="confirmation")
        self._must(lambda: self._decide(told), what="decision")
        self._wait(told)

    def _ask(self, told: Told) -> None:
        """Send the form; where the answer is lost and no letter comes, send it again."""
        told.asked += 1
        try:
            Visitor(self.site.site).ask(told.email)
            thanked = True
        except TROUBLE:
            thanked = False
        patience = PATIENCE if thanked else LETTER
        if self._patiently(lambda: bool(self._letter(told)), seconds=patience):
            return
        # Nobody is thanked for a request that is then forgotten.
        assert not thanked, f"{told.email} was thanked, and got no letter for {PATIENCE} s"
        self._ask(told)

    def _letter(self, told: Told) -> tuple[str, str] | None:
        """Return reference and link of the first letter that asks to confirm."""
        for mail in self.site.texts(told.email):
            reference = re.search(r"ER-\w{4}-\w{4}", mail)
            link = re.search(r"http\S+/erasure/confirm/\S+/", mail)
            if reference and link:
                return reference.group(0), link.group(0)
        return None

    def _confirm(self, told: Told) -> bool:
        letter = self._letter(told)
        if letter and self._own(told).status == "RECEIVED":
            Visitor(self.site.site).confirm(letter[1])
        return self._own(told).status != "RECEIVED"

    def _decide(self, told: Told) -> bool:
        case = self._own(told)
        if case.accepted or case.outcome:
            return True
        officer = _Staff(self.site.site, "fault-officer")
        path = f"/cases/{uuid.UUID(case.id)}/"
        if "/accept/" in officer.get(path):
            officer.post(f"{path}accept/", GROUND)
        reviewer = _Staff(self.site.site, "fault-reviewer")
        for approve in set(re.findall(r'href="(/cases/[^"]+/approve/)"', reviewer.get(path))):
            reviewer.post(approve, {})
        return self._own(told).accepted

    def _wait(self, told: Told) -> None:
        def ended() -> bool:
            case = self._own(told)
            if case.phase == "failed":
                self._retry(case)
            return case.phase == "end"

        mark = ""
        while not self._patiently(ended, seconds=PATIENCE):
            before, mark = mark, self._own(told).mark
            assert mark != before, f"nothing happened to {told.reference} for {PATIENCE} s"
        told.ended, told.end = time.monotonic(), self._own(told).outcome

    def _retry(self, case: looking.Case) -> None:
        """Do what staff do about a case that failed: press the button, and be counted."""
        officer = _Staff(self.site.site, "fault-officer")
        path = f"/cases/{uuid.UUID(case.id)}/"
        for retry in set(re.findall(r'action="(/cases/[^"]+/retry/)"', officer.get(path))):
            officer.post(path, {}, to=retry)
            self.retried.append(case.failure)

    def _own(self, told: Told) -> looking.Case:
        return looking.cases(self.site)[told.case]

    def _must(self, step: Callable[[], bool], *, what: str) -> None:
        if not self._patiently(step, seconds=PATIENCE):
            raise AssertionError(f"waited {PATIENCE} s for the {what}")

    def _patiently(self, step: Callable[[], bool], *, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.stop.is_set():
                raise Stopped
            with contextlib.suppress(*TROUBLE):
                if step():
                    return True
            self.stop.wait(0.25)
        return False


class _Staff(Visitor):
    """A member of staff who signs in, at each visit anew."""

    def __init__(self, site: str, name: str) -> None:
        super().__init__(site)
        page = self._get("/accounts/login/?next=/cases/")
        fields = {**hidden_fields(page), "username": name, "password": profile.PASSWORD}
        self._post("/accounts/login/?next=/cases/", fields)

    def get(self, path: str) -> str:
        return self._get(path)

    def post(self, path: str, fields: dict[str, str], *, to: str = "") -> str:
        return self._post(to or path, {**hidden_fields(self._get(path)), **fields})
