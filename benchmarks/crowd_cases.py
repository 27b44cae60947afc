"""Very many cases in every state, with what belongs to each. Import it once Django is set up.

Rows are collected and written in bulk; no service is asked, as ten thousand cases would take it an
hour. Due dates come from the legal clock itself.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from audits.core.commitment import commit
from audits.models import (
    Decision,
    ErasureRequest,
    GroundFinding,
    Intake,
    OperatorCase,
)
from audits.models.case_secrets import key_name
from audits.queries.clocks import today
from audits.services.clocks import clock_from, due_of
from audits.services.references import new_reference, token_digest
from benchmarks.crowd_rows import (
    Rows,
    add_duplicates,
    add_erasure,
    add_letter,
    add_restriction,
)
from lineage import keys

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.contrib.auth.models import User

    from audits.core.deadline import Derivation
    from benchmarks.crowd_lineage import Person

# Status, outcome, share of all cases. The rest of what a case has follows from these.
MIX = (
    ("SEALED", "ERASED", 0.62),
    ("SEALED", "NO_DATA_FOUND", 0.08),
    ("SEALED", "REFUSED", 0.05),
    ("SEALED", "WITHDRAWN", 0.02),
    ("EXPIRED", "EXPIRED", 0.05),
    ("RECEIVED", "", 0.03),
    ("VERIFIED", "", 0.035),
    ("INFO_ASKED", "", 0.01),
    ("RESTRICTED", "", 0.02),
    ("UNLEARNING", "", 0.03),
    ("AUDITING", "", 0.03),
    ("ON_HOLD", "", 0.007),
    ("FAILED", "", 0.012),
    ("DRAFT", "", 0.002),
    ("PROPOSED", "", 0.004),
)
Mix = tuple[tuple[str, str, float], ...]
OPERATORS = ("DRAFT", "PROPOSED")
DECIDED = ("RESTRICTED", "UNLEARNING", "AUDITING", "ON_HOLD", "FAILED")
WITH_RUN = ("UNLEARNING", "AUDITING")
LETTER_OF = {
    "ERASED": "ANSWER_ERASED",
    "NO_DATA_FOUND": "ANSWER_NO_DATA_FOUND",
    "REFUSED": "ANSWER_REFUSED",
    "WITHDRAWN": "ANSWER_WITHDRAWN",
}
KEPT_DAYS = 90  # after which the identity of a closed case is forgotten here
PROPOSED, DUPLICATES, ON_PAPER, NOT_SENT = 0.5, 0.3, 0.2, 0.005  # shares of those that could


def open_mix() -> Mix:
    """Return the open states alone, as often among themselves as in the whole."""
    whole = sum(share for _, outcome, share in MIX if not outcome)
    return tuple((status, "", share / whole) for status, outcome, share in MIX if not outcome)


@dataclass(frozen=True, kw_only=True)
class Story:
    """A case, whose it is, and when it was closed."""

    case: ErasureRequest
    person: Person
    closed_at: datetime | None

    def kept(self, now: datetime) -> bool:
        """Return whether the case still has its key."""
        return self.closed_at is None or now - self.closed_at < timedelta(days=KEPT_DAYS)


@dataclass(kw_only=True)
class Teller:
    """Tells the stories of cases into rows."""

    now: datetime
    proposer: User
    approver: User
    rows: Rows = field(default_factory=Rows)
    drawn: random.Random = field(default_factory=lambda: random.Random(9))  # noqa: S311  (a sample)
    due: dict[date, Derivation] = field(default_factory=dict)
    mix: Mix = MIX

    def tell(self, people: list[Person], count: int) -> list[Story]:
        """Return ``count`` cases of as many people, with all rows of theirs kept in ``rows``."""
        fates = [fate[:2] for fate in self.mix for _ in range(round(fate[2] * count))][:count]
        fates += [self.mix[0][:2]] * (count - len(fates))
        self.drawn.shuffle(fates)
        chosen = self.drawn.sample(people, count)
        stories = [self._opened(one, *fate) for one, fate in zip(chosen, fates, strict=True)]
        wanted = [key_name(one.case.pk) for one in stories if one.kept(self.now)]
        held = keys.get_or_create_many(wanted)
        for story in stories:
            self._tell(story, held.get(key_name(story.case.pk)))
        return stories

    def _opened(self, person: Person, status: str, outcome: str) -> Story:
        days = self.drawn.uniform(45, 700) if outcome else self.drawn.uniform(0.1, 40)
        received = self.now - timedelta(days=days)
        case = ErasureRequest(
            reference=new_reference(),
            status=status,
            outcome=outcome,
            status_digest=token_digest(secrets.token_urlsafe(32)),
            received_at=received,
            due_rule="NONE",
            held_from="ACCEPTED" if status == "ON_HOLD" else "",
        )
        if status in OPERATORS:
            case.kind = ErasureRequest.Kind.OPERATOR
        if status == "FAILED":
            case.failed_from, case.failure_code = "UNLEARNING", "STORE_FULL"
            case.failure = "The store is full. Free some space, then retry."
        closed_at = received + timedelta(days=self.drawn.uniform(1, 33)) if outcome else None
        return Story(case=case, person=person, closed_at=closed_at)

    def _tell(self, story: Story, secret: bytes | None) -> None:
        case = story.case
        self.rows.add(case)
        if case.status in OPERATORS:
            self._operators(story)
            return
        if secret:
            case.email = story.person.email
        self._received(story, secret)
        if case.status in ("RECEIVED", "EXPIRED"):
            self._letter(case, "CONFIRM", case.received_at, secret)
            return
        self._confirmed(story, secret)
        if story.closed_at:
            case.sealed_at = story.closed_at
            self._letter(case, LETTER_OF[case.outcome], story.closed_at, secret)

    def _received(self, story: Story, secret: bytes | None) -> None:
        case, at = story.case, story.case.received_at
        due = self._due(at)
        case.due_on, case.due_rule = due.due_on, due.rule
        self.rows.add(clock_from(request=case, due=due))
        if self.drawn.random() < ON_PAPER:
            by = {"source": Intake.Source.STAFF, "entered_by": self.proposer}
            self.rows.add(Intake(request=case, entered_at=at, **by))
        self.rows.log(
            "request_received",
            at,
            case,
            channel=case.channel,
            commitment=commit(secret or self.drawn.randbytes(32), {"email": story.person.email}),
            received_on=due.received_on,
            due_on=due.due_on,
            rule=due.rule,
            calendar=due.calendar,
        )

    def _due(self, at: datetime) -> Derivation:
        """Return when a request of a moment is due; what is received on one day is due on one."""
        day = today(at)
        if day not in self.due:
            self.due[day] = due_of(at)
        return replace(self.due[day], received_at=at)

    def _confirmed(self, story: Story, secret: bytes | None) -> None:
        case, at = story.case, story.case.received_at + timedelta(hours=1)
        case.verified_at = at
        known = case.outcome != "NO_DATA_FOUND"
        if known and case.outcome != "ERASED":
            case.subject = story.person.subject
        result = "FOUND" if known else "NOT_FOUND"
        count = len(story.person.ordinals) if known else 0
        self.rows.log("request_verified", at, case, method="EMAIL_LINK")
        self.rows.log("subject_identified", at, case, result=result, records=count)
        self._letter(case, "ACKNOWLEDGEMENT", at, secret)
        waiting = case.status == "VERIFIED" and self.drawn.random() < PROPOSED
        if waiting or case.status in DECIDED or case.outcome in ("ERASED", "REFUSED"):
            self._decided(story, at + timedelta(hours=1), waiting=waiting)
        if case.outcome == "WITHDRAWN":
            self.rows.log("request_withdrawn", at, case)

    def _decided(self, story: Story, at: datetime, *, waiting: bool) -> None:
        case, refused = story.case, story.case.outcome == "REFUSED"
        decision = Decision(
            request=case,
            kind="REFUSE" if refused else "ACCEPT",
            state="PROPOSED" if waiting else "APPROVED",
            refusal_code="ART_17_3_E" if refused else "",
            assessment="Checked against the register of contracts.",
            proposed_by=self.proposer,
            proposed_at=at,
            approved_by=None if waiting else self.approver,
            approved_at=None if waiting else at,
        )
        self.rows.add(decision)
        named = {"decision": decision.pk, "kind": decision.kind}
        self.rows.log("decision_proposed", at, case, **named)
        if waiting:
            return
        self.rows.log("decision_approved", at, case, **named)
        if refused:
            case.refusal_code = decision.refusal_code
            self.rows.log("request_refused", at, case, code=decision.refusal_code)
            return
        self._accepted(story, decision, at)

    def _accepted(self, story: Story, decision: Decision, at: datetime) -> None:
        case = story.case
        case.ground, case.accepted_at, case.accepted_by = "ART_17_1_B", at, self.approver
        found = {"purpose": "training", "assessment": "Consent was withdrawn."}
        self.rows.add(GroundFinding(decision=decision, code=case.ground, **found))
        self.rows.log("request_accepted", at, case, ground=case.ground)
        if case.status == "ON_HOLD":
            return
        add_restriction(self.rows, case, story.person, at)
        if case.status == "RESTRICTED" and self.drawn.random() < DUPLICATES:
            add_duplicates(self.rows, case, story.person)
        if story.closed_at:
            case.erased_at = story.closed_at
            add_erasure(self.rows, case, story.person, story.closed_at)

    def _operators(self, story: Story) -> None:
        case, space = story.case, story.person.space
        some = story.person.ordinals.serialize()
        own = {"reason": "POISONED", "disposal": "KEEP"}
        by = self.proposer if case.status == "PROPOSED" else None
        self.rows.add(
            OperatorCase(request=case, space=space, seeds=some, chosen=some, proposed_by=by, **own)
        )
        self.rows.log("case_opened", case.received_at, case, space=space.public_id, **own)

    def _letter(self, case: ErasureRequest, code: str, at: datetime, secret: bytes | None) -> None:
        failed = self.drawn.random() < NOT_SENT
        add_letter(self.rows, case, code, at, secret, failed=failed)
