"""Cases that are over, with something personal in every column that can hold it."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import connection

from audits.core.identity import Check
from audits.models import (
    Decision,
    ErasureRequest,
    ExtensionDecision,
    GroundFinding,
    Intake,
    LocationException,
    Notice,
    ProcessingStop,
    Recipient,
)
from audits.services import entering, holds, letter_posting, letters, records
from audits.services.receiving import Told, Wish
from audits.services.unconfirmed import expire_unconfirmed
from tests.audits.world import NOW

S, Outcome = ErasureRequest.Status, ErasureRequest.Outcome
OUTCOMES = [outcome for outcome in Outcome if outcome]
CANARY = "zanzibar"
ADDRESS = f"{CANARY}@example.org"
TOLD = Told(
    description=f"{CANARY} description",
    model_name=f"{CANARY} model",
    identifiers=(("EXTERNAL", f"{CANARY}-4711"),),
    postal_address=f"1 {CANARY} Lane",
    agent_name=f"{CANARY} Lee",
    agent_contact=f"lee@{CANARY}.example.com",
)
YEARS = timedelta(days=4 * 366)


def chief() -> User:
    found = User.objects.filter(username="chief").first()
    return found or User.objects.create_superuser("chief", is_staff=True)


def entered(told: Told = TOLD) -> ErasureRequest:
    """A case that staff entered, with all that an agent told of a person."""
    entry = entering.Entry(
        channel="EMAIL",
        received_at=NOW,
        email=ADDRESS,
        told=told,
        wish=Wish(),
        agent=entering.Agent(mandate_seen=True, mandate_digest="ab" * 32),
        check=Check(method="DOCUMENT", level="HIGH"),
    )
    got = entering.enter_request(entry=entry, user=chief(), now=NOW)
    return ErasureRequest.objects.get(pk=got.request.pk)


def filled(case: ErasureRequest) -> ErasureRequest:
    """The case with letters, an answer by post, and everything that staff wrote about it."""
    letters.send_letter(request=case, code="ACKNOWLEDGEMENT", now=NOW, context={})
    letter_posting.choose_route(
        case_id=case.pk,
        way="POST",
        address=f"2 {CANARY} Lane",
        requested=True,
        user=chief(),
        now=NOW,
    )
    letters.send_letter(request=case, code="RESTRICTED", now=NOW, context={})
    said = Decision.objects.create(
        request=case,
        kind="REFUSE",
        state="RETURNED",
        refusal_code="UNFOUNDED",
        assessment=f"{CANARY} assessment",
        evidence=f"{CANARY} evidence, which is long enough to be evidence.",
        legal_position_note=f"{CANARY} note",
        return_note=f"{CANARY} returned",
        proposed_at=NOW,
    )
    for number in range(2):
        GroundFinding.objects.create(
            decision=said,
            code="ART_17_1_B",
            purpose=f"{CANARY} purpose {number}",
            assessment=f"{CANARY} ground",
            other_ground=f"{CANARY} other",
        )
    LocationException.objects.create(
        decision=said,
        place="archive",
        code="ART_17_3_E",
        basis=f"{CANARY} basis",
        scope=f"{CANARY} scope",
        until=date(2026, 6, 1),
    )
    ExtensionDecision.objects.create(
        request=case,
        reason_code="COMPLEXITY",
        reason_text=f"{CANARY} extension",
        decided_at=NOW,
        new_due=date(2026, 6, 2),
    )
    ProcessingStop.objects.create(
        request=case, balance_text=f"{CANARY} balance", lift_reason=f"{CANARY} lifted"
    )
    Notice.objects.create(
        request=case,
        occasion="ERASED",
        recipient=Recipient.objects.create(name="Archive"),
        state="NOT_POSSIBLE",
        created_at=NOW,
        next_at=NOW,
        reason=f"{CANARY} is not known there",
    )
    Intake.objects.filter(request=case).update(idempotency=f"{CANARY} call")
    ErasureRequest.objects.filter(pk=case.pk).update(failure=f"{CANARY} failed")
    return case


def ended(case: ErasureRequest, outcome: str) -> ErasureRequest:
    """The case, ended with an outcome by the service that ends such a case."""
    if outcome == Outcome.EXPIRED:
        ErasureRequest.objects.filter(pk=case.pk).update(status=S.RECEIVED)
        Intake.objects.filter(request=case).update(source="API")
        expire_unconfirmed(now=NOW + timedelta(days=3))
    else:
        by: dict[str, str] = {
            Outcome.NOT_IDENTIFIED: S.INFO_ASKED,
            Outcome.RESTRICTION_LIFTED: S.RESTRICTED,
            Outcome.RESTRICTION_ERASED: S.RESTRICTED,
        }
        status = by.get(outcome, S.ERASED)
        ErasureRequest.objects.filter(pk=case.pk).update(status=status, outcome=outcome)
        records.seal_case(case_id=case.pk, now=NOW)
    return ErasureRequest.objects.get(pk=case.pk)


def held(*, released: bool) -> None:
    """A legal hold on the person, released or not."""
    hold = holds.place_hold(
        basis=f"{CANARY} against us",
        review_on=date(2027, 1, 1),
        user=chief(),
        now=NOW,
        kind="EMAIL",
        identifier=ADDRESS,
    )
    if released:
        holds.release_hold(hold_id=hold.pk, user=chief(), now=NOW)


def tables_with(*needles: str) -> set[str]:
    """The tables in which one of the strings stands in any raw value."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                raw = b"\n".join(_raw(value) for value in row)
                if any(needle.encode() in raw for needle in needles):
                    found.add(table)
    return found


def _raw(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
