"""Where each case is, by two queries that are cheap enough to be asked ten times a second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.site import Site

PHASES = ("form", "decision", "plan", "unlearn", "audit", "erase", "answer")
_OF_STATUS = {
    "RECEIVED": "form",
    "VERIFIED": "decision",
    "ACCEPTED": "plan",
    "RESTRICTED": "plan",
    "PLANNED": "unlearn",
    "UNLEARNING": "unlearn",
    "AUDITING": "audit",
    "ERASED": "answer",
    "SEALED": "answer",
    "FAILED": "failed",
}
_CASES = """
SELECT c.id, c.reference, c.status, c.outcome, c.failure_code, c.email, c.accepted_at
FROM audits_erasurerequest c
"""
_JOBS = """
SELECT j.kind, j.status, j.attempt, j.phase, j.done, j.payload_id, r.erasurerequest_id
FROM lineage_job j LEFT JOIN audits_erasurerequest_runs r ON r.unlearningrun_id = j.payload_id
WHERE j.kind <> 'TRAIN' AND j.kind <> 'TILES' AND j.kind <> 'PREVIEW'
"""


@dataclass
class Case:
    """A case as the tables have it now."""

    id: str
    reference: str
    status: str
    outcome: str
    failure: str
    email: str
    accepted: bool
    jobs: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def phase(self) -> str:
        """Which of ``PHASES`` it is in; ``end`` when answered, ``failed`` when staff must look."""
        if self.status == "SEALED" and not self.email:
            return "end"
        if any(kind == "ERASE" and status != "SUCCEEDED" for kind, status, *_ in self.jobs):
            return "erase"
        return _OF_STATUS.get(self.status, self.status)

    @property
    def mark(self) -> str:
        """Something that changes whenever the case moves on."""
        return repr((self.status, self.accepted, bool(self.email), sorted(map(str, self.jobs))))


def cases(site: Site) -> dict[str, Case]:
    """Return every case by its number."""
    found = {}
    for number, reference, status, outcome, failure, email, accepted in site.rows(_CASES):
        key = plain(number)
        found[key] = Case(
            id=key,
            reference=reference,
            status=status,
            outcome=outcome,
            failure=failure,
            email=email,
            accepted=bool(accepted),
        )
    for *job, payload, of_run in site.rows(_JOBS):
        for key in {plain(payload), plain(of_run)} & found.keys():
            found[key].jobs.append(tuple(job))
    return found


def plain(number: object) -> str:
    """Return a UUID as SQLite keeps it, without dashes."""
    return str(number).replace("-", "")
